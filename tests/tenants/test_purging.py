"""Done jobs are forgotten after two weeks, in batches, and no planner asks again for what was done."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any
from uuid import UUID

import pytest
from celery import current_app
from django.db import connection, transaction

from billing.jobs import invoicing, payments
from billing.running import run_invoices
from privacy.inventory import Retention
from privacy.jobs.retention import plan_retention
from privacy.retention import over_before
from tenants import purging
from tenants.context import enter, enter_public
from tenants.ids import first_id_at, new_id
from tenants.models import Job, Tenant
from tests.billing.invoicing import making
from tests.twins import make

DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def sent(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing goes to the broker."""
    monkeypatch.setattr(current_app._get_current_object(), "send_task", lambda *args, **options: None)


@pytest.fixture
def now() -> datetime:
    return datetime.now(UTC) + timedelta(seconds=1)


@pytest.fixture
def fresh(fresh_tenant: Any) -> Iterator[Any]:
    yield fresh_tenant
    with enter_public():
        Job.objects.filter(schema_name=fresh_tenant.schema_name).delete()


def forget(now: datetime) -> int:
    """What the nightly run does with them."""
    return purging.purge_done_jobs(before=over_before(Retention.JOB, now))


def rows(of: Any, *states: str, done_at: datetime | None = None, key: str | None = None) -> list[UUID]:
    """Jobs of the tenant in these states."""
    with enter_public():
        lease = {"running": done_at or datetime.now(UTC)}
        made = [
            Job(
                schema_name=of.schema_name, name="tests.any", state=state, done_at=done_at, key=key,
                leased_until=lease.get(state),
            )
            for state in states
        ]  # fmt: skip
        return [job.pk for job in Job.objects.bulk_create(made)]


def left(ids: list[UUID]) -> list[UUID]:
    with enter_public():
        return list(Job.objects.filter(pk__in=ids).order_by("pk").values_list("pk", flat=True))


def test_ids_are_cut_by_time() -> None:
    before = new_id()
    cut = first_id_at(datetime.now(UTC) + timedelta(milliseconds=5))
    assert before < cut < first_id_at(datetime.now(UTC) + timedelta(milliseconds=50))


def test_only_what_was_done_two_weeks_ago_goes_in_batches(
    fresh: Any, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(purging, "BATCH", 2)
    later = now + 15 * DAY
    old = rows(fresh, *["done"] * 5, done_at=now)
    kept = rows(fresh, "waiting", "running", "parked", done_at=now)
    kept += rows(fresh, "done", done_at=over_before(Retention.JOB, later) + timedelta(minutes=1))
    assert forget(now + 13 * DAY) == 0
    gone = 0
    while purged := forget(later):  # others' old ones too, some at a time
        gone += purged
    assert gone >= 5
    assert (left(old), left(kept)) == ([], kept)
    assert forget(later) == 0


def test_the_most_that_one_purge_takes_is_bounded(
    fresh: Any, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(purging, "BATCH", 2)
    monkeypatch.setattr(purging, "BATCHES", 2)
    rows(fresh, *["done"] * 5, done_at=now)
    assert forget(now + 15 * DAY) == 4


def test_a_rehearsals_jobs_stay(fresh: Any, now: datetime) -> None:
    """Its days lie in the past; interrupted, it must not begin one again."""
    trial = make(f"r{now:%H%M%S%f}", name="Trial", is_rehearsal=True)
    kept = rows(trial, "done", done_at=now - 300 * DAY)
    gone = rows(fresh, "done", done_at=now - 300 * DAY)
    forget(now + 15 * DAY)
    assert (left(kept), left(gone)) == (kept, [])
    with enter_public():
        Job.objects.filter(pk__in=kept).delete()


def test_a_row_that_somebody_holds_is_left_for_tomorrow(fresh: Any, now: datetime) -> None:
    held, free = rows(fresh, "done", "done", done_at=now)

    def purge() -> int:
        try:
            with enter_public(), connection.cursor() as cursor:
                cursor.execute("SET lock_timeout = '3s'")
                try:
                    return forget(now + 15 * DAY)
                finally:
                    cursor.execute("RESET lock_timeout")
        finally:
            connection.close()

    with enter_public(), transaction.atomic(), ThreadPoolExecutor(1) as pool:
        Job.objects.select_for_update().get(pk=held)
        assert pool.submit(purge).result(20) >= 1
    assert left([held, free]) == [held]


def test_a_parked_jobs_error_is_forgotten_and_the_job_stays(fresh: Any, now: datetime) -> None:
    parked, waiting = rows(fresh, "parked", "waiting")
    with enter_public():
        Job.objects.filter(pk__in=[parked, waiting]).update(last_error="no such address", run_at=now)

    def texts() -> dict[str, str]:
        with enter_public():
            mine = Job.objects.filter(pk__in=[parked, waiting])
            return dict(mine.values_list("state", "last_error"))

    purging.forget_errors(before=now)
    assert texts() == {"parked": "no such address", "waiting": "no such address"}
    later = now + timedelta(seconds=1)
    assert purging.forget_errors(before=later, dry_run=True) >= 1
    purging.forget_errors(before=later)
    assert texts() == {"parked": purging.FORGOTTEN, "waiting": "no such address"}
    assert purging.forget_errors(before=later, dry_run=True) == 0


def test_the_tick_asks_for_retention_in_every_schema_twice_a_day(committed: None, now: datetime) -> None:
    trial = make(f"r{now:%H%M%S%f}", name="Trial", is_rehearsal=True)
    day = (now + 400 * DAY).replace(hour=9)  # of which no other test asks
    with enter_public():
        for at in (day, day + timedelta(minutes=1), day + DAY / 2, day + DAY):
            plan_retention(at)
        asked = Job.objects.filter(name="privacy.retention", run_at__gte=day - DAY, run_at__lt=day + 9 * DAY)
        times: dict[str, list[datetime]] = {}
        for job in asked.exclude(schema_name="t_crowd").order_by("run_at"):
            times.setdefault(job.schema_name, []).append(job.run_at)
        assert set(times) >= {"public", "t_alpha", "t_beta"}
        assert trial.schema_name not in times
        for each in times.values():
            assert [b - a for a, b in pairwise(each)] == [DAY / 2] * 2, "never longer between two runs"
        asked.delete()


def plan_all(now: datetime) -> None:
    with enter_public():
        payments._planned.clear()
        for plan in (invoicing.plan_runs, invoicing.plan_ledger_checks, payments.plan_days, plan_retention):
            plan(now)


def keys(schema: str) -> set[str | None]:
    with enter_public():
        return set(Job.objects.filter(schema_name=schema).values_list("key", flat=True))


def test_no_planner_asks_again_for_what_was_done_and_purged(fresh: Any, actor: Any, now: datetime) -> None:
    """Each day for three weeks: all is planned, done, planned again, purged, planned again."""
    making.subscription(due=now.date())
    with enter_public():
        Tenant.objects.filter(pk=fresh.pk).update(next_run_at=now, created_at=now - DAY)
    ever: set[str | None] = set()
    for day in range(21):
        at = now + day * DAY
        plan_all(at)
        fresh_keys = keys(fresh.schema_name) - ever
        assert len(fresh_keys) >= 5, "a day brings its own keys"
        with enter(fresh):
            run_invoices(actor=actor, now=at)
        with enter_public():
            open_ones = Job.objects.filter(schema_name=fresh.schema_name).exclude(state="done")
            open_ones.update(state="done", done_at=at)
        before = keys(fresh.schema_name)
        ever |= before
        forget(at)
        after = keys(fresh.schema_name)
        plan_all(at + timedelta(minutes=1))
        assert keys(fresh.schema_name) == after, "a key that is free again was asked with"
    assert len(ever) > len(keys(fresh.schema_name)) > 0
