"""What happens when: breaches, and changes of the policy (W)."""

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.core import mail
from django.test import Client

from accounts.models import Session, User
from audit.actions import Action
from audit.actors import Actor
from audit.models import AuditEvent
from privacy import incident_record, incidents, notifying
from privacy.incidents import Found
from privacy.models import Incident
from privacy.scoping import Reach
from tenants import clock
from tenants.context import enter_public
from tenants.jobs import planners
from tenants.models import Job
from tenants.working import work_off

STAFF = Actor(kind="user", id="7", label="Robin <robin@pro.example>")


def breach(schema: str, now: datetime) -> Incident:
    """A breach, declared and written up."""
    incident = incidents.declare(Found("Laptop", "A laptop was stolen.", now), actor=STAFF, now=now)
    incidents.scope(incident, Reach((schema,)), actor=STAFF, now=now)
    return incidents.describe(
        incident, actor=STAFF, now=now, consequences="Mails in our name.", measures="Sessions were ended.",
        mail_subject="Your data", mail_text="A laptop was stolen.", public_title="A stolen laptop",
        public_text="It held names.",
    )  # fmt: skip


def test_w1_those_affected_hear_within_72_hours_and_a_public_notice_stands(
    tenant: Any, now: datetime
) -> None:
    for n in range(3):
        User.objects.create(email=f"p{n}@alpha.example", name="P", role="contact", created_at=now)
    with enter_public():
        incident = breach(tenant.schema_name, now)
        incidents.publish(incident, actor=STAFF, now=now)
        waiting = incidents.ask_notices(incident, actor=STAFF, now=now)
        minute = now
        while notifying.due(now=minute) and minute < incident.due_at:
            minute += timedelta(minutes=1)
            for plan in planners():
                if plan.__name__ == "plan_notices":
                    plan(minute)
            notifying.send_batch(incident, limit=notifying.a_minute(), clock=lambda: minute)  # noqa: B023
        assert incident.notices.filter(state="sent", sent_at__lte=incident.due_at).count() == waiting
        assert Job.objects.filter(name="privacy.send_notices", args__incident_id=str(incident.pk)).exists()
    assert len({message.to[0] for message in mail.outbox}) == waiting
    assert notifying.hours_for(10_000) < 24, "ten thousand people hear in a day at the provider's cap"
    assert "A stolen laptop" in Client(HTTP_HOST=settings.SITE_HOST).get("/notices/").content.decode()


def test_w2_credentials_are_rotated_the_record_is_reviewed_and_the_authority_told(
    fresh_tenant: Any, now: datetime
) -> None:
    owner = User.objects.create(email="o@fresh.example", name="O", role="owner", created_at=now)
    Session.objects.create(
        user=owner, key_hash=f"{now.timestamp()}", host="x", begun_at=now, last_seen_at=now, device="x"
    )
    with enter_public():
        incident = breach(fresh_tenant.schema_name, now)
        incidents.rotate(incident, actor=STAFF, now=now)
        asked = Job.objects.filter(name=incidents.ROTATE, schema_name=fresh_tenant.schema_name)
        ids = list(asked.values_list("pk", flat=True))
    assert work_off(ids, now=clock.now() + timedelta(seconds=1)) == len(ids) > 0
    assert not Session.objects.filter(ended_at__isnull=True).exists()
    assert AuditEvent.objects.filter(action=Action.CREDENTIALS_ROTATED).count() == len(ids)
    with enter_public():
        incidents.tell_authority(incident, authority="BlnBDI", reference="A1", at=now, actor=STAFF, now=now)
        incident.refresh_from_db()
        record = incident_record.as_text(incident)
    for point in ("33(3)(a)", "33(3)(b)", "33(3)(c)", "33(3)(d)", "33(5)", "BlnBDI told"):
        assert point in record
