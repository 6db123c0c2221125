"""Jobs of privacy: retention in every schema, twice a day."""

from datetime import datetime, timedelta

from django.db.models import Exists, OuterRef

from audit.actors import Actor
from privacy import retention
from tenants import clock
from tenants.jobs import Asked, enqueue_many, job, planner
from tenants.models import Job, Tenant
from tenants.postgresql.base import PUBLIC

RETENTION = Actor.system("retention")
SPREAD_SECONDS = 10_800


@job("privacy.retention", outside=True)
def run_retention(**_: str) -> None:
    """Execute every rule of retention in this schema; commits batch by batch."""
    retention.run(now=clock.now(), dry_run=False, actor=RETENTION)


@planner
def plan_retention(now: datetime) -> None:
    """Ask for it in each schema, closed tenants' too, twice a day, spread over three hours.

    A tenant's place in those hours stays, so that half a day lies between two runs.
    """
    key = f"retention:{now.date().isoformat()}:{now.hour // 12}"
    asked = Job.objects.filter(schema_name=OuterRef("schema_name"), key=key)
    half = now.replace(hour=now.hour // 12 * 12, minute=0, second=0, microsecond=0)
    tenants = Tenant.objects.filter(~Exists(asked), is_rehearsal=False)
    for schema, number in tenants.values_list("schema_name", "id"):
        at = half + timedelta(seconds=number.int % SPREAD_SECONDS)
        enqueue_many([Asked("privacy.retention", run_at=at, key=key)], schema=schema)
    if not Job.objects.filter(schema_name=PUBLIC, key=key).exists():
        enqueue_many([Asked("privacy.retention", run_at=half, key=key)])
