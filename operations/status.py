"""How the parts of the platform are, in plain words, from real checks; of no tenant, and without secrets."""

import logging
import socket
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from django.conf import settings
from django.core.cache import cache
from django.db import connection
from django.db.models import Min, QuerySet

from tenants.models import Job, Tenant

log = logging.getLogger(__name__)

SECONDS = 30
KEPT = 600  # an old answer is better than two hundred visitors who each ask the mail server
MAIL_TIMEOUT = 2
SLOW, STUCK = 120, 900  # seconds that work may wait


class State(StrEnum):
    WELL = "well"
    SLOW = "slow"
    DOWN = "down"


@dataclass(frozen=True, slots=True)
class Part:
    """One part and how it is."""

    name: str
    state: State
    says: str


@dataclass(frozen=True, slots=True)
class Status:
    """All parts, and when they were looked at."""

    parts: tuple[Part, ...]
    looked_at: datetime

    @property
    def state(self) -> State:
        """The worst of the parts."""
        order = list(State)
        return max((part.state for part in self.parts), key=order.index)


def status(*, now: datetime) -> Status:
    """Return how the parts are: looked at now, or within the last half minute. In the shared schema."""
    known = _read()
    if known is not None and (now - known.looked_at).total_seconds() < SECONDS:
        return known
    if known is not None and not _may_look():
        return known
    found = look(now=now)
    _write(found)
    return found


def look(*, now: datetime) -> Status:
    """Look at every part."""
    checks: tuple[tuple[str, Callable[[datetime], tuple[State, str]]], ...] = (
        ("Pages and database", _database),
        ("Work in the background", _work),
        ("Mail", _mail),
        ("News from Stripe", _stripe),
    )
    return Status(tuple(Part(name, *_safely(check, now)) for name, check in checks), now)


def _safely(check: Callable[[datetime], tuple[State, str]], now: datetime) -> tuple[State, str]:
    try:
        return check(now)
    except Exception as error:  # whatever is broken, the page says so and stands
        log.warning("status: %s failed: %s", check.__name__, type(error).__name__)
        return State.DOWN, "It does not answer."


def _database(now: datetime) -> tuple[State, str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return State.WELL, "Answers."


def _work(now: datetime) -> tuple[State, str]:
    return _waiting(Job.objects.all(), now, "Invoice runs, mails and all that happens by itself are on time.")


def _mail(now: datetime) -> tuple[State, str]:
    with socket.create_connection((settings.EMAIL_HOST, settings.EMAIL_PORT), timeout=MAIL_TIMEOUT):
        pass
    return _waiting(Job.objects.filter(name__contains=".mail_"), now, "Leaves within minutes.")


def _stripe(now: datetime) -> tuple[State, str]:
    return _waiting(Job.objects.filter(name="billing.handle_event"), now, "Payments are booked as they come.")


def _waiting(jobs: QuerySet[Job], now: datetime, well: str) -> tuple[State, str]:
    """How long the oldest job waits that is due, and has not failed before: what failed waits on purpose."""
    rehearsing = Tenant.objects.filter(is_rehearsal=True).values("schema_name")
    due = jobs.filter(state=Job.State.WAITING, run_at__lte=now, attempts=0).exclude(
        schema_name__in=rehearsing
    )
    oldest = due.aggregate(at=Min("run_at"))["at"]
    seconds = 0 if oldest is None else (now - oldest).total_seconds()
    if seconds >= STUCK:
        return State.DOWN, f"Stands still: the oldest work waits for {int(seconds) // 60} minutes."
    if seconds >= SLOW:
        return State.SLOW, f"Late: the oldest work waits for {int(seconds) // 60} minutes."
    return State.WELL, well


def _read() -> Status | None:
    try:
        kept: dict[str, Any] | None = cache.get("status")
    except Exception:  # the cache may be away; then we look
        return None
    if kept is None:
        return None
    parts = tuple(Part(each["name"], State(each["state"]), each["says"]) for each in kept["parts"])
    return Status(parts, datetime.fromisoformat(kept["looked_at"]))


def _write(found: Status) -> None:
    kept = {"parts": [asdict(part) for part in found.parts], "looked_at": found.looked_at.isoformat()}
    try:
        cache.set("status", kept, KEPT)
    except Exception as error:
        log.warning("status is not cached: %s", type(error).__name__)


def _may_look() -> bool:
    """One at a time: the others see what was seen last."""
    try:
        return bool(cache.add("status_looks", 1, SECONDS // 3))
    except Exception:
        return True
