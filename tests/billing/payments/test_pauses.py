"""A pause by a lost dispute is seen, and lifted by staff: on record, and not before it is decided."""

import dataclasses
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from accounts.people import create_user
from audit.models import AuditEvent
from audit.reading import opened
from billing import collecting, connecting, disputing, pauses, payments, resuming
from billing.errors import Refused
from billing.models import Invoice, Payment, PaymentMethod, PaymentProfile
from billing.stripe_gateway import DisputeInfo, Intent
from tenants.models import Job
from tests import logging_in
from tests.billing.payments import standin
from tests.billing.payments.standin import SYSTEM


def paid(told: DisputeInfo) -> Intent:
    """The intent that is disputed, read afresh."""
    return connecting.gateway().intent(told.intent or "")


@pytest.fixture
def told(customer: Any, now: datetime) -> DisputeInfo:
    """An open dispute about a payment by saved card, noted here."""
    standin.make_invoice(customer, now)
    standin.with_card(customer, now, "pm_card_createDispute")
    payments.collect_due(actor=SYSTEM, now=now)
    standin.work(now)
    [event] = [e for e in standin.objects("event") if e["type"] == "charge.dispute.created"]
    info = connecting.gateway().dispute(event["data"]["object"]["id"])
    info = dataclasses.replace(info, status="needs_response")
    disputing.apply_dispute(info, paid(info), actor=SYSTEM, now=now)
    return info


@pytest.fixture
def lost(told: DisputeInfo, now: datetime) -> DisputeInfo:
    info = dataclasses.replace(told, status="lost")
    disputing.apply_dispute(info, paid(info), actor=SYSTEM, now=now + timedelta(days=1))
    return info


@pytest.fixture
def staff(shop: Any, now: datetime) -> Client:
    person = create_user(
        email="staff@lind.example", name="Staff", role="billing", password=None, actor=SYSTEM, now=now
    )
    client = Client(headers={"host": f"{shop.slug}.localhost"})
    logging_in.enter(client, person)
    return client


def resumed() -> list[tuple[str, str]]:
    events = AuditEvent.objects.filter(action="collection.resumed").order_by("seq")
    return list(events.values_list("subject_kind", "subject_id"))


def test_an_open_dispute_keeps_its_pause_whatever_staff_say(
    told: DisputeInfo, customer: Any, staff: Client, now: datetime
) -> None:
    invoice = Payment.objects.get().invoice
    for path in (f"/manage/customers/{customer.pk}/", f"/manage/invoices/{invoice.pk}/"):
        page = staff.get(path).content.decode()
        assert told.id in page
        assert "needs response" in page
        assert "when the dispute is won" in page
        assert "/resume/" not in page
        assert "not decided yet" in staff.post(f"{path}resume/", follow=True).content.decode()
    invoice.refresh_from_db()
    assert invoice.collection_paused
    assert PaymentProfile.objects.get().paused_reason
    assert resumed() == []


def test_after_a_lost_one_staff_see_why_and_since_when_and_resume(
    lost: DisputeInfo, customer: Any, staff: Client, now: datetime
) -> None:
    invoice = Payment.objects.get().invoice
    pause = pauses.of_customer(customer)
    begun = AuditEvent.objects.get(action="dispute.opened")
    assert pause and pause.since == begun.at
    assert [(cause.dispute, cause.status) for cause in pause.causes] == [(lost.id, "lost")]
    page = staff.get(f"/manage/customers/{customer.pk}/").content.decode()
    assert "Nothing is charged by itself to this customer" in page
    assert "1 invoice held back for itself" in page
    for kind, pk in (("customer", customer.pk), ("invoice", invoice.pk)):
        path = f"/manage/{kind}s/{pk}/"
        page = staff.get(path).content.decode()
        assert f'action="{path}resume/"' in page
        assert f"{lost.id}" in page
        page = staff.post(f"{path}resume/", follow=True).content.decode()
        assert "by itself again" in page
        assert f'action="{path}resume/"' not in page
        assert "Collection resumed" in page
        again = staff.post(f"{path}resume/", follow=True).content.decode()
        assert "not paused" in again or "not held back" in again
    invoice.refresh_from_db()
    assert (invoice.collection_paused, PaymentProfile.objects.get().paused_reason) == (False, "")
    assert resumed() == [("customer", str(customer.pk)), ("invoice", str(invoice.pk))]
    event = AuditEvent.objects.filter(action="collection.resumed").earliest("seq")
    assert event.details["before"] == {"paused_reason": f"dispute {lost.id}"}
    assert "staff" in opened([event])[0].label.lower()


def test_what_is_due_is_charged_once_it_is_resumed_and_a_lost_one_told_again_pauses_nothing(
    lost: DisputeInfo, customer: Any, now: datetime
) -> None:
    PaymentMethod.objects.filter(customer=customer).update(is_default=False)
    standin.with_card(customer, now)
    due = standin.make_invoice(customer, now)
    assert payments.collect_due(actor=SYSTEM, now=now) == 0
    asked = Job.objects.filter(name="billing.collect_due")
    before = asked.count()
    resuming.resume_customer(customer, actor=SYSTEM, now=now)
    assert asked.count() == before + 1
    for later in range(2):
        standin.work(now + timedelta(minutes=later))
    due.refresh_from_db()
    assert due.status == "paid"
    disputing.apply_dispute(lost, paid(lost), actor=SYSTEM, now=now + timedelta(days=2))
    assert pauses.of_customer(customer) is None


def test_an_invoice_resumed_for_itself_is_collected_again(
    lost: DisputeInfo, customer: Any, now: datetime
) -> None:
    """The two pauses are apart: one lifted leaves the other."""
    held = standin.make_invoice(customer, now)
    Invoice.objects.filter(pk=held.pk).update(collection_paused=True)
    asked = Job.objects.filter(name="billing.collect_due")
    before = asked.count()
    resuming.resume_invoice(held, actor=SYSTEM, now=now)
    assert pauses.of_customer(customer) is not None
    assert asked.count() == before
    Invoice.objects.filter(pk=held.pk).update(collection_paused=True)
    resuming.resume_customer(customer, actor=SYSTEM, now=now)
    assert not payments.will_collect(held, now=now)
    resuming.resume_invoice(held, actor=SYSTEM, now=now)
    assert payments.will_collect(held, now=now)


def test_another_dispute_that_is_open_keeps_the_customer_paused(
    lost: DisputeInfo, customer: Any, now: datetime
) -> None:
    second = collecting.begin(standin.make_invoice(customer, now).pk, actor=SYSTEM, now=now)
    second = collecting.send(second.pk, actor=SYSTEM, now=now)
    standin.confirm(second)
    standin.work(now)
    told = dataclasses.replace(
        lost, id="dp_second", intent=second.external_id, status="under_review", movements=()
    )
    disputing.apply_dispute(told, paid(told), actor=SYSTEM, now=now)
    with pytest.raises(Refused, match="dp_second"):
        resuming.resume_customer(customer, actor=SYSTEM, now=now)
    first = Payment.objects.exclude(pk=second.pk).get().invoice
    resuming.resume_invoice(first, actor=SYSTEM, now=now)
    assert resumed() == [("invoice", str(first.pk))]
