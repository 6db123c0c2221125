"""Taking a rehearsal tenant through time, day by day, with the very jobs that production runs.

The tenant's clock moves; its jobs are not published but worked off here, in the order in which they fall due.
Mails are not sent: a rehearsal writes to nobody.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from django.db import connection, transaction

from billing.periods import local_date, local_midnight
from tenants.context import enter
from tenants.jobs import enqueue
from tenants.models import Job, Tenant
from tenants.working import put_back_unfinished, work_off

HOUR_OF_DAY = timedelta(hours=6)
AT_ONCE = 400
DAILY = ("billing.run_invoices", "billing.collect_due", "billing.ask_payments", "billing.sweep_events")


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
    done in it is not done twice. Raises `NotARehearsal`.
    """
    if not tenant.is_rehearsal:
        raise NotARehearsal(
            f"“{tenant.slug}” is not a rehearsal tenant. Make one: create_tenant SLUG --rehearsal"
        )
    day = start or _today_of(tenant)
    with enter(tenant):
        put_back_unfinished(tenant.schema_name)
    while day <= until:
        now = local_midnight(day, tenant.zone) + HOUR_OF_DAY
        yield Day(day, live_one_day(tenant, now=now, threads=threads))
        day += timedelta(days=1)


def live_one_day(tenant: Tenant, *, now: datetime, threads: int = 2) -> int:
    """Move the clock to `now` and do what the day brings; returns the number of jobs done."""
    day = local_date(now, tenant.zone)
    with enter(tenant):
        with transaction.atomic():
            _set_clock(tenant, now)
            for name in DAILY:
                enqueue(name, key=f"rehearsal:{name}:{day}")
        return sum(_drain(tenant, now=now, threads=threads))


def _drain(tenant: Tenant, *, now: datetime, threads: int) -> Iterator[int]:
    def share_of(ids: list[UUID]) -> int:
        try:
            return work_off(ids, now=now)
        finally:
            connection.close()

    with ThreadPoolExecutor(threads) as pool:
        while ids := _waiting(tenant, now=now):
            yield from pool.map(share_of, [ids[i::threads] for i in range(threads)])


def _waiting(tenant: Tenant, *, now: datetime) -> list[UUID]:
    mails = Job.objects.filter(
        schema_name=tenant.schema_name, state=Job.State.WAITING, name__contains=".mail_"
    )
    mails.update(state=Job.State.DONE, done_at=now)
    due = Job.objects.filter(schema_name=tenant.schema_name, state=Job.State.WAITING, run_at__lte=now)
    return list(due.order_by("run_at", "id").values_list("id", flat=True)[:AT_ONCE])


def _set_clock(tenant: Tenant, now: datetime) -> None:
    tenant.rehearsal_now = now
    Tenant.objects.filter(pk=tenant.pk).update(rehearsal_now=now)


def _today_of(tenant: Tenant) -> date:
    return local_date(tenant.rehearsal_now or tenant.created_at, tenant.zone)
