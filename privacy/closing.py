"""Closing an account: sold and charged no more at once, undone within 30 days, then erased but for the books.

Apps above take part: what they end when the account of a customer or a tenant is closed, what they begin
again when that is undone, and what stands in the way. A tenant is closed from inside its schema; its row
stands in the platform's.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.db import transaction

from audit.actions import Action
from audit.actors import Actor
from audit.recording import record
from privacy.errors import Refused
from privacy.inventory import Retention
from privacy.models import Closing
from privacy.periods import PERIODS
from privacy.subjects import Known, Subject
from tenants.context import current_tenant, enter_public
from tenants.jobs import enqueue
from tenants.models import Tenant

CUSTOMER: Final = "customer"
TENANT: Final = "tenant"
# What a rehearsal has instead of closing and erasing.
THROWN_AWAY: Final = "it is thrown away, by manage.py drop_rehearsal."
GRACE: Final = timedelta(days=PERIODS[Retention.ACCOUNT].days or 0)
REMINDED_BEFORE: Final = timedelta(days=7)


def _nothing(subject: Subject) -> list[str]:
    return []


@dataclass(frozen=True, slots=True)
class Part:
    """What one app does when an account of a kind is closed, inside the transaction of it.

    `end` returns, as JSON, what `resume` needs to begin it again. `tells` says what the person should know
    first, such as what is still to be paid.
    """

    name: str
    end: Callable[[Subject, Actor, datetime], Any]
    resume: Callable[[Subject, Any, Actor, datetime], None]
    tells: Callable[[Subject], list[str]] = field(default=_nothing)


_parts: dict[str, list[Part]] = {CUSTOMER: [], TENANT: []}
_addressees: dict[str, Callable[[Subject], Sequence[Known]]] = {}


def takes_part(kind: str, part: Part) -> None:
    """Register what an app does when an account of this kind is closed."""
    _parts[kind].append(part)


def addressees(kind: str, find: Callable[[Subject], Sequence[Known]]) -> None:
    """Register who is written to about accounts of this kind."""
    _addressees[kind] = find


def whom_to_tell(subject: Subject) -> Sequence[Known]:
    """Return who is written to about the subject, each address once; of those that are erased nobody."""
    find = _addressees.get(subject.kind)
    found = {each.email.casefold(): each for each in (find(subject) if find else ()) if each.email}
    return list(found.values())


def told_before(subject: Subject) -> list[str]:
    """Return what the person should know before the account is closed."""
    return [text for part in _parts[subject.kind] for text in part.tells(subject)]


def closing_of(subject: Subject) -> Closing | None:
    """Return the closing in force, under way or done. For a tenant from inside it or outside."""
    with place_of(subject):
        standing = Closing.objects.filter(subject_kind=subject.kind, subject_id=subject.id)
        return standing.filter(undone_at__isnull=True).first()


@contextmanager
def place_of(subject: Subject) -> Iterator[None]:
    """Enter where the subject's closing stands."""
    if subject.kind != TENANT:
        yield
        return
    with enter_public():
        yield


def close(subject: Subject, *, actor: Actor, now: datetime, grace: timedelta = GRACE) -> Closing:
    """Close the account: what runs is ended, and after the grace all goes that need not stay.

    Raises `Refused`.
    """
    if current_tenant().is_rehearsal:
        raise Refused(f"A rehearsal is not closed: {THROWN_AWAY}")
    with transaction.atomic():
        if closing_of(subject) is not None:
            raise Refused("This account is closed already.")
        ended = {part.name: part.end(subject, actor, now) for part in _parts[subject.kind]}
        with place_of(subject):
            closing = Closing.objects.create(
                subject_kind=subject.kind,
                subject_id=subject.id,
                closed_at=now,
                final_at=now + grace,
                ended=ended,
            )
        record(
            Action.CLOSING_ASKED,
            subject=(subject.kind, subject.id),
            actor=actor,
            now=now,
            final=closing.final_at.isoformat(),
        )
        if grace:
            enqueue("privacy.mail_closing", subject_kind=subject.kind, subject_id=subject.id, which="begun")
    return closing


def undo(subject: Subject, *, actor: Actor, now: datetime) -> None:
    """Open the account again, with what was ended by the closing. Raises `Refused` once it is too late."""
    with transaction.atomic():
        with place_of(subject):
            rows = Closing.objects.filter(subject_kind=subject.kind, subject_id=subject.id)
            standing = rows.filter(undone_at__isnull=True).select_for_update().first()
            if standing is None:
                raise Refused("This account is open.")
            if standing.done_at is not None or now >= standing.final_at:
                raise Refused("The 30 days are over: what was there has been erased, or is being erased now.")
            standing.undone_at = now
            standing.save(update_fields=["undone_at"])
        for part in _parts[subject.kind]:
            part.resume(subject, standing.ended.get(part.name), actor, now)
        record(Action.CLOSING_UNDONE, subject=(subject.kind, subject.id), actor=actor, now=now)


def conclude(subject: Subject, *, actor: Actor, now: datetime) -> None:
    """Note that all has gone that was to go: the closing cannot be undone any more. In a transaction."""
    with place_of(subject):
        standing = Closing.objects.filter(
            subject_kind=subject.kind, subject_id=subject.id, undone_at__isnull=True, done_at__isnull=True
        )
        done = standing.update(done_at=now)
    if done:
        record(Action.CLOSING_DONE, subject=(subject.kind, subject.id), actor=actor, now=now)


def remind(kind: str, *, now: datetime) -> int:
    """Have those written to whose account goes for good within a week; returns how many. In their schema."""
    coming = Closing.objects.filter(
        subject_kind=kind, undone_at__isnull=True, done_at__isnull=True, reminded_at__isnull=True,
        final_at__lte=now + REMINDED_BEFORE, final_at__gt=now,
    )  # fmt: skip
    with transaction.atomic():
        rows = list(coming.select_for_update(skip_locked=True))
        Closing.objects.filter(pk__in=[row.pk for row in rows]).update(reminded_at=now)
        for row in rows:
            enqueue(
                "privacy.mail_closing",
                schema=_schema_of(row),
                subject_kind=row.subject_kind,
                subject_id=row.subject_id,
                which="soon",
            )
    return len(rows)


def over(kind: str, *, now: datetime) -> list[Subject]:
    """Return whose 30 days are over and are not gone yet, the first first. In their schema."""
    rows = Closing.objects.filter(
        subject_kind=kind, undone_at__isnull=True, done_at__isnull=True, final_at__lte=now
    )
    pairs = rows.order_by("final_at").values_list("subject_kind", "subject_id")
    return [Subject(*pair) for pair in pairs]


def done_before(kind: str, cut: datetime) -> list[Subject]:
    """Return who is gone but for the books, and was closed before this instant."""
    rows = Closing.objects.filter(
        subject_kind=kind, undone_at__isnull=True, done_at__isnull=False, closed_at__lte=cut
    )
    pairs = rows.order_by("closed_at").values_list("subject_kind", "subject_id")
    return [Subject(*pair) for pair in pairs]


def _schema_of(row: Closing) -> str | None:
    """Return the schema to write a job for: another only for tenants, from the platform's own."""
    if row.subject_kind != TENANT:
        return None
    return Tenant.objects.values_list("schema_name", flat=True).get(pk=UUID(row.subject_id))
