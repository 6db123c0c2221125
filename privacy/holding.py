"""Legal holds: what stands under one is neither purged nor erased until it is lifted; each has its review.

A hold on a customer or user stands in the tenant's schema; one on a whole tenant (`Subject("tenant", …)`) in
the platform's. The reasons stay with the hold: the audit log is read by the tenant, whom a court may not
want to know of them.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from django.db import transaction

from audit.actions import Action
from audit.actors import Actor
from audit.recording import record
from privacy.errors import Refused
from privacy.finding import Found, inside
from privacy.models import Hold
from privacy.subjects import known
from tenants.context import enter, enter_public
from tenants.directory import every_tenant
from tenants.models import Tenant
from tenants.postgresql.base import PUBLIC

REVIEW_AFTER = timedelta(days=90)
TENANT = "tenant"


@dataclass(frozen=True, slots=True)
class Standing:
    """A hold in force, and the schema that it stands in."""

    schema_name: str
    hold: Hold


def place(whom: Found, *, reason: str, actor: Actor, now: datetime, review_on: date | None = None) -> Hold:
    """Let nothing of the subject be purged or erased from now on. Raises `Refused`."""
    _check(reason, review_on, now)
    with inside(whom.schema_name), transaction.atomic():
        if not _is_there(whom):
            raise Refused("There is nobody of that kind with that id.")
        hold = Hold.objects.create(
            subject_kind=whom.subject.kind,
            subject_id=whom.subject.id,
            reason=reason.strip()[:500],
            placed_by=actor.label[:254],
            placed_at=now,
            review_on=review_on or (now + REVIEW_AFTER).date(),
        )
        record(
            Action.HOLD_PLACED, subject=(whom.subject.kind, whom.subject.id), actor=actor, now=now,
            hold=str(hold.pk), review_on=str(hold.review_on),
        )  # fmt: skip
    return hold


def review(
    schema_name: str,
    hold_id: UUID,
    *,
    reason: str,
    actor: Actor,
    now: datetime,
    review_on: date | None = None,
) -> Hold:
    """Let it stand on, with the reason of today, until the next review. Raises `Refused`. Locks the hold."""
    _check(reason, review_on, now)
    with inside(schema_name), transaction.atomic():
        hold = _standing(hold_id)
        hold.review_on = review_on or (now + REVIEW_AFTER).date()
        hold.reason = reason.strip()[:500]
        hold.save(update_fields=["review_on", "reason"])
        record(
            Action.HOLD_REVIEWED, subject=(hold.subject_kind, hold.subject_id), actor=actor, now=now,
            hold=str(hold.pk), review_on=str(hold.review_on),
        )  # fmt: skip
    return hold


def lift(schema_name: str, hold_id: UUID, *, because: str, actor: Actor, now: datetime) -> Hold:
    """Let the usual rules hold again. Raises `Refused`. Locks the hold."""
    if not because.strip():
        raise Refused("Say why the hold is lifted.")
    with inside(schema_name), transaction.atomic():
        hold = _standing(hold_id)
        hold.lifted_at, hold.lifted_because = now, because.strip()[:500]
        hold.save(update_fields=["lifted_at", "lifted_because"])
        record(
            Action.HOLD_LIFTED, subject=(hold.subject_kind, hold.subject_id), actor=actor, now=now,
            hold=str(hold.pk),
        )  # fmt: skip
    return hold


def in_force() -> Iterator[Standing]:
    """Every hold in force over the whole platform, the platform's own first."""
    standing = Hold.objects.filter(lifted_at__isnull=True).order_by("review_on", "id")
    with enter_public():
        yield from [Standing(PUBLIC, hold) for hold in standing.all()]
    for tenant in every_tenant():
        with enter(tenant):
            found = [Standing(tenant.schema_name, hold) for hold in standing.all()]
        yield from found


def _is_there(whom: Found) -> bool:
    if whom.subject.kind == TENANT:
        return whom.schema_name == PUBLIC and Tenant.objects.filter(pk=whom.subject.id).exists()
    return known(whom.subject) is not None


def _standing(hold_id: UUID) -> Hold:
    hold = Hold.objects.select_for_update(of=("self",)).filter(pk=hold_id, lifted_at__isnull=True).first()
    if hold is None:
        raise Refused("This hold does not stand any more.")
    return hold


def _check(reason: str, review_on: date | None, now: datetime) -> None:
    if not reason.strip():
        raise Refused("A hold needs its reason: the case, and what must be kept for it.")
    if review_on is not None and not now.date() < review_on <= (now + REVIEW_AFTER).date():
        raise Refused(f"The review must be after today and within {REVIEW_AFTER.days} days.")
