"""Jobs of the audit record: checkpoints every ten minutes, copies outside, old events once a month."""

from datetime import datetime

from django.db import transaction

from audit.actors import Actor
from tenants import checkpointing, clock
from tenants.audit_purging import purge
from tenants.context import enter_public
from tenants.directory import every_tenant
from tenants.jobs import Asked, enqueue, enqueue_many, job, planner

EVERY_MINUTES = 10  # the promise is 15: a worker may be late


@job("tenants.take_checkpoint", outside=True)
def take_checkpoint() -> None:
    """Sign the heads of all chains."""
    checkpointing.take(now=clock.now())


@job("tenants.store_checkpoints", outside=True)
def store_checkpoints() -> None:
    """Put the checkpoints that wait into the store outside; tried again while it is away."""
    checkpointing.store_waiting(now=clock.now())


@job("tenants.ask_purges", outside=True)
def ask_purges(*, day: str) -> None:
    """Ask for the purge of each schema's record, once a day."""
    with enter_public(), transaction.atomic():
        for schema in ("public", *(tenant.schema_name for tenant in every_tenant())):
            enqueue_many([Asked("tenants.purge_audit", key=f"purge_audit:{day}")], schema=schema)


@job("tenants.purge_audit")
def purge_audit() -> None:
    """Take what is old enough out of the record of the schema entered."""
    purge(actor=Actor.system("retention"), now=clock.wall())


@planner
def plan_checkpoint(now: datetime) -> None:
    """Ask for a checkpoint every ten minutes, and for the purges every night."""
    slot = now.replace(minute=now.minute // EVERY_MINUTES * EVERY_MINUTES)
    enqueue("tenants.take_checkpoint", key=f"checkpoint:{slot:%Y-%m-%dT%H:%M}")
    if now.hour >= 2:
        enqueue("tenants.ask_purges", key=f"ask_purges:{now.date()}", day=str(now.date()))
