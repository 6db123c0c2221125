"""Taking a rehearsal tenant through time, day by day, with the very jobs that production runs.

The tenant's clock moves, and never back; its jobs are not published but worked off here, in the order in
which they fall due. Mails are not sent: a rehearsal writes to nobody.
"""

from collections.abc import Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from django.db import connection, transaction
from django.db.models import QuerySet

from billing.periods import local_date, local_midnight
from tenants.context import enter
from tenants.jobs import enqueue
from tenants.models import Job, Tenant
from tenants.working import put_back_unfinished, work_off

HOUR_OF_DAY = timedelta(hours=6)
ONE_DAY = timedelta(days=1)
AT_ONCE = 400
RUN = "billing.run_invoices"
MORNING = ("billing.collect_due", "billing.ask_payments", "billing.sweep_events")


class NotARehearsal(ValueError):
    """The tenant lives in real time; only one marked as a rehearsal may be taken through time."""


@dataclass(frozen=True, slots=True)
class Day:
    """A day that was lived through, and how many jobs it took."""

    day: date
    jobs: int


def live(tenant: Tenant, *, start: date | None, until: date, threads: int = 2) -> Iterator[Day]:
    """Live through each day from `start` (default: the tenant's clock) to `until`, both included.

    Interrupted at any point it may be called again: the day at hand is lived through once more, and what was
    done in it is not done twice. Days that lie behind the tenant's clock are over and left out. Two at once
    take turns, a day at a time. Raises `NotARehearsal`.
    """
    if not tenant.is_rehearsal:
        raise NotARehearsal(
            f"“{tenant.slug}” is not a rehearsal tenant. Make one: create_tenant SLUG --rehearsal"
        )
    day = start or local_date(tenant.rehearsal_now or tenant.created_at, tenant.zone)
    while day <= until:
        jobs = live_one_day(tenant, day=day, threads=threads)
        if jobs is not None:
            yield Day(day, jobs)
        day += ONE_DAY


def live_one_day(tenant: Tenant, *, day: date, threads: int = 2) -> int | None:
    """Do what the day brings, from its morning to its end; returns the number of jobs done.

    None when the tenant's clock is past the day already.
    """
    now = local_midnight(day, tenant.zone) + HOUR_OF_DAY
    with enter(tenant), alone(tenant):
        reached = Tenant.objects.values_list("rehearsal_now", flat=True).get(pk=tenant.pk)
        if reached is not None:
            now = max(now, reached)
        if local_date(now, tenant.zone) > day:
            tenant.rehearsal_now = now
            return None
        put_back_unfinished(tenant.schema_name)
        with ThreadPoolExecutor(threads) as pool:
            return sum(_moments(tenant, day, pool, threads, now=now))


@contextmanager
def alone(tenant: Tenant) -> Iterator[None]:
    """Wait for one's turn with a rehearsal, and hold it; whoever dies lets go of it."""
    key = f"rehearsal:{tenant.schema_name}"
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(hashtextextended(%s, 0))", [key])
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(hashtextextended(%s, 0))", [key])


def _moments(tenant: Tenant, day: date, pool: Executor, threads: int, *, now: datetime) -> Iterator[int]:
    """The morning's jobs, then whatever falls due before midnight: second attempts, questions to Stripe.

    The run is through before the rest begins: what is billed for today is collected today.
    """
    run = [RUN] if Tenant.objects.filter(pk=tenant.pk, next_run_at__lte=now).exists() else []
    for names in filter(None, (run, MORNING)):
        with transaction.atomic():
            _set_clock(tenant, now)
            for name in names:
                enqueue(name, key=f"rehearsal:{name}:{day}")
        yield from _drain(tenant, pool, threads, now=now)
    end = local_midnight(day + ONE_DAY, tenant.zone)
    while (following := _next_due(tenant, before=end)) is not None:
        now = max(now, following)
        _set_clock(tenant, now)
        yield from _drain(tenant, pool, threads, now=now)


def _drain(tenant: Tenant, pool: Executor, threads: int, *, now: datetime) -> Iterator[int]:
    def share_of(ids: list[UUID]) -> int:
        try:
            return work_off(ids, now=now)
        finally:
            connection.close()

    while ids := _due(tenant, now=now):
        shares = (ids[first::threads] for first in range(min(threads, len(ids))))
        yield from pool.map(share_of, shares)


def _due(tenant: Tenant, *, now: datetime) -> list[UUID]:
    waiting = _waiting(tenant)
    waiting.filter(name__contains=".mail_").update(state=Job.State.DONE, done_at=now)
    due = waiting.filter(run_at__lte=now).order_by("run_at", "id")
    return list(due.values_list("id", flat=True)[:AT_ONCE])


def _next_due(tenant: Tenant, *, before: datetime) -> datetime | None:
    ahead = _waiting(tenant).filter(run_at__lt=before).order_by("run_at")
    return ahead.values_list("run_at", flat=True).first()


def _waiting(tenant: Tenant) -> QuerySet[Job]:
    return Job.objects.filter(schema_name=tenant.schema_name, state=Job.State.WAITING)


def _set_clock(tenant: Tenant, now: datetime) -> None:
    tenant.rehearsal_now = now
    Tenant.objects.filter(pk=tenant.pk).update(rehearsal_now=now)
