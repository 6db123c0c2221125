"""Accounts whose 30 days are over: customers are erased one by one, tenants with everybody in them.

Seven years after the closing the books go too; of a customer by the app that keeps them, of a tenant with
its whole schema. A rehearsal, which holds what real people's data was copied into, goes whole after 30 days.
"""

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.db import connection, transaction
from django.db.models import QuerySet

from audit.actions import Action
from audit.actors import Actor
from audit.models import ChainHead
from audit.recording import record
from privacy import closing, erasing, exporting, holds
from privacy.closing import CUSTOMER, TENANT
from privacy.errors import Refused
from privacy.inventory import Retention
from privacy.models import Closing, Erasure, RequestSubject, UnderageReport
from privacy.retention import Swept, executes, over_before
from privacy.subjects import Subject
from tenants.context import current_tenant, enter, enter_public
from tenants.ids import first_id_at
from tenants.jobs import Asked, enqueue, enqueue_many
from tenants.models import Host, HostProof, Tenant

log = logging.getLogger(__name__)
AT_ONCE: Final = 500  # so many erasures are begun by one job
ASKED_AGAIN: Final = timedelta(minutes=2)
NAMELESS: Final = "Closed workspace"

_everyone: list[Callable[[], Iterable[Subject]]] = []
_outside: list[Callable[[], None]] = []
_at_last: list[Callable[[], None]] = []


def everyone(find: Callable[[], Iterable[Subject]]) -> None:
    """Register who is erased with a whole tenant, in the order to do it."""
    _everyone.append(find)


def outside(leave: Callable[[], None]) -> Callable[[], None]:
    """Register what a closed tenant leaves elsewhere, before it forgets how: no transaction is open.

    What raises is tried again with the job.
    """
    _outside.append(leave)
    return leave


def at_last(forget: Callable[[], None]) -> Callable[[], None]:
    """Register what else of a closed tenant goes once nobody is left: called in it, in a transaction."""
    _at_last.append(forget)
    return forget


@executes(Retention.ACCOUNT, scope="tenant")
def closed_customers(*, now: datetime, dry_run: bool, actor: Actor) -> Sequence[Swept]:
    """Begin to erase the customers whose 30 days are over; take up what an erasure has left."""
    over = [each for each in closing.over(CUSTOMER, now=now) if not holds.is_held(each)]
    if dry_run:
        return [Swept("privacy_closing", len(over))]
    closing.remind(CUSTOMER, now=now)
    _take_up(now)
    begun = sum(_begin(each, actor=actor, now=now) for each in over)
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
    found = Tenant.objects.filter(pk__in=[UUID(each.id) for each in old])
    return [_drop_all(found, because="closed seven years ago", dry_run=dry_run, actor=actor, now=now)]


@executes(Retention.REHEARSAL, scope="platform")
def rehearsals(*, now: datetime, dry_run: bool, actor: Actor) -> Sequence[Swept]:
    """Drop rehearsals of a month ago. Their ids tell when they were made, whatever clock they live by."""
    made_before = first_id_at(over_before(Retention.REHEARSAL, now))
    found = Tenant.objects.filter(is_rehearsal=True, pk__lt=made_before)
    return [_drop_all(found, because="a rehearsal, 30 days old", dry_run=dry_run, actor=actor, now=now)]


def _drop_all(
    tenants: "QuerySet[Tenant]", *, because: str, dry_run: bool, actor: Actor, now: datetime
) -> Swept:
    """Drop those of them that no hold stands on; one that cannot be dropped stops no other."""
    gone = failed = 0
    for each in tenants.order_by("pk"):
        try:
            if is_held_anywhere(each):
                continue
            if not dry_run:
                drop(each, because=because, actor=actor, now=now)
            gone += 1
        except Exception:
            log.exception("tenant %s could not be dropped", each.schema_name)
            failed += 1
    return Swept("tenants_tenant", gone, failed)


def is_held_anywhere(tenant: Tenant) -> bool:
    """Tell whether a hold stands on the tenant or on anybody in it, as the database asks too."""
    with enter(tenant):
        return holds.any_stands() or holds.is_schema_held(tenant)


def drop(tenant: Tenant, *, because: str, actor: Actor, now: datetime) -> None:
    """Drop a rehearsal, or a tenant closed seven years ago: schema, role, keys, shared rows, copies.

    The platform's record keeps where its chain ended, by which `audit_verify` knows a lawful end. Raises
    DatabaseError where the database finds that it may not go. No transaction may be open.
    """
    with enter(tenant):
        exporting.delete_files()
    with enter_public(), transaction.atomic():
        with enter(tenant):
            head = ChainHead.objects.select_for_update().get()
        event = record(
            Action.TENANT_DROPPED, subject=(TENANT, tenant.pk), actor=actor, now=now, because=because,
            schema=tenant.schema_name, count=head.seq, hash=bytes(head.hash).hex(),
        )  # fmt: skip
        with connection.cursor() as cursor:
            cursor.execute("SELECT drop_tenant(%s, %s)", [tenant.pk, event])
        Closing.objects.filter(subject_kind=TENANT, subject_id=str(tenant.pk)).delete()
        _settle_what_named_its_people(tenant.schema_name, because=because, actor=actor, now=now)


def _settle_what_named_its_people(schema: str, *, because: str, actor: Actor, now: datetime) -> None:
    """Requests lead to nobody of a dropped schema any more; children of whom nobody spoke free are erased."""
    RequestSubject.objects.filter(schema_name=schema).delete()
    reports = UnderageReport.objects.filter(schema_name=schema, erased_at__isnull=True)
    reports = reports.exclude(decision=UnderageReport.Decision.FREE)
    reports.filter(decided_at__isnull=True).update(
        decision=UnderageReport.Decision.ERASE, decided_at=now,
        decided_by=actor.label[:254], decided_because=f"Dropped with all data: {because}"[:500],
    )  # fmt: skip
    reports.update(erased_at=now)


def end_tenant(*, actor: Actor, now: datetime, before: int | None = None) -> bool:
    """Erase everybody of the tenant entered, some at a time; returns whether nobody is left.

    It asks for itself again as long as that gets on: `before` is how many erasures were under way last time.
    What stands still, as under a legal hold, is looked at again by retention twice a day.
    """
    subject = Subject(TENANT, str(current_tenant().pk))
    standing = closing.closing_of(subject)
    if standing is None or standing.done_at is not None or now < standing.final_at:
        return False
    under_way = erasing.subjects_under_way()
    begun, left = 0, bool(under_way)
    for each in _left(under_way):
        left = True
        if begun == AT_ONCE:
            break
        begun += _begin(each, actor=actor, now=now)
    if left:
        if begun or before is None or len(under_way) < before:
            number = str(len(under_way) + begun)
            with transaction.atomic():
                enqueue("privacy.end_tenant", run_at=now + ASKED_AGAIN, before=number)
        return False
    for leave in _outside:
        leave()
    with transaction.atomic():
        for forget in _at_last:
            forget()
        closing.conclude(subject, actor=actor, now=now)
    return True


@at_last
def forget_workspace() -> None:
    """The workspace's own row loses its name, its hosts lead nowhere any more."""
    tenant = current_tenant()
    with enter_public():
        HostProof.objects.filter(tenant=tenant).delete()
        Host.objects.filter(tenant=tenant).delete()
        Tenant.objects.filter(pk=tenant.pk).update(name=NAMELESS, country="", time_zone="UTC")


def _left(under_way: set[Subject]) -> Iterator[Subject]:
    for find in _everyone:
        for each in find():
            if each not in under_way and not erasing.is_erased(each):
                yield each


def _begin(subject: Subject, *, actor: Actor, now: datetime) -> int:
    """Begin to erase the subject; returns 1, or 0 where something is in the way for now."""
    try:
        erasing.begin(subject, because=Erasure.Because.CLOSED, actor=actor, now=now)
    except Refused as refused:
        log.warning("%s is not erased yet: %s", subject, refused)
        return 0
    return 1


def _take_up(now: datetime) -> None:
    """Have the erasures done that are not, twice a day each."""
    half = f"{now.date()}:{now.hour // 12}"
    ids = [str(pk) for pk in erasing.pending()]
    with transaction.atomic():
        enqueue_many([Asked("privacy.erase", {"erasure_id": pk}, key=f"erase:{pk}:{half}") for pk in ids])
