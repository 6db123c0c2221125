"""Restriction of processing (Art. 18 GDPR): asked for, lifted, and the one place that says what it stops.

While it stands, data is stored, and used for what the person asks for or for legal claims (Art. 18(2)): what
they ask for themselves, what they owe already with the mail about it, security. It stops what would happen by
itself or serves others. Of a customer: news to those who act for it, charging a card without them, billing
new periods, and being counted in the figures of revenue. Of a person who logs in: news.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from enum import StrEnum

from django.db import IntegrityError, transaction
from django.db.models import CharField, Exists, F
from django.db.models.functions import Cast

from audit.actions import Action
from audit.actors import Actor
from audit.recording import record
from privacy import freezing
from privacy.errors import Refused
from privacy.models import Restriction
from privacy.subjects import Subject
from tenants.context import current_schema


class Processing(StrEnum):
    """What a restriction stops: each is asked for where it would happen, and everything else goes on."""

    MARKETING = "marketing"
    COLLECTION = "collection"  # a card charged without the person
    INVOICING = "invoicing"  # new periods billed
    FIGURES = "figures"  # what the business has come to


Changed = Callable[[Subject, datetime], None]
_told: list[Changed] = []
_acts_for: dict[str, Callable[[Subject], Sequence[Subject]]] = {}


def when_changed(tell: Changed) -> Changed:
    """Register what is called, in the same transaction, when a restriction begins or ends."""
    _told.append(tell)
    return tell


def acts_for(kind: str, find: Callable[[Subject], Sequence[Subject]]) -> None:
    """Register for whom a subject of this kind acts: what these have paused is not done with it either."""
    _acts_for[kind] = find


def allows(subject: Subject, processing: Processing) -> bool:
    """Tell whether this may be done with the subject's data now."""
    others = _acts_for[subject.kind](subject) if subject.kind in _acts_for else ()
    return all(in_force(each) is None for each in (subject, *others))


def in_force(subject: Subject) -> Restriction | None:
    """Return the restriction that stands, if one does."""
    return Restriction.objects.filter(
        subject_kind=subject.kind, subject_id=subject.id, lifted_at__isnull=True
    ).first()


def history(subject: Subject) -> list[Restriction]:
    """Return all there ever were, the latest first."""
    rows = Restriction.objects.filter(subject_kind=subject.kind, subject_id=subject.id)
    return list(rows.order_by("-asked_at"))


def stops(processing: Processing, kind: str, key: F) -> Exists:
    """A condition for many rows at once: it is refused to the subject whose id is `key` (an OuterRef)."""
    standing = Restriction.objects.filter(
        subject_kind=kind, subject_id=Cast(key, CharField()), lifted_at__isnull=True
    )
    return Exists(standing)


def stops_sql(processing: Processing, kind: str, key: str) -> str:
    """The same for statements written by hand; `kind` and `key` (a column) are the caller's own words."""
    return (
        "EXISTS (SELECT 1 FROM privacy_restriction r WHERE r.lifted_at IS NULL"
        f" AND r.subject_kind = '{kind}' AND r.subject_id = {key}::text)"
    )


def any_stopped(processing: Processing, kind: str) -> bool:
    """Tell whether it is refused to any subject of this kind."""
    return Restriction.objects.filter(subject_kind=kind, lifted_at__isnull=True).exists()


def restrict(subject: Subject, *, reason: str, actor: Actor, now: datetime) -> Restriction:
    """Pause processing until that is lifted. Raises `Refused` where it is paused, or without a reason."""
    why = " ".join(reason.split())[:500]
    if not why:
        raise Refused("Say why: it helps those who look into it.")
    row = Restriction(subject_kind=subject.kind, subject_id=subject.id, reason=why, asked_at=now)
    try:
        with transaction.atomic():
            row.save(force_insert=True)
            _tell(subject, now)
            record(
                Action.PROCESSING_RESTRICTED,
                subject=(subject.kind, subject.id),
                actor=actor,
                now=now,
                reason=why,
            )
    except IntegrityError as error:
        raise Refused("Processing is paused already.") from error
    return row


def lift(subject: Subject, *, because: str, actor: Actor, now: datetime) -> bool:
    """Go on with processing; returns whether it was paused. Raises `Refused` while they are frozen."""
    if freezing.is_frozen(current_schema(), subject):
        raise Refused("This account is frozen until it is decided whether its owner is a child. Write to us.")
    with transaction.atomic():
        row = (
            Restriction.objects.select_for_update()
            .filter(subject_kind=subject.kind, subject_id=subject.id, lifted_at__isnull=True)
            .first()
        )
        if row is None:
            return False
        row.lifted_at, row.lifted_because = now, " ".join(because.split())[:500]
        row.save(update_fields=["lifted_at", "lifted_because"])
        _tell(subject, now)
        record(
            Action.PROCESSING_RESUMED, subject=(subject.kind, subject.id), actor=actor, now=now,
            because=row.lifted_because,
        )  # fmt: skip
    return True


def _tell(subject: Subject, now: datetime) -> None:
    for tell in _told:
        tell(subject, now)
