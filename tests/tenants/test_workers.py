"""Real Celery workers at a real broker: emptied, down, killed in mid-run; nothing is lost or done twice."""

import os
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.db import transaction

from billing.models import NumberSeries
from tenants.context import enter, enter_public
from tenants.jobs import Asked, enqueue_many
from tenants.models import Job
from tests.tenants import counting  # noqa: F401 - registers the jobs here too
from tests.tenants.workers import Broker, broker, celery, wait_until
from tests.twins import make

pytestmark = [
    pytest.mark.timeout(180),
    pytest.mark.usefixtures("committed"),
    pytest.mark.xdist_group("workers"),
]


@pytest.fixture
def own_broker(tmp_path: Path) -> Iterator[Broker]:
    with broker(tmp_path) as found:
        yield found


@pytest.fixture
def tenants(committed: None) -> list[Any]:
    return [make(f"w{n}{os.urandom(4).hex()}", name=f"Worker {n}") for n in range(2)]


def ask(tenants: list[Any], count: int, *, name: str = "tests.counted", seconds: float = 0.02) -> None:
    for tenant in tenants:
        with enter(tenant), transaction.atomic():
            enqueue_many([Asked(name, {"number": n, "seconds": seconds}) for n in range(count)])


def states(tenants: list[Any]) -> Counter[str]:
    with enter_public():
        schemas = [tenant.schema_name for tenant in tenants]
        mine = Job.objects.filter(schema_name__in=schemas, name__startswith="tests.")
        return Counter(mine.values_list("state", flat=True))


def counts(tenant: Any) -> list[int]:
    with enter(tenant):
        found = NumberSeries.objects.filter(key__startswith="job-").order_by("key")
        return list(found.values_list("last", flat=True))


def all_done(tenants: list[Any], total: int) -> None:
    wait_until(
        lambda: states(tenants)["done"] == total, seconds=90, what=lambda: f"all done: {states(tenants)}"
    )


def some_done(tenants: list[Any], at_least: int) -> None:
    wait_until(
        lambda: states(tenants)["done"] >= at_least, seconds=60, what=lambda: f"some done: {states(tenants)}"
    )


def test_emptying_the_broker_in_mid_run_loses_nothing(
    own_broker: Broker, tenants: list[Any], tmp_path: Path
) -> None:
    with celery(own_broker, tmp_path) as start:
        start()
        ask(tenants, 100)
        some_done(tenants, 10)
        assert own_broker.client().flushall()
        left = 200 - states(tenants)["done"]
        assert left > 0
        all_done(tenants, 200)
    for tenant in tenants:
        assert counts(tenant) == [1] * 100


def test_killing_the_worker_in_mid_run_loses_nothing_and_does_nothing_twice(
    own_broker: Broker, tenants: list[Any], tmp_path: Path
) -> None:
    with celery(own_broker, tmp_path, JOB_LEASE_SECONDS="2") as start:
        ask(tenants, 60)
        for done in (10, 40):
            worker = start()
            some_done(tenants, done)
            worker.kill()
        assert states(tenants)["done"] < 120
        start()
        all_done(tenants, 120)
    for tenant in tenants:
        assert counts(tenant) == [1] * 60


def test_work_outside_is_done_at_least_once_whatever_is_killed(
    own_broker: Broker, tenants: list[Any], tmp_path: Path
) -> None:
    with celery(own_broker, tmp_path, JOB_LEASE_SECONDS="2") as start:
        ask(tenants[:1], 30, name="tests.outside", seconds=0.05)
        worker = start()
        some_done(tenants, 5)
        worker.kill()
        start()
        all_done(tenants, 30)
    found = counts(tenants[0])
    assert len(found) == 30
    assert sum(found) - 30 <= 2  # at most what the two processes were at


def test_a_broker_that_is_down_fails_no_request_and_delays_only(
    own_broker: Broker, tenants: list[Any], tmp_path: Path
) -> None:
    own_broker.stop()
    began = time.perf_counter()
    ask(tenants, 5)
    assert time.perf_counter() - began < 2
    assert states(tenants) == {"waiting": 10}
    own_broker.start()
    with celery(own_broker, tmp_path) as start:
        start()
        all_done(tenants, 10)
    for tenant in tenants:
        assert counts(tenant) == [1] * 5


class Bomb:
    """Makes a file when it is unpickled."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.file,)


def forged(schema: str) -> list[tuple[list[Any], dict[str, Any]]]:
    """What somebody with the broker's password may write."""
    job = {"schema_name": schema, "name": "tests.counted", "args": {"number": 1}}
    return [
        ([["rubbish"]], {}),
        ([None], {}),
        ([], {}),
        ([["rubbish"]], job),
        ([job], {}),
        ([[1, None, {"id": 1}, ["nested"]]], {}),
        ([[str(uuid4())]], {}),
        ([["'; DROP SCHEMA public CASCADE; --", "' OR true --"]], {}),
        ([["x" * 2_000_000]], {}),
        ([[str(uuid4())] * 5_000], {}),
    ]


def test_forged_messages_on_the_real_broker_harm_nothing(
    own_broker: Broker, tenants: list[Any], tmp_path: Path
) -> None:
    from celery import current_app

    with celery(own_broker, tmp_path) as start:
        worker = start()
        alpha = tenants[0].schema_name
        for args, kwargs in forged(alpha):
            current_app.send_task(
                "tenants.run_jobs", args=args, kwargs=kwargs, headers={"_schema_name": alpha}
            )
        # kombu unpickles nothing that the configuration does not name.
        current_app.send_task("tenants.run_jobs", args=[Bomb(tmp_path / "ran")], serializer="pickle")
        current_app.send_task("os.system", args=["true"])
        current_app.send_task("tests.counted", kwargs={"number": 9})
        ask(tenants, 3)
        all_done(tenants, 6)
        assert worker.process.poll() is None
        assert not (tmp_path / "ran").exists()
        log = worker.log.read_text()
        assert "which is no job id" in log
        # What is no message at all makes kombu give up the worker; the next one goes on without a loss.
        own_broker.client().lpush("jobs", b"not json at all")
        wait_until(lambda: worker.process.poll() is not None, seconds=20, what=lambda: "the worker gives up")
        for tenant in tenants:
            with enter(tenant), transaction.atomic():
                enqueue_many([Asked("tests.counted", {"number": 3})])
        start()
        all_done(tenants, 8)
    for tenant in tenants:
        assert counts(tenant) == [1] * 4
