"""Incidents: who is affected, what is rotated, who was told, and that nothing is closed half done."""

import os
from contextlib import suppress
from datetime import datetime, timedelta
from smtplib import SMTPRecipientsRefused
from ssl import SSLCertVerificationError
from typing import Any
from unittest.mock import patch

import pytest
from django.core import mail
from django.core.mail.backends.locmem import EmailBackend
from django.db import IntegrityError, ProgrammingError, transaction

from accounts.customers import change_customer, create_customer
from accounts.jobs import mail_roll_stripe_key
from accounts.models import Invitation, Session, User
from audit.actions import Action
from audit.actors import Actor
from audit.models import AuditEvent
from audit.recording import record
from privacy import incident_record, incidents, notice_budget, notifying, policy_notices
from privacy.incidents import Found, IncidentRefused
from privacy.jobs import incidents as incident_jobs
from privacy.models import ContactMessage, DataRequest, Incident, PolicyVersion
from privacy.rotating import by_hand, rotations
from privacy.scoping import Reach
from tenants import clock
from tenants.context import enter, enter_public
from tenants.models import Job
from tenants.postgresql.base import PUBLIC
from tenants.working import work_off
from tests.twins import make

WORDS = {
    "consequences": "Somebody may write to you in our name.",
    "measures": "All sessions were ended.",
    "mail_subject": "Your data",
    "mail_text": "A laptop was stolen.",
    "public_title": "A laptop was stolen",
    "public_text": "It held the names of customers.",
}
STAFF = Actor(kind="user", id="7", label="Staff <staff@proecommerce.example>")


def person(email: str, now: datetime) -> User:
    return User.objects.create(email=email, name=email.partition("@")[0], role="contact", created_at=now)


def customer(email: str, now: datetime) -> Any:
    return create_customer(actor=STAFF, now=now, name=email, email=email, country="DE", currency="EUR")


@pytest.fixture
def incident(db: None, now: datetime) -> Incident:
    found = Found("Laptop", "A laptop was stolen.", now - timedelta(hours=2))
    with enter_public():
        return incidents.declare(found, actor=STAFF, now=now)


def scoped(incident: Incident, reach: Reach, now: datetime) -> list[tuple[str, str]]:
    with enter_public():
        incidents.scope(incident, reach, actor=STAFF, now=now)
        rows = incident.notices.values_list("subject_kind", "subject_id")
        return sorted(rows)


def test_everybody_of_the_chosen_tenants_is_affected_and_nobody_else(
    two_tenants: Any, incident: Incident, now: datetime
) -> None:
    alpha, beta = two_tenants
    with enter(beta):
        person("b@beta.example", now)
    with enter(alpha):
        before = User.objects.count()
        both, alone = person("a@alpha.example", now), customer("c@alpha.example", now)
        customer("A@alpha.example", now)
        customers = set(
            map(str, type(alone).objects.exclude(email="A@alpha.example").values_list("pk", flat=True))
        )
    notices = scoped(incident, Reach((alpha.schema_name,)), now)
    assert ("user", str(both.pk)) in notices
    assert {pk for kind, pk in notices if kind == "customer"} == customers, "one person hears once"
    assert len([kind for kind, _ in notices if kind == "user"]) == before + 1
    with enter_public():
        assert set(incident.notices.values_list("schema_name", flat=True)) == {alpha.schema_name}
        scope = incident.scopes.get(subject_kind="customer")
    assert scope.rows >= scope.people > 0
    assert {"C1", "C4"} <= set(scope.categories)


def test_the_audit_log_narrows_it_to_those_whom_an_actors_acts_concern(
    two_tenants: Any, incident: Incident, now: datetime
) -> None:
    alpha, _ = two_tenants
    thief = Actor(kind="user", id="0190aaaa-0000-7000-8000-000000000001", label="Thief")
    with enter(alpha):
        touched, other, earlier = (customer(f"{n}@alpha.example", now) for n in ("t", "o", "e"))
        change_customer(touched, actor=thief, now=now, phone="1")
        change_customer(other, actor=STAFF, now=now, phone="2")
        change_customer(earlier, actor=thief, now=now - timedelta(days=9), phone="3")
    reach = Reach((alpha.schema_name,), actor_id=thief.id, since=now - timedelta(days=1), until=now)
    assert scoped(incident, reach, now) == [("customer", str(touched.pk))]


def test_rotation_ends_sessions_voids_links_and_is_on_record(fresh_tenant: Any, now: datetime) -> None:
    one = person(f"{os.urandom(4).hex()}@fresh.example", now)
    Session.objects.create(
        user=one,
        key_hash=os.urandom(16).hex(),
        host="x.localhost",
        begun_at=now,
        last_seen_at=now,
        device="x",
    )
    with enter_public():
        incident = incidents.declare(Found("x", "y", now), actor=STAFF, now=now)
        incidents.scope(incident, Reach((fresh_tenant.schema_name,)), actor=STAFF, now=now)
        asked = incidents.rotate(incident, actor=STAFF, now=now)
        wanted = {(each.schema_name, each.name) for each in incident.rotations.all()}
        jobs = Job.objects.filter(name=incidents.ROTATE, schema_name=fresh_tenant.schema_name)
        ids = list(jobs.values_list("pk", flat=True))
    tenants = {each.name for each in rotations() if each.in_tenants}
    platform = {each.name for each in rotations() if each.on_platform} | {each.name for each in by_hand()}
    assert asked == len(wanted)
    assert wanted == {(fresh_tenant.schema_name, name) for name in tenants} | {
        ("public", n) for n in platform
    }
    assert work_off(ids, now=clock.now() + timedelta(seconds=1)) == len(ids) == len(tenants)
    one.refresh_from_db()
    assert one.link_generation == 1
    assert not Session.objects.filter(ended_at__isnull=True).exists()
    said = AuditEvent.objects.filter(action=Action.CREDENTIALS_ROTATED)
    assert {event.details["what"] for event in said} == tenants
    with enter_public():
        rows = incident.rotations.filter(schema_name=fresh_tenant.schema_name)
        assert all(row.done_at and row.outcome for row in rows)


def ready(incident: Incident, schema: str, now: datetime) -> None:
    incidents.scope(incident, Reach((schema,), ("user",)), actor=STAFF, now=now)
    incidents.describe(incident, actor=STAFF, now=now, **WORDS)
    incident.refresh_from_db()
    incidents.ask_notices(incident, actor=STAFF, now=now)


def test_each_of_those_affected_is_told_once_in_batches_and_it_is_on_record(
    two_tenants: Any, incident: Incident, now: datetime
) -> None:
    alpha, _ = two_tenants
    with enter(alpha):
        people = [person(f"p{n}@alpha.example", now) for n in range(5)]
    with enter_public():
        ready(incident, alpha.schema_name, now)
        total = incident.notices.count()
        left = total
        while left:
            sent = notifying.send_batch(incident, limit=2, clock=lambda: now)
            assert 0 < sent <= 2
            left -= sent
        assert notifying.send_batch(incident, limit=2, clock=lambda: now) == 0
    told = [message.to[0] for message in mail.outbox]
    assert len(told) == len(set(told)) == total
    assert {each.email for each in people} <= set(told)
    first = mail.outbox[0]
    for part in (WORDS["mail_text"], WORDS["consequences"], WORDS["measures"], str(alpha), "/notices/"):
        assert part in str(first.body)
    with enter_public():
        assert set(incident.notices.values_list("state", "sent_at")) == {("sent", now)}


def test_a_mail_server_that_is_away_for_a_day_loses_no_notice_and_an_address_it_refuses_holds_up_nobody(
    two_tenants: Any, incident: Incident, now: datetime, monkeypatch: Any
) -> None:
    alpha, _ = two_tenants
    with enter(alpha):
        person("refused@alpha.example", now)
        person("taken@alpha.example", now)
    with enter_public():
        ready(incident, alpha.schema_name, now)
        total = incident.notices.count()
        incident.notices.create(schema_name="t_dropped", subject_kind="user", subject_id="1")
    usual, away = EmailBackend.send_messages, True

    def sending(self: Any, messages: Any) -> int:
        if away:
            raise ConnectionRefusedError
        if messages[0].to == ["refused@alpha.example"]:
            raise SMTPRecipientsRefused({messages[0].to[0]: (550, b"no such person")})
        return usual(self, messages)

    monkeypatch.setattr(EmailBackend, "send_messages", sending)
    with enter_public():
        for minute in range(0, 1440, 60):
            monkeypatch.setattr(clock, "now", lambda: now + timedelta(minutes=minute))  # noqa: B023
            incident_jobs.send_notices(incident_id=str(incident.pk))
        incident.refresh_from_db()
        assert "ConnectionRefusedError" in incident.mail_trouble
        assert incident.notices.filter(state="waiting", tries=0).count() == total + 1, "no try counts"
        away, moment = False, now + timedelta(days=1)
        for _ in range(notifying.TRIES):
            while notifying.due(now=moment):
                notifying.send_batch(incident, limit=100, clock=lambda: moment)  # noqa: B023
            assert len(mail.outbox) == total - 1 > 0
            moment += notifying.PAUSE
        incident.refresh_from_db()
        assert not incident.mail_trouble
        assert incident.notices.get(state="gone").schema_name == "t_dropped"
        refused = incident.notices.get(state="failed")
        assert (refused.tries, refused.problem) == (3, "refused with 550")
        missing = "; ".join(incidents.missing(incident))
        assert "refused" in missing and "everybody" not in missing
        with pytest.raises(IncidentRefused, match="Say why"):
            incidents.give_up_notices(incident, because=" ", actor=STAFF, now=now)
        assert incidents.retry_notices(incident, actor=STAFF, now=now) == 1
        assert "everybody" in "; ".join(incidents.missing(incident))
        notifying.send_batch(incident, limit=100, clock=lambda: moment)
        assert incidents.give_up_notices(incident, because="Told by telephone", actor=STAFF, now=now) == 1
        assert "refused" not in "; ".join(incidents.missing(incident))
        assert "1 not told by mail: Told by telephone" in incident_record.as_text(incident)
        given_up = AuditEvent.objects.get(
            action=Action.INCIDENT_NOTICES_GIVEN_UP, subject_id=str(incident.pk)
        )
        assert given_up.details["notices"] == 1


def test_what_is_no_address_holds_up_nobody_and_a_person_has_to_look_at_it(
    two_tenants: Any, incident: Incident, now: datetime, settings: Any
) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"  # the others let it pass
    alpha, _ = two_tenants
    none = "one@alpha.example, other@alpha.example"
    with enter(alpha):
        wrong, behind = person(none, now), person("behind@alpha.example", now)
    with enter_public():
        asked = DataRequest.objects.create(
            received_at=now, channel="mail", law="gdpr", right="access", verdict="x", message="x",
            address="a@b.example, d@e.example", due_on=now.date(), acknowledge_by=now.date(),
        )  # fmt: skip
        incidents.scope(incident, Reach((alpha.schema_name, PUBLIC)), actor=STAFF, now=now)
        incidents.describe(incident, actor=STAFF, now=now, **WORDS)
        incident.refresh_from_db()
        incidents.ask_notices(incident, actor=STAFF, now=now)
        notifying.send_batch(incident, limit=500, clock=lambda: now, capped=False)
        assert not incident.notices.filter(state="waiting").exists()
        failed = incidents.unreached(incident).get()
        assert (failed.subject_id, failed.problem) == (str(wrong.pk), "not an address")
        assert incident.notices.get(subject_id=str(asked.pk)).state == "gone", (
            "no word of a stranger's counts"
        )
        assert incident.notices.get(subject_id=str(behind.pk)).state == "sent"


def test_a_mail_server_with_a_false_certificate_is_no_fault_of_the_address(
    two_tenants: Any, incident: Incident, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    alpha, _ = two_tenants
    with enter(alpha):
        someone = person("somebody@alpha.example", now)

    def refuse(*args: Any, **options: Any) -> None:
        raise SSLCertVerificationError("certificate verify failed")  # an OSError and a ValueError

    with enter_public():
        ready(incident, alpha.schema_name, now)
        monkeypatch.setattr(EmailBackend, "send_messages", refuse)
        with suppress(OSError):
            notifying.send_batch(incident, limit=500, clock=lambda: now, capped=False)
        notice = incident.notices.get(subject_id=str(someone.pk))
        assert (notice.state, notice.problem) == ("waiting", "")


def test_notices_of_incidents_and_of_the_policy_share_one_budget_and_incidents_go_first(
    two_tenants: Any, incident: Incident, now: datetime, actor: Any, settings: Any
) -> None:
    alpha, _ = two_tenants
    settings.NOTICES_PER_HOUR = 2
    with enter(alpha):
        for n in range(3):
            person(f"b{n}@alpha.example", now)
    with enter_public():
        ready(incident, alpha.schema_name, now)
        incident.notices.filter(pk__in=[each.pk for each in incident.notices.all()[3:]]).delete()
        notice_budget.spend(now)  # as a notice of the policy does
        assert notifying.send_batch(incident, limit=10, clock=lambda: now) == 1
        assert incident.notices.filter(state="waiting").count() == 2
        assert not notifying.due(now=now), "the hour is full"
        version = PolicyVersion(effective_at=now + timedelta(days=60))
        later = now + timedelta(hours=1, minutes=1)
        assert notifying.due(now=later)
    with patch.object(PolicyVersion.objects, "get", return_value=version), enter(alpha):
        assert policy_notices.send_batch(version.pk, now=later) == later + notifying.EVERY


def test_nothing_is_told_before_it_is_known_and_written_and_nothing_changes_afterwards(
    two_tenants: Any, incident: Incident, now: datetime
) -> None:
    with enter_public():
        with pytest.raises(IncidentRefused, match="who is affected"):
            incidents.ask_notices(incident, actor=STAFF, now=now)
        incidents.scope(incident, Reach((two_tenants[0].schema_name,)), actor=STAFF, now=now)
        with pytest.raises(IncidentRefused, match="Write the mail"):
            incidents.ask_notices(incident, actor=STAFF, now=now)
        with pytest.raises(IncidentRefused, match="public notice"):
            incidents.publish(incident, actor=STAFF, now=now)
        incidents.describe(incident, actor=STAFF, now=now, **WORDS)
        incidents.publish(incident, actor=STAFF, now=now)
        incidents.ask_notices(incident, actor=STAFF, now=now)
        for name in ("mail_text", "public_text", "found_at"):
            with pytest.raises(IncidentRefused):
                incidents.describe(incident, actor=STAFF, now=now, **{name: "else"})
        incident.refresh_from_db()
        with pytest.raises(IncidentRefused, match="on their way"):
            incidents.scope(incident, Reach(()), actor=STAFF, now=now)


def test_it_closes_only_when_all_is_done_and_then_stays_as_it_is(
    two_tenants: Any, incident: Incident, now: datetime
) -> None:
    with enter_public():
        with pytest.raises(IncidentRefused) as no:
            incidents.close(incident, actor=STAFF, now=now)
        for part in ("affected", "rotate", "publish", "authority", "what may follow", "audit log"):
            assert part in str(no.value)
        ready(incident, two_tenants[0].schema_name, now)
        incidents.publish(incident, actor=STAFF, now=now)
        incidents.rotate(incident, actor=STAFF, now=now)
        incident.rotations.update(done_at=now, outcome="done")
        incident.notices.update(state="sent", sent_at=now)
        with pytest.raises(IncidentRefused, match="shows nothing"):
            incidents.review(incident, found=" ", actor=STAFF, now=now)
        incidents.review(incident, found="Nobody but us.", actor=STAFF, now=now)
        with pytest.raises(IncidentRefused, match="risk"):
            incidents.not_told(incident, because=" ", actor=STAFF, now=now)
        incidents.tell_authority(incident, authority="BlnBDI", reference="A1", at=now, actor=STAFF, now=now)
        assert incidents.close(incident, actor=STAFF, now=now).closed_at == now
        with pytest.raises(IncidentRefused, match="closed"):
            incidents.publish(incident, actor=STAFF, now=now)


def test_the_record_has_all_that_the_law_asks_for(
    two_tenants: Any, incident: Incident, now: datetime
) -> None:
    alpha, _ = two_tenants
    with enter(alpha):
        person("p@alpha.example", now)
    with enter_public():
        ready(incident, alpha.schema_name, now)
        incidents.tell_authority(
            incident, authority="BlnBDI", reference="A1", at=now + timedelta(hours=80), actor=STAFF, now=now
        )
        incident.refresh_from_db()
        text = incident_record.as_text(incident)
    for part in (
        "A laptop was stolen.", "33(3)(a)", "33(3)(b)", "33(3)(c)", "33(3)(d)", "33(5)", "Art. 34",
        alpha.schema_name, "billing@proecommerce.com", WORDS["consequences"], WORDS["measures"], "BlnBDI",
        "reasons for the delay", "incident.declared", "Staff",
    ):  # fmt: skip
        assert part in text


def test_the_database_refuses_an_incident_that_says_nothing(db: None, now: datetime) -> None:
    with enter_public():
        for change in (
            {"published_at": now},
            {"notices_asked_at": now},
            {"declared_at": now - timedelta(days=1)},
        ):
            values = {"title": "x", "nature": "y", "found_at": now, "declared_at": now, "declared_by": "z"}
            with pytest.raises(IntegrityError), transaction.atomic():
                Incident.objects.create(**values | change)


def test_tenants_cannot_see_the_register(two_tenants: Any) -> None:
    with enter(two_tenants[0]), pytest.raises(ProgrammingError, match="denied"), transaction.atomic():
        Incident.objects.count()


def test_an_earlier_secret_of_stripe_opens_nothing_after_it_was_replaced(
    committed: None, now: datetime
) -> None:
    """Every process holds the secret it read; what that opens counts only while its endpoint is in force."""
    from billing import inbox, stripe_gateway
    from billing import rotations as of_billing
    from billing.models import StripeConnection
    from tests.billing.payments import standin

    tenant = make(f"x{os.urandom(5).hex()}", name="Rotating")
    with enter(tenant):
        standin.connect(now)
        before = StripeConnection.objects.get()
        old = standin.webhook_secret()
        inbox._read_secret()
        assert "replaces" in of_billing.replace_webhook_secret(STAFF, now)
        after = StripeConnection.objects.get()
        assert after.webhook_endpoint != before.webhook_endpoint
        event = {
            "id": "evt_old",
            "object": "event",
            "type": "charge.refunded",
            "created": 1,
            "data": {"object": {"id": "ch_1", "object": "charge"}},
        }
        body, signature = standin.signed(event, old)
        with pytest.raises(stripe_gateway.SignatureRefused):
            inbox.receive(body, signature, now=now)
        body, signature = standin.signed(event, standin.webhook_secret())
        assert inbox.receive(body, signature, now=now)
        StripeConnection.objects.update(kind=StripeConnection.Kind.RESTRICTED_KEY)
        owner = User.objects.create(email="o@rotating.example", name="O", role="owner", created_at=now)
        assert "roll the restricted key" in of_billing.replace_webhook_secret(STAFF, now)
    with enter_public():
        asked = Job.objects.get(name="accounts.mail_roll_stripe_key", schema_name=tenant.schema_name)
    with enter(tenant):
        assert asked.args == {"user_id": str(owner.pk)}
        mail_roll_stripe_key(**asked.args)
    assert mail.outbox[-1].to == [owner.email] and "/manage/settings/stripe/" in mail.outbox[-1].body


def test_those_whom_only_the_platform_knows_and_those_who_are_invited_are_told_as_well(
    two_tenants: Any, incident: Incident, now: datetime
) -> None:
    alpha, _ = two_tenants
    with enter(alpha):
        Invitation.objects.create(
            email="invited@alpha.example", name="Ines", role="support", created_at=now, expires_at=now
        )
        Invitation.objects.create(
            email="in@alpha.example", role="support", created_at=now, expires_at=now, accepted_at=now
        )
    with enter_public():
        ContactMessage.objects.create(
            name="Pia", email="prospect@example.org", text="x", received_at=now, last_word_at=now
        )
        ContactMessage.objects.create(
            name="Pia", email="Prospect@example.org", text="y", received_at=now, last_word_at=now
        )
        for channel, address in (("mail", "asker@example.org"), ("letter", "1 Some Street")):
            DataRequest.objects.create(
                received_at=now, channel=channel, law="gdpr", right="access", address=address, verdict="x",
                message="x", due_on=now.date(), acknowledge_by=now.date(),
            )  # fmt: skip
        person("staff@pro.example", now)
        incidents.describe(incident, actor=STAFF, now=now, **WORDS)
        reach = Reach((alpha.schema_name, PUBLIC))
        incidents.scope(incident, reach, actor=STAFF, now=now)
        assert incident.scopes.get(subject_kind="prospect").schema_name == PUBLIC
        assert "C7" in incident.scopes.get(subject_kind="request").categories
        incidents.ask_notices(incident, actor=STAFF, now=now)
        notifying.send_batch(incident, limit=500, clock=lambda: now, capped=False)
        assert set(incident.notices.values_list("state", flat=True)) == {"sent"}
        assert incidents.rotate(incident, actor=STAFF, now=now)
        assert incident.rotations.filter(schema_name=PUBLIC, name="stripe_webhook").count() == 0
    told = {message.to[0]: str(message.body) for message in mail.outbox}
    assert "You were invited to join Alpha Hosting" in told["invited@alpha.example"]
    assert "by the form on our site" in told["prospect@example.org"]
    assert "about your personal data" in told["asker@example.org"]
    assert "one of the staff of ProEcommerce" in told["staff@pro.example"]
    assert not {"Prospect@example.org", "in@alpha.example", "1 Some Street"} & set(told)


def test_the_audit_log_narrows_those_who_are_invited_too(
    two_tenants: Any, incident: Incident, now: datetime
) -> None:
    thief = Actor(kind="user", id="0190aaaa-0000-7000-8000-000000000002", label="Thief")
    with enter(two_tenants[0]):
        seen, _ = (
            Invitation.objects.create(email=f"{n}@x.example", role="support", created_at=now, expires_at=now)
            for n in ("seen", "other")
        )
        with transaction.atomic():
            record(Action.USER_INVITED_AGAIN, subject=("invitation", seen.pk), actor=thief, now=now)
    reach = Reach((two_tenants[0].schema_name,), actor_id=thief.id)
    assert scoped(incident, reach, now) == [("invitation", str(seen.pk))]


def test_keys_count_as_replaced_only_when_nothing_is_left_by_the_old_ones(
    two_tenants: Any, incident: Incident, now: datetime
) -> None:
    def happened(action: Action, at: datetime, **details: Any) -> bool:
        record(action, subject=("vault", "v9"), actor=STAFF, now=at, **details)
        incidents.notice_replaced(actor=STAFF, now=now)
        return incident.rotations.filter(name="keys", done_at__isnull=False).exists()

    with enter_public():
        incidents.scope(incident, Reach((two_tenants[0].schema_name,)), actor=STAFF, now=now)
        incidents.rotate(incident, actor=STAFF, now=now)
        assert not Job.objects.filter(name=incidents.ROTATE, args__rotation_id__in=[
            str(each.pk) for each in incident.rotations.filter(name__in=[hand.name for hand in by_hand()])
        ]).exists(), "no worker has the rights"  # fmt: skip
        keys = incident.rotations.get(name="keys")
        assert not happened(Action.KEYS_ROTATED, now - timedelta(days=1), left=[])
        assert not happened(Action.DATA_KEY_REPLACED, now), "the new key is older than the incident"
        assert not happened(Action.KEYS_ROTATED, now, left=["t_x"])
        assert not happened(Action.DATA_KEY_REPLACED, now), "some keys are still wrapped by the old one"
        assert not happened(Action.KEYS_ROTATED, now, left=[]), "values are still sealed by the old ones"
        assert happened(Action.DATA_KEY_REPLACED, now)
        keys.refresh_from_db()
        assert keys.done_at == now and "new key-encryption key v9" in keys.outcome and not keys.done_by
        stripe = incident.rotations.get(name="stripe_platform")
        with pytest.raises(IncidentRefused, match="Write down"):
            incidents.tick(incident, stripe.pk, note=" ", actor=STAFF, now=now)
        incidents.tick(incident, stripe.pk, note="Rolled in the dashboard", actor=STAFF, now=now)
        with pytest.raises(IncidentRefused, match="already"):
            incidents.tick(incident, stripe.pk, note="Again", actor=STAFF, now=now)
        said = incident_record.as_text(incident)
        assert "Rolled in the dashboard (2026-11-23 09:30 UTC, by hand, Staff <staff@pro" in said
        assert "rotate" in "; ".join(incidents.missing(incident))
