"""How the record of the schema entered stands: walked, and what was found kept for its pages."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.conf import settings

from audit.models import ChainCheck, ChainHead
from audit.verifying import verify
from tenants import clock, testimony
from tenants.context import in_public

# A chain this short is walked while its page is made; a longer one at night, or when somebody asks.
WALK_AT_ONCE = 2_000


@dataclass(frozen=True, slots=True)
class Checked:
    """How the chain was found when it was last checked, and up to which event."""

    at: datetime
    events: int
    problem: str | None


def check(*, now: datetime) -> Checked:
    """Walk the whole chain by what signed checkpoints say, and keep what was found. For workers.

    They may read the signing key. For the platform's own chain the newest copy outside is looked at as well.
    Raises `StoreUnavailable` when that cannot be read: what was found before stands then.
    """
    said = testimony.nightly()
    verdict = verify(said.anchors)
    found = Checked(now, verdict.events, verdict.problem or said.problem)
    if in_public() and settings.AUDIT_BUCKET and found.problem is None:
        found = replace(found, problem=testimony.newest_problem_outside(now=clock.of_database()))
    _keep(found)
    return found


def look(*, now: datetime) -> Checked:
    """Walk the whole chain for a page, by the database alone, and keep what was found.

    A problem that a worker found by the signatures stands until a worker finds none.
    """
    found = _walked(now)
    _keep(found)
    return found


def standing(*, now: datetime) -> Checked | None:
    """How the chain stands: walked now while it is short, else what the last check found. Writes nothing."""
    if ChainHead.objects.values_list("seq", flat=True).get() <= WALK_AT_ONCE:
        return _walked(now)
    return _kept()


def to_be_told(*, now: datetime) -> bool:
    """Tell whether nobody has been told yet of the problem that stands, and note that they are now."""
    rows = ChainCheck.objects.filter(id=1, told_at__isnull=True).exclude(problem="")
    return rows.update(told_at=now) > 0


def _walked(now: datetime) -> Checked:
    verdict, kept = verify(testimony.rows()), _kept()
    if verdict.problem is None and kept is not None and kept.problem is not None:
        return kept
    return Checked(now, verdict.events, verdict.problem)


def _kept() -> Checked | None:
    kept = ChainCheck.objects.filter(id=1).first()
    return Checked(kept.at, kept.seq, kept.problem or None) if kept else None


def _keep(found: Checked) -> None:
    kept: dict[str, Any] = {"at": found.at, "seq": found.events, "problem": found.problem or ""}
    if found.problem is None:
        kept["told_at"] = None
    ChainCheck.objects.update_or_create(id=1, defaults=kept)
