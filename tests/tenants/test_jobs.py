"""Jobs are rows: written with the change, published after it, done once, tried again, given up loudly."""

# ruff: noqa: PT012 - what must be undone is undone by raising

import logging
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any, cast
from uuid import UUID, uuid4

import pytest
from celery import current_app
from django.conf import settings
from django.db import connection, transaction

from audit.actors import Actor
from audit.models import AuditEvent
from billing.models import NumberSeries
from tenants import clock, jobs, working
from tenants.context import enter, enter_public
from tenants.errors import JobUnknown, NoTenant, ParkNow
from tenants.ids import new_id
from tenants.jobs import Asked, enqueue, enqueue_many, job, job_names, planner
from tenants.models import Job, Tenant
from tenants.requeueing import retry_parked
from tenants.working import BACKOFF, LeaseLost, claim_job, put_back, sweep, tick, watch, work_off
from tests.tenants.looking import place, where

LEASE = timedelta(seconds=settings.JOB_LEASE_SECONDS)


class Broken(Exception):
    """What a failing handler raises."""


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[list[UUID]]:
    """What is published, a list a message; nothing goes to the broker."""
    found: list[list[UUID]] = []

    def send(task: str, args: list[list[str]], **options: Any) -> None:
        assert task == jobs.TASK
        found.append([UUID(each) for each in args[0]])

    monkeypatch.setattr(current_app._get_current_object(), "send_task", send)
    return found


@pytest.fixture(autouse=True)
def registry(monkeypatch: pytest.MonkeyPatch) -> None:
    """A registry of the test's own; the tick plans nothing else."""
    monkeypatch.setattr(jobs, "_handlers", {})
    monkeypatch.setattr(jobs, "_planners", [])


@pytest.fixture
def counted() -> None:
    """A job that counts how often it was done, in the tenant that it was done in."""

    @job("tests.count")
    def count(*, key: str, then: str = "") -> None:
        series, _ = NumberSeries.objects.get_or_create(key=key)
        series.last += 1
        series.save()
        if then:
            raise Broken(then)


def published(sent: list[list[UUID]]) -> set[UUID]:
    return {each for ids in sent for each in ids}


def times(key: str) -> int:
    found = NumberSeries.objects.filter(key=key).values_list("last", flat=True).first()
    return found or 0


def the_job(key: str | None = None, **more: Any) -> Job:
    """The one job of the tenant entered."""
    found = {"args__key": key} | more if key else more
    return Job.objects.get(**found)


@pytest.fixture
def fresh(fresh_tenant: Any, sent: list[list[UUID]], counted: None) -> Iterator[Any]:
    """A tenant of its own, committed and entered, with a counting job."""
    yield fresh_tenant
    with enter_public():
        Job.objects.filter(schema_name=fresh_tenant.schema_name).delete()


def test_a_job_is_published_after_the_commit_only(fresh: Any, sent: list[list[UUID]], now: datetime) -> None:
    with transaction.atomic():
        enqueue("tests.count", key="a")
        assert sent == []
        written = Job.objects.get()
    assert sent == [[written.pk]]
    assert (written.schema_name, written.state, written.attempts) == (fresh.schema_name, "waiting", 0)


def test_what_rolls_back_leaves_no_job(fresh: Any, sent: list[list[UUID]]) -> None:
    with pytest.raises(Broken), transaction.atomic():
        enqueue("tests.count", key="a")
        raise Broken
    assert sent == []
    assert not Job.objects.exists()


def test_a_savepoint_that_rolls_back_takes_its_job_along(fresh: Any, sent: list[list[UUID]]) -> None:
    with transaction.atomic():
        enqueue("tests.count", key="kept")
        with pytest.raises(Broken), transaction.atomic():
            enqueue("tests.count", key="lost")
            raise Broken
    assert [each.key for each in Job.objects.all()] == ["kept"]
    assert sum(map(len, sent)) == 1


def test_the_same_key_asks_once_a_tenant(fresh: Any, sent: list[list[UUID]]) -> None:
    for _ in range(2):
        with transaction.atomic():
            jobs.enqueue_many(
                [Asked("tests.count", {"key": "a"}, key="once"), Asked("tests.count", {"key": "b"})]
            )
    assert Job.objects.filter(key="once").count() == 1
    assert Job.objects.filter(key=None).count() == 2
    assert [len(ids) for ids in sent] == [2, 1]


def test_two_tenants_may_use_the_same_key(two_tenants: Any, sent: Any, counted: None) -> None:
    for tenant in two_tenants:
        with enter(tenant):
            enqueue("tests.count", key="same")
    with enter_public():
        assert Job.objects.filter(key="same").count() == 2


def test_many_jobs_leave_in_messages_of_twenty(fresh: Any, sent: list[list[UUID]]) -> None:
    enqueue_many([Asked("tests.count", {"key": str(n)}) for n in range(45)])
    assert [len(ids) for ids in sent] == [20, 20, 5]
    enqueue_many([])
    assert len(sent) == 3


def test_a_job_for_later_waits_for_its_time(fresh: Any, sent: list[list[UUID]]) -> None:
    now = clock.now()
    enqueue("tests.count", run_at=now + timedelta(hours=1), key="a")
    enqueue_many([Asked("tests.count", {"key": "late"}, run_at=now + timedelta(hours=1))])
    assert sent == []
    ids = [each.pk for each in Job.objects.all()]
    assert work_off(ids, now=now) == 0
    assert work_off(ids, now=now + timedelta(hours=2)) == 1  # the other one lacks its argument
    assert times("late") == 1


def test_a_job_that_nobody_handles_is_refused_when_asked_for(fresh: Any) -> None:
    with pytest.raises(JobUnknown, match=r"tests\.unheard"):
        enqueue("tests.unheard")


def test_a_name_is_registered_once(counted: None) -> None:
    with pytest.raises(ValueError, match="Two handlers"):
        job("tests.count")(lambda: None)
    assert job_names() == ["tests.count"]


def test_only_the_platform_asks_for_others(fresh: Any, sent: list[list[UUID]]) -> None:
    with pytest.raises(ValueError, match="Only the platform"):
        enqueue("tests.count", schema="t_alpha")
    with enter_public():
        enqueue("tests.count", schema=fresh.schema_name)
    assert Job.objects.get().schema_name == fresh.schema_name


def test_a_job_runs_in_the_tenant_of_its_row_and_is_done_with_it(fresh: Any) -> None:
    seen: list[Any] = []

    @job("tests.look")
    def look() -> None:
        assert connection.in_atomic_block
        seen.append(where())

    enqueue("tests.look")
    row = the_job(schema_name=fresh.schema_name)
    with enter_public():
        assert work_off([row.pk], now=clock.now()) == 1
    assert seen == [place(fresh)]
    row = the_job(pk=row.pk)
    assert (row.state, row.attempts, row.leased_until, row.last_error) == ("done", 1, None, "")
    assert row.done_at is not None
    assert work_off([row.pk], now=clock.now()) == 0


def test_a_job_of_the_platform_runs_in_the_shared_schema(committed: None, sent: Any) -> None:
    seen: list[Any] = []
    job("tests.look")(lambda: seen.append(where()))
    with enter_public():
        enqueue("tests.look")
        row = Job.objects.get(name="tests.look", state="waiting")
    assert work_off([row.pk], now=clock.now()) == 1
    assert seen == [("proe_public", "public")]
    with enter_public():
        row.delete()


def test_the_work_and_done_are_one_transaction(fresh: Any) -> None:
    enqueue_many([Asked("tests.count", {"key": "a", "then": "no"})])
    row = the_job("a")
    assert work_off([row.pk], now=clock.now()) == 0
    assert times("a") == 0
    row = the_job("a")
    assert (row.state, row.attempts) == ("waiting", 1)
    assert "Broken: no" in row.last_error


def test_an_outside_job_holds_no_transaction(fresh: Any) -> None:
    seen: list[bool] = []

    @job("tests.outside", outside=True)
    def outside_one() -> None:
        seen.append(connection.in_atomic_block)
        NumberSeries.objects.create(key="kept", last=1)
        if len(seen) == 1:
            raise Broken

    enqueue("tests.outside")
    row = the_job(schema_name=fresh.schema_name)
    now = clock.now()
    assert work_off([row.pk], now=now) == 0
    assert times("kept") == 1  # what it wrote before it failed stays
    NumberSeries.objects.all().delete()
    assert work_off([row.pk], now=now + timedelta(minutes=1)) == 1
    assert seen == [False, False]
    assert the_job(pk=row.pk).state == "done"


def test_a_failing_job_is_tried_later_and_later_and_then_parked(
    fresh: Any, caplog: pytest.LogCaptureFixture
) -> None:
    enqueue_many([Asked("tests.count", {"key": "a", "then": "never"})])
    row = the_job("a")
    now = clock.now()
    for attempt, wait in enumerate(BACKOFF, start=1):
        assert work_off([row.pk], now=now) == 0
        row = the_job("a")
        assert (row.state, row.attempts, row.published_at) == ("waiting", attempt, None)
        assert row.run_at - now == timedelta(seconds=wait)
        assert work_off([row.pk], now=now + timedelta(seconds=wait - 1)) == 0
        assert the_job("a").attempts == attempt
        now = row.run_at
    with caplog.at_level(logging.ERROR):
        assert work_off([row.pk], now=now) == 0
    row = the_job("a")
    assert (row.state, row.attempts, row.leased_until) == ("parked", len(BACKOFF) + 1, None)
    assert f"is parked after {len(BACKOFF) + 1} attempts" in caplog.text
    assert work_off([row.pk], now=now + timedelta(days=9)) == 0
    assert timedelta(days=1) < timedelta(seconds=sum(BACKOFF)) < timedelta(days=3)


def test_a_job_that_no_attempt_can_mend_is_parked_at_once(fresh: Any, sent: list[list[UUID]]) -> None:
    @job("tests.hopeless", outside=True)
    def hopeless() -> None:
        raise ParkNow("nothing adds up")

    enqueue("tests.hopeless")
    work_off([the_job().pk], now=clock.now())
    parked = the_job()
    assert (parked.state, parked.attempts) == ("parked", 1)
    assert "nothing adds up" in parked.last_error


def test_a_parked_job_goes_again_on_a_persons_word(fresh: Any, actor: Actor, sent: list[list[UUID]]) -> None:
    enqueue_many([Asked("tests.count", {"key": "a"})])
    row = the_job("a")
    with enter_public():
        Job.objects.filter(pk=row.pk).update(state="parked", attempts=12)
        parked = Job.objects.get(pk=row.pk)
        assert retry_parked(parked, actor=actor, now=clock.now())
        assert not retry_parked(parked, actor=actor, now=clock.now())
        event = AuditEvent.objects.order_by("-seq").first()
        assert event is not None
        assert (event.action, event.subject_id) == ("job.retried", str(row.pk))
    assert sent[-1] == [row.pk]
    assert work_off([row.pk], now=clock.now()) == 1
    assert times("a") == 1


def test_an_error_text_with_a_nul_is_kept(fresh: Any) -> None:
    enqueue_many([Asked("tests.count", {"key": "a", "then": "x"})])
    claim = claim_job(the_job("a").pk, now=clock.now())
    assert claim is not None
    put_back(claim, error=Broken("a\0b" + "c" * 9000), now=clock.now())
    kept = the_job("a").last_error
    assert len(kept) <= 4000
    assert kept.rstrip().endswith("cc")


def test_whoever_comes_second_does_not_get_the_job(fresh: Any) -> None:
    enqueue_many([Asked("tests.count", {"key": "a"})])
    row, now = the_job("a"), clock.now()
    first = claim_job(row.pk, now=now)
    assert first is not None
    assert (first.schema_name, first.name, first.args) == (fresh.schema_name, "tests.count", {"key": "a"})
    assert claim_job(row.pk, now=now) is None
    assert the_job("a").leased_until == now + LEASE
    assert claim_job(uuid4(), now=now) is None


def test_what_ran_longer_than_its_lease_is_fenced_off(fresh: Any) -> None:
    """Somebody else has the job by then: the late one's work is rolled back, the other's stands."""
    late: list[bool] = []

    @job("tests.slow")
    def slow() -> None:
        NumberSeries.objects.create(key=f"slow-{uuid4().hex}", last=1)
        if not late:
            late.append(True)
            in_other_connection(lambda: watch(now=now + LEASE * 2))
            in_other_connection(lambda: work_off([row.pk], now=now + LEASE * 3))

    enqueue("tests.slow")
    row, now = the_job(), clock.now()
    assert work_off([row.pk], now=now) == 0
    assert NumberSeries.objects.filter(key__startswith="slow-").count() == 1
    row = the_job(pk=row.pk)
    assert (row.state, row.attempts) == ("done", 2)


def in_other_connection(work: Callable[[], Any]) -> Any:
    from tests.tenants.test_failing_closed import in_thread

    found = in_thread(work)
    if isinstance(found, Exception):
        raise found
    return found


def test_a_lost_lease_cannot_put_the_job_back(fresh: Any) -> None:
    enqueue_many([Asked("tests.count", {"key": "a"})])
    row, now = the_job("a"), clock.now()
    first = claim_job(row.pk, now=now)
    assert first is not None
    watch(now=now + LEASE * 2)
    second = claim_job(row.pk, now=now + LEASE * 3)
    assert second is not None
    assert second.attempt == first.attempt + 1
    put_back(first, error=Broken(), now=now)
    assert the_job("a").state == "running"
    with enter(fresh), pytest.raises(LeaseLost):
        working._mark_done(first, now=now)
    working._mark_done(second, now=now)
    assert the_job("a").state == "done"


def test_the_watchdog_frees_what_a_dead_worker_held_and_only_that(fresh: Any) -> None:
    enqueue_many([Asked("tests.count", {"key": key}) for key in ("dead", "alive")])
    now = clock.now()
    assert claim_job(the_job("dead").pk, now=now - LEASE * 2) is None  # not due then
    claim_job(the_job("dead").pk, now=now)
    claim_job(the_job("alive").pk, now=now + LEASE)
    watch(now=now + LEASE)
    assert the_job("dead").state == "running"
    assert watch(now=now + LEASE + timedelta(seconds=1)) >= 1
    dead = the_job("dead")
    assert (dead.state, dead.leased_until) == ("waiting", None)
    assert "did not come back" in dead.last_error
    assert the_job("alive").state == "running"


def test_a_job_that_kills_its_worker_again_and_again_is_parked(fresh: Any) -> None:
    enqueue_many([Asked("tests.count", {"key": "a"})])
    now = clock.now()
    for _ in range(len(BACKOFF) + 1):
        assert claim_job(the_job("a").pk, now=now) is not None
        now += LEASE + timedelta(seconds=1)
        watch(now=now)
        now += timedelta(days=1)
    assert the_job("a").state == "parked"


def test_the_sweep_publishes_what_got_lost_once(fresh: Any, sent: list[list[UUID]]) -> None:
    enqueue_many([Asked("tests.count", {"key": str(n)}) for n in range(3)])
    enqueue_many([Asked("tests.count", {"key": "later"}, run_at=clock.now() + timedelta(days=1))])
    ids = {each.pk for each in Job.objects.exclude(args__key="later")}
    sent.clear()
    now = clock.now()
    sweep(now=now)
    assert ids.isdisjoint(published(sent))  # they have only just been published
    later = now + timedelta(seconds=settings.JOB_REPUBLISH_SECONDS + 1)
    assert sweep(now=later) >= 3
    assert ids <= published(sent)
    sent.clear()
    sweep(now=later)
    assert ids.isdisjoint(published(sent))


def test_a_rehearsal_keeps_its_jobs_to_itself(committed: None, sent: list[list[UUID]], counted: None) -> None:
    from tests.twins import make

    tenant = make(f"r{uuid4().hex[:10]}", name="Rehearsal", is_rehearsal=True)
    with enter(tenant):
        enqueue_many([Asked("tests.count", {"key": "a"})])
        mine = Job.objects.get(name="tests.count").pk
    assert mine not in published(sent)
    sweep(now=clock.now() + timedelta(days=1))
    assert mine not in published(sent)


def test_two_ticks_at_once_do_nothing_twice(committed: None, sent: list[list[UUID]]) -> None:
    planned: list[datetime] = []
    now = clock.now()

    @planner
    def plan(at: datetime) -> None:
        assert where() == ("proe_public", "public")
        planned.append(at)
        assert in_other_connection(lambda: tick(now=at)) is False

    assert tick(now=now) is True
    assert planned == [now]
    assert [ids for ids in sent if sent.count(ids) > 1] == []


def test_a_planner_that_fails_holds_up_neither_the_others_nor_the_sweep(
    fresh: Any, sent: list[list[UUID]], caplog: pytest.LogCaptureFixture
) -> None:
    planned: list[str] = []

    @planner
    def broken(at: datetime) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1 / 0")

    @planner
    def well(at: datetime) -> None:
        planned.append("well")

    enqueue_many([Asked("tests.count", {"key": "a"})])
    sent.clear()
    assert tick(now=clock.now() + timedelta(seconds=settings.JOB_REPUBLISH_SECONDS + 1)) is True
    assert planned == ["well"]
    assert the_job("a").pk in published(sent)
    assert "broken failed" in caplog.text


def test_what_a_planner_asks_for_is_written_with_it(fresh: Any, sent: list[list[UUID]]) -> None:
    @planner
    def plan(at: datetime) -> None:
        enqueue_many(
            [Asked("tests.count", {"key": "planned"}, key=f"plan-{at.date()}")], schema=fresh.schema_name
        )

    now = clock.now()
    assert tick(now=now) is True
    assert tick(now=now) is True
    assert Job.objects.count() == 1
    assert the_job("planned").pk in published(sent)


def test_the_celery_tasks_do_it(fresh: Any, sent: list[list[UUID]]) -> None:
    enqueue_many([Asked("tests.count", {"key": "a"})])
    current_app.tasks["tenants.run_jobs"].apply(args=[[str(sent[0][0])]], throw=True)
    assert times("a") == 1
    current_app.tasks["tenants.tick"].apply(throw=True)


@pytest.mark.parametrize(
    "message",
    [
        [["not-a-uuid"]], [[""]], [[None]], [[{"a": 1}]], [[["nested"]]], ["text"], [None], [42], [{}], [[]],
        [[str(uuid4())]], [["' OR 1=1"]], [[str(uuid4())] * 1000],
    ],
)  # fmt: skip
def test_a_forged_message_does_nothing(fresh: Any, message: list[Any]) -> None:
    before = list(Job.objects.values_list("state", "attempts"))
    current_app.tasks["tenants.run_jobs"].apply(args=message, throw=True)
    assert list(Job.objects.values_list("state", "attempts")) == before


def test_a_forged_id_among_good_ones_does_not_stop_them(fresh: Any, sent: list[list[UUID]]) -> None:
    enqueue_many([Asked("tests.count", {"key": "a"})])
    ids = ["rubbish", str(new_id()), str(sent[0][0])]
    current_app.tasks["tenants.run_jobs"].apply(args=[ids], throw=True)
    assert times("a") == 1


def test_a_message_cannot_name_tenant_job_or_arguments(fresh: Any, sent: list[list[UUID]]) -> None:
    """The row tells all; a message that says more is refused by the task's own form."""
    enqueue_many([Asked("tests.count", {"key": "a"})])
    task = cast(Any, current_app.tasks["tenants.run_jobs"])
    with pytest.raises(TypeError):
        task.apply(args=[[str(sent[0][0])]], kwargs={"schema_name": "t_beta", "name": "other"}, throw=True)
    assert times("a") == 0


def test_a_job_of_a_tenant_that_is_gone_is_kept_with_its_reason(committed: None, counted: None) -> None:
    with enter_public():
        row = Job.objects.create(schema_name="t_gone", name="tests.count", args={"key": "a"})
    assert work_off([row.pk], now=clock.now()) == 0
    with enter_public():
        row.refresh_from_db()
        assert "DoesNotExist" in row.last_error
        assert row.state == "waiting"
        row.delete()
        assert not Tenant.objects.filter(schema_name="t_gone").exists()


def test_after_the_work_nobody_is_inside(fresh: Any) -> None:
    from tenants.context import outside

    enqueue_many([Asked("tests.count", {"key": "a"})])
    row = the_job("a")
    with outside():
        assert work_off([row.pk], now=clock.now()) == 1
        with pytest.raises(NoTenant):
            where()
