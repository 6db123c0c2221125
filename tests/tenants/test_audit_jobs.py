"""The plan of the record: a checkpoint every ten minutes, a purge of each schema a day, and their jobs."""

from datetime import timedelta
from typing import Any

from audit.models import Checkpoint
from tenants import audit_jobs, checkpointing
from tenants.context import enter, enter_public
from tenants.models import Job
from tests.conftest import NOW


def asked(name: str, key: str) -> int:
    return Job.objects.filter(name=name, key__startswith=key).count()


def test_checkpoints_are_at_most_ten_minutes_apart_and_purges_once_a_day(two_tenants: Any) -> None:
    day = NOW.replace(year=2031, hour=0, minute=0)
    with enter_public():
        for seconds in range(0, 3600, 10):
            audit_jobs.plan_checkpoint(day + timedelta(seconds=seconds))
        assert asked("tenants.take_checkpoint", f"checkpoint:{day:%Y-%m-%d}") == 6
        for _ in range(2):
            audit_jobs.plan_purges(day)
        here = Job.objects.filter(name="tenants.purge_audit", key=f"tenants.purge_audit:{day.date()}")
        schemas = list(here.values_list("schema_name", flat=True))
        assert {"public", *(each.schema_name for each in two_tenants)} <= set(schemas)
        assert len(schemas) == len(set(schemas))


def test_the_jobs_take_store_and_purge(two_tenants: Any, monkeypatch: Any) -> None:
    stored: list[str] = []

    class Store:
        def put(self, key: str, body: bytes, *, keep_until: Any) -> None:
            stored.append(key)

    monkeypatch.setattr(checkpointing, "outside_store", Store)
    with enter_public():
        before = Checkpoint.objects.count()
        audit_jobs.take_checkpoint()
        audit_jobs.store_checkpoints()
        assert Checkpoint.objects.count() == before + 1
        assert not Checkpoint.objects.filter(stored_at__isnull=True).exists()
    assert stored[-1].endswith(f"{before + 1:012d}.json")
    with enter(two_tenants[0]):
        audit_jobs.purge_audit()
