"""Faults asked for through the control endpoint: which request or event they hit, and how often."""

from dataclasses import asdict, dataclass, field
from fnmatch import fnmatchcase

from sandbox.stripe import ids
from sandbox.stripe.types import Obj

REQUEST_KINDS = frozenset(
    {"lost", "reset_before", "error_before", "error_after", "rate_limit", "slow", "slow_after", "unavailable"}
)
EVENT_KINDS = frozenset({"duplicate_events", "shuffle_events", "drop_events", "hold_events"})


@dataclass(slots=True)
class Fault:
    """`times` None means until it is cleared; `skip` lets that many matches pass first."""

    kind: str
    path: str = "*"
    method: str = "*"
    event: str = "*"
    account: str = "*"
    times: int | None = 1
    skip: int = 0
    seconds: float = 1.0
    copies: int = 1
    id: str = field(default_factory=lambda: f"fault_{ids.random_text(8)}")
    hits: int = 0

    def spent(self) -> bool:
        return self.times is not None and self.hits >= self.times

    def strike(self) -> bool:
        """Whether this match is hit; counts it."""
        if self.spent():
            return False
        if self.skip > 0:
            self.skip -= 1
            return False
        self.hits += 1
        return True


class Faults:
    def __init__(self) -> None:
        self._active: list[Fault] = []

    def add(self, given: Obj) -> Fault:
        """Raises ValueError for what is not a fault."""
        kind = given.get("kind")
        if kind not in REQUEST_KINDS | EVENT_KINDS:
            raise ValueError(f"kind must be one of {', '.join(sorted(REQUEST_KINDS | EVENT_KINDS))}")
        allowed = {"kind", "path", "method", "event", "account", "times", "skip", "seconds", "copies"}
        unknown = set(given) - allowed
        if unknown:
            raise ValueError(f"unknown fields: {', '.join(sorted(unknown))}")
        fault = Fault(**given)
        if kind in EVENT_KINDS and "times" not in given:
            fault.times = None
        self._active.append(fault)
        return fault

    def clear(self, fault_id: str | None = None) -> None:
        self._active = [fault for fault in self._active if fault_id is not None and fault.id != fault_id]

    def shown(self) -> list[Obj]:
        return [asdict(fault) for fault in self._active]

    def for_request(self, method: str, path: str, account: str) -> list[Fault]:
        return [
            fault
            for fault in self._active
            if fault.kind in REQUEST_KINDS
            and fnmatchcase(method, fault.method)
            and fnmatchcase(path, fault.path)
            and fnmatchcase(account, fault.account)
            and fault.strike()
        ]

    def for_event(self, kind: str, type_: str, account: str) -> Fault | None:
        for fault in self._active:
            hit = (
                fault.kind == kind and fnmatchcase(type_, fault.event) and fnmatchcase(account, fault.account)
            )
            if hit and fault.strike():
                return fault
        return None
