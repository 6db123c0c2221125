"""What happens when: breaches, and changes of the policy (W)."""

import os
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.conf import settings
from django.core import mail
from django.core.management import call_command
from django.test import Client

from accounts.models import Session, User
from audit.actors import Actor
from privacy import incident_record, incidents, notifying
from privacy.incidents import Found
from privacy.models import Incident
from privacy.rotating import by_hand
from privacy.scoping import Reach
from tenants import clock, rekeying
from tenants.context import enter, enter_public
from tenants.jobs import planners
from tenants.models import Job
from tenants.working import work_off
from tests.twins import make
from vault.models import DataKey

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
    committed: None, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The real thing: workers' jobs of the workspace and the platform, and the commands of a person."""
    tenant = make(f"w2{os.urandom(4).hex()}", name="Breached")
    # Other tests leave workspaces whose keys they took away.
    monkeypatch.setattr(rekeying, "every_tenant", lambda: [tenant])
    with enter(tenant):
        owner = User.objects.create(email="o@fresh.example", name="O", role="owner", created_at=now)
        Session.objects.create(
            user=owner, key_hash=tenant.slug, host="x", begun_at=now, last_seen_at=now, device="x"
        )
        before = set(DataKey.objects.values_list("pk", "kek_version"))
    with enter_public():
        incident = breach(tenant.schema_name, now)
        incidents.rotate(incident, actor=STAFF, now=now)
        mine = [str(each.pk) for each in incident.rotations.all()]
        asked = Job.objects.filter(name=incidents.ROTATE, args__rotation_id__in=mine)
        ids = list(asked.values_list("pk", flat=True))
    assert work_off(ids, now=clock.now() + timedelta(seconds=1)) == len(ids) > 0
    with enter(tenant):
        assert not Session.objects.filter(ended_at__isnull=True).exists()
    call_command("rotate_keys", "--at-once")
    call_command("rotate_keys", "--data")
    with enter(tenant):
        assert not before & set(DataKey.objects.filter(retired_at=None).values_list("pk", "kek_version"))
    with enter_public():
        assert incidents.notice_replaced(actor=STAFF, now=now)
        left = incident.rotations.filter(done_at__isnull=True)
        assert set(left.values_list("name", flat=True)) == {each.name for each in by_hand()} - {"keys"}
        assert "rotate all credentials" in incidents.missing(incident)
        for row in left:
            incidents.tick(incident, row.pk, note="Replaced", actor=STAFF, now=now)
        assert "rotate all credentials" not in incidents.missing(incident)
        incidents.review(incident, found="Acts of one log-in only.", actor=STAFF, now=now)
        incidents.tell_authority(incident, authority="BlnBDI", reference="A1", at=now, actor=STAFF, now=now)
        incident.refresh_from_db()
        record = incident_record.as_text(incident)
    for point in (
        "33(3)(a)", "33(3)(b)", "33(3)(c)", "33(3)(d)", "33(5)", "BlnBDI told", "Replaced (",
        "Audit log reviewed: Acts of one log-in only. (2026-11-23 09:30 UTC, Robin <robin@pro.example>)",
    ):  # fmt: skip
        assert point in record
