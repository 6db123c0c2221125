"""Keeping the log of requests to its days: partitions ahead, none too old; alerts go as their cause does."""

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db import connection, transaction

from audit.actions import Action
from audit.actors import Actor
from audit.recording import record
from operations.models import Alert, RequestLog

# As in operations_keep_request_log (migration 0001), which is what decides: whole days in UTC, besides today.
KEEP_DAYS: Final = 28
KEEP: Final = "SELECT made, dropped, moved, deleted FROM public.operations_keep_request_log(%s)"


@dataclass(frozen=True, slots=True)
class Kept:
    """What was done: partitions made and dropped, rows moved into their day and deleted, alerts forgotten."""

    made: int
    dropped: int
    moved: int
    deleted: int
    alerts: int


def oldest_kept(now: datetime) -> datetime:
    """Return the instant before which no request stays."""
    return now.replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=KEEP_DAYS)


def overdue(*, now: datetime) -> tuple[int, int]:
    """Return how many requests and how many alerts `keep_request_log` would forget. In the shared schema."""
    cut = oldest_kept(now)
    return RequestLog.objects.filter(at__lt=cut).count(), Alert.objects.filter(last_seen__lt=cut).count()


def keep_request_log(*, actor: Actor, now: datetime) -> Kept:
    """Make the partitions of the next days; drop what is too old, on record. In the shared schema.

    The database's own clock is the limit: a `now` that is ahead of it forgets nothing early.
    """
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(KEEP, [now])
            made, dropped, moved, deleted = cursor.fetchone()
        alerts = Alert.objects.filter(last_seen__lt=oldest_kept(now)).delete()[0]
        kept = Kept(made, dropped, moved, deleted, alerts)
        if dropped or deleted or alerts:
            subject = ("request_log", "all")
            record(Action.REQUESTS_FORGOTTEN, subject=subject, actor=actor, now=now, **asdict(kept))
    return kept
