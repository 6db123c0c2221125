"""Accounts whose 30 days are over: customers are erased one by one, tenants with everybody in them.

Seven years after the closing the books go too; of a customer by the app that keeps them, of a tenant with
its whole schema.
"""

import logging
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from uuid import UUID

from django.db import connection, transaction

from audit.actors import Actor
from privacy import closing, erasing, holds
from privacy.closing import CUSTOMER, TENANT
from privacy.errors import Refused
from privacy.inventory import Retention
from privacy.models import Closing, Erasure
from privacy.retention import Swept, executes, over_before
from privacy.subjects import Subject
from tenants.context import current_tenant
from tenants.jobs import Asked, enqueue, enqueue_many
from tenants.models import Tenant

log = logging.getLogger(__name__)
AT_ONCE = 500  # so many erasures are begun by one job

_everyone: list[Callable[[], Iterable[Subject]]] = []


def everyone(find: Callable[[], Iterable[Subject]]) -> None:
    """Register who is erased with a whole tenant, in the order to do it."""
    _everyone.append(find)


@executes(Retention.ACCOUNT, scope="tenant")
def closed_customers(*, now: datetime, dry_run: bool, actor: Actor) -> Sequence[Swept]:
    """Begin to erase the customers whose 30 days are over; take up what an erasure has left."""
    over = [each for each in closing.over(CUSTOMER, now=now) if not holds.is_held(each)]
    if dry_run:
        return [Swept("privacy_closing", len(over))]
    closing.remind(CUSTOMER, now=now)
    _take_up(now)
    begun = _begin(over, actor=actor, now=now)
    return [Swept("privacy_closing", begun)]


@executes(Retention.PROSPECT, scope="platform")
def erasures_left(*, now: datetime, dry_run: bool, actor: Actor) -> Sequence[Swept]:
    """Take up what an erasure of the platform's own people and of prospects has left."""
    if not dry_run:
        _take_up(now)
    return ()  # what goes, the erasure tells itself


@executes(Retention.ACCOUNT, scope="platform")
def closed_tenants(*, now: datetime, dry_run: bool, actor: Actor) -> Sequence[Swept]:
    """Have everybody of the tenants erased whose 30 days are over."""
    over = [each for each in closing.over(TENANT, now=now) if not holds.is_held(each)]
    if not dry_run:
        closing.remind(TENANT, now=now)
        for each in over:
            schema = Tenant.objects.values_list("schema_name", flat=True).get(pk=UUID(each.id))
            with transaction.atomic():
                enqueue("privacy.end_tenant", schema=schema)
    return [Swept("privacy_closing", len(over))]


@executes(Retention.BILLING, scope="platform")
def tenants_books(*, now: datetime, dry_run: bool, actor: Actor) -> Sequence[Swept]:
    """Drop what is left of tenants that were closed seven years ago; the database looks again itself."""
    old = closing.done_before(TENANT, over_before(Retention.BILLING, now))
    old = [each for each in old if not holds.is_held(each)]
    for each in () if dry_run else old:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT drop_closed_tenant(%s)", [UUID(each.id)])
            Closing.objects.filter(subject_kind=TENANT, subject_id=each.id).delete()
    return [Swept("tenants_tenant", len(old))]


def end_tenant(*, actor: Actor, now: datetime) -> bool:
    """Erase everybody of the tenant entered, some at a time; returns whether nobody is left."""
    subject = Subject(TENANT, str(current_tenant().pk))
    standing = closing.closing_of(subject)
    if standing is None or standing.done_at is not None or now < standing.final_at:
        return False
    left = [each for find in _everyone for each in find() if not erasing.is_erased(each)]
    if left or erasing.pending():
        _begin(left[:AT_ONCE], actor=actor, now=now)
        return False
    with transaction.atomic():
        closing.conclude(subject, actor=actor, now=now)
    return True


def _begin(subjects: Sequence[Subject], *, actor: Actor, now: datetime) -> int:
    begun = 0
    for subject in subjects:
        try:
            erasing.begin(subject, because=Erasure.Because.CLOSED, actor=actor, now=now)
            begun += 1
        except Refused as refused:
            log.warning("%s is not erased yet: %s", subject, refused)
    return begun


def _take_up(now: datetime) -> None:
    """Have the erasures done that are not, twice a day each."""
    half = f"{now.date()}:{now.hour // 12}"
    ids = [str(pk) for pk in erasing.pending()]
    with transaction.atomic():
        enqueue_many([Asked("privacy.erase", {"erasure_id": pk}, key=f"erase:{pk}:{half}") for pk in ids])
