"""How the record of the schema entered stands: walked, and what was found kept for its pages."""

from dataclasses import dataclass
from datetime import datetime

from audit.models import ChainCheck, ChainHead
from audit.verifying import verify
from tenants import checkpointing

# A chain this short is walked while its page is made; a longer one at night, or when somebody asks.
WALK_AT_ONCE = 2_000


@dataclass(frozen=True, slots=True)
class Checked:
    """How the chain was found when it was last checked, and up to which event."""

    at: datetime
    events: int
    problem: str | None


def check(*, now: datetime) -> Checked:
    """Walk the whole chain, by the checkpoints as well, and keep what was found."""
    found = _walked(now)
    kept = {"at": now, "seq": found.events, "problem": found.problem or ""}
    if found.problem is None:
        kept["told_at"] = None
    ChainCheck.objects.update_or_create(id=1, defaults=kept)
    return found


def standing(*, now: datetime) -> Checked | None:
    """How the chain stands: walked now while it is short, else what the last check found. Writes nothing."""
    if ChainHead.objects.values_list("seq", flat=True).get() <= WALK_AT_ONCE:
        return _walked(now)
    kept = ChainCheck.objects.filter(id=1).first()
    return Checked(kept.at, kept.seq, kept.problem or None) if kept else None


def to_be_told(*, now: datetime) -> bool:
    """Tell whether nobody has been told yet of the problem that stands, and note that they are now."""
    rows = ChainCheck.objects.filter(id=1, told_at__isnull=True).exclude(problem="")
    return rows.update(told_at=now) > 0


def _walked(now: datetime) -> Checked:
    verdict = verify(checkpointing.anchors())
    return Checked(now, verdict.events, verdict.problem)
