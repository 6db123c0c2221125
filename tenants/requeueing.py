"""Letting a parked job try again, on a person's word."""

from datetime import datetime

from django.db import transaction

from audit.actions import Action
from audit.actors import Actor
from audit.recording import record
from tenants.jobs import publish
from tenants.models import Job


def retry_parked(job: Job, *, actor: Actor, now: datetime) -> bool:
    """Put a parked job back in line with all its attempts ahead; False when it is not parked."""
    with transaction.atomic():
        locked = Job.objects.select_for_update().get(pk=job.pk)
        if locked.state != Job.State.PARKED:
            return False
        locked.state, locked.attempts, locked.run_at = Job.State.WAITING, 0, now
        locked.save(update_fields=["state", "attempts", "run_at"])
        record(
            Action.JOB_RETRIED,
            subject=("job", job.pk),
            actor=actor,
            now=now,
            job=job.name,
            schema=job.schema_name,
        )
        transaction.on_commit(lambda: publish([locked.pk]))
    return True
