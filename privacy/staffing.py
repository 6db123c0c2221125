"""Who answers for people's data: the platform's staff, as a higher app knows them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tenants.context import enter_public


@dataclass(frozen=True, slots=True)
class Colleague:
    """Somebody of the platform's staff; `id` is that of their log-in, as text."""

    id: str
    name: str
    email: str

    def __str__(self) -> str:
        return f"{self.name} <{self.email}>"


_listers: list[Callable[[], Sequence[Colleague]]] = []


def staff_are(lister: Callable[[], Sequence[Colleague]]) -> None:
    """Register how the staff who may work now are found, in the platform's schema."""
    _listers.append(lister)


def staff() -> list[Colleague]:
    """Return the staff who may work now."""
    with enter_public():
        return [colleague for lister in _listers for colleague in lister()]


def colleague_of(staff_id: str) -> Colleague | None:
    """Return the one of this id, if they still work here."""
    return next((each for each in staff() if each.id == staff_id), None)
