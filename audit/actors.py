"""Who acts: a person, the platform's staff, a party outside, or the system itself."""

from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True, slots=True)
class Actor:
    """The acting party of a rule; `label` is what people read, `ip` and `user_agent` where it came from.

    Where the platform's staff act as somebody, `behind_id` and `behind_label` say who they are themselves.
    """

    kind: str
    id: str = ""
    label: str = ""
    ip: str | None = None
    user_agent: str = ""
    behind_id: str = ""
    behind_label: str = ""

    @classmethod
    def system(cls, label: str) -> Self:
        """The platform acting by itself, e.g. ``Actor.system("invoice run")``."""
        return cls(kind="system", label=label)

    @classmethod
    def vendor(cls, label: str) -> Self:
        """A party outside that told us something, e.g. Stripe."""
        return cls(kind="vendor", label=label)
