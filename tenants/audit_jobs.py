"""Jobs of the audit record: checkpoints every ten minutes, copies outside, old events every night."""

from datetime import datetime, timedelta

from django.db.models import Exists, OuterRef

from audit.actors import Actor
from tenants import checkpointing, clock
from tenants.audit_purging import purge
from tenants.jobs import Asked, enqueue, enqueue_many, job, planner
from tenants.models import Job, Tenant

EVERY_MINUTES = 10  # the promise is 15: a worker may be late
SPREAD_SECONDS = 10_800


@job("tenants.take_checkpoint", outside=True)
def take_checkpoint() -> None:
    """Sign the heads of all chains."""
    checkpointing.take(now=clock.of_database())


@job("tenants.store_checkpoints", outside=True)
def store_checkpoints() -> None:
    """Put the checkpoints that wait into the store outside; tried again while it is away."""
    checkpointing.store_waiting(now=clock.of_database())


@job("tenants.purge_audit")
def purge_audit() -> None:
    """Take what is old enough out of the record of the schema entered."""
    purge(actor=Actor.system("retention"), now=clock.wall())


@planner
def plan_checkpoint(now: datetime) -> None:
    """Ask for a checkpoint every ten minutes."""
    slot = now.replace(minute=now.minute // EVERY_MINUTES * EVERY_MINUTES)
    enqueue("tenants.take_checkpoint", key=f"checkpoint:{slot:%Y-%m-%dT%H:%M}")


@planner
def plan_purges(now: datetime) -> None:
    """Ask once a day for the purge of each schema's record."""
    ask_everywhere("tenants.purge_audit", now=now)


def ask_everywhere(name: str, *, now: datetime) -> None:
    """Ask once a day for a job of each schema, the platform's too, spread over three hours."""
    key = f"{name}:{now.date().isoformat()}"
    asked = Job.objects.filter(schema_name=OuterRef("schema_name"), key=key)
    tenants = Tenant.objects.filter(~Exists(asked), is_rehearsal=False)
    for schema, number in tenants.values_list("schema_name", "id"):
        at = now + timedelta(seconds=number.int % SPREAD_SECONDS)
        enqueue_many([Asked(name, run_at=at, key=key)], schema=schema)
    enqueue(name, key=key)
