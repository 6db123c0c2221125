"""Jobs of incidents: replacing credentials, a tenant at a time, and sending notices, a batch a minute."""

import logging
from datetime import datetime
from uuid import UUID

from django.db import transaction

from audit.actions import Action
from audit.actors import Actor
from audit.recording import record
from privacy import incidents, notifying
from privacy.models import Incident, IncidentRotation
from privacy.rotating import rotation_of
from tenants import clock
from tenants.context import enter_public
from tenants.jobs import enqueue, job, planner

log = logging.getLogger(__name__)

ROTATOR = Actor.system("incident")


@job("privacy.rotate_credentials", outside=True)
def rotate_credentials(*, rotation_id: str) -> None:
    """Replace one kind of credentials in the schema entered, and note what came of it."""
    with enter_public():
        row = IncidentRotation.objects.get(pk=UUID(rotation_id))
    if row.done_at is not None:
        return
    now = clock.now()
    outcome = rotation_of(row.name).run(ROTATOR, now)
    with transaction.atomic():
        record(
            Action.CREDENTIALS_ROTATED, subject=("incident", row.incident_id), actor=ROTATOR, now=now,
            what=row.name, outcome=outcome,
        )  # fmt: skip
    with enter_public():
        IncidentRotation.objects.filter(pk=row.pk, done_at__isnull=True).update(
            done_at=now, outcome=outcome[:300]
        )


@job("privacy.send_notices", outside=True)
def send_notices(*, incident_id: str) -> None:
    """Send what one minute may take."""
    with enter_public():
        incident = Incident.objects.get(pk=UUID(incident_id))
    try:
        notifying.send_batch(incident, limit=notifying.a_minute(), clock=clock.now)
    except OSError as error:  # the planner asks again in a minute, for as long as it takes
        log.warning("mail server takes no notices: %s", type(error).__name__)


@planner
def notice_replaced(now: datetime) -> None:
    """See whether people have replaced what open incidents wait for."""
    incidents.notice_replaced(actor=ROTATOR, now=now)


@planner
def plan_notices(now: datetime) -> None:
    """Once a minute for each incident with notices to send."""
    for incident in notifying.due(now=now):
        minute = now.strftime("%Y%m%d%H%M")
        enqueue("privacy.send_notices", key=f"notices:{incident.pk}:{minute}", incident_id=str(incident.pk))
