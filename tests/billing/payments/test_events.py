"""Stripe's events: once, in any order, from Stripe only, for this tenant only."""

import dataclasses
import itertools
import json
import time
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client, RequestFactory

from audit.models import AuditEvent
from billing import (
    asking,
    cards,
    collecting,
    connecting,
    disconnecting,
    disputing,
    payments,
    sweeping,
    webhooks,
)
from billing.models import (
    Dispute,
    Invoice,
    JournalEntry,
    Payment,
    PaymentMethod,
    PaymentProfile,
    Refund,
    StripeEvent,
)
from tenants.context import enter
from tenants.models import Job
from tests.billing.payments import standin
from tests.billing.payments.standin import SYSTEM
from tests.twins import make

State = Payment.State


def post(body: bytes, signature: str | None) -> int:
    headers = {} if signature is None else {"Stripe-Signature": signature}
    request = RequestFactory().post("/webhooks/stripe/", body, "application/json", headers=headers)
    return webhooks.stripe_webhook(request).status_code


def deliver(event: dict[str, Any]) -> int:
    return post(*standin.signed(event, standin.webhook_secret()))


def paid(invoice: Invoice, now: datetime, card: str = "pm_card_visa") -> Payment:
    """A payment that Stripe has taken and that we were not told of."""
    payment = collecting.send(collecting.begin(invoice.pk, actor=SYSTEM, now=now).pk, actor=SYSTEM, now=now)
    standin.confirm(payment, card)
    return payment


def events_about(*ids: str | None) -> list[dict[str, Any]]:
    found = standin.objects("event")
    return [
        event
        for event in found
        if event["data"]["object"]["id"] in ids or event["data"]["object"].get("payment_intent") in ids
    ]


@pytest.fixture
def event(invoice: Invoice, now: datetime) -> dict[str, Any]:
    payment = paid(invoice, now)
    return next(e for e in events_about(payment.external_id) if e["type"] == "payment_intent.succeeded")


def test_an_event_settles_its_payment(event: dict[str, Any], invoice: Invoice, now: datetime) -> None:
    assert deliver(event) == 200
    standin.work(now)
    invoice.refresh_from_db()
    told = StripeEvent.objects.get()
    assert invoice.status == "paid"
    assert (told.type, told.outcome) == ("payment_intent.succeeded", "payment succeeded")
    assert told.handled_at is not None


def test_an_event_that_comes_often_is_written_and_handled_once(event: dict[str, Any], now: datetime) -> None:
    assert [deliver(event) for _ in range(5)] == [200] * 5
    assert StripeEvent.objects.count() == Job.objects.filter(name="billing.handle_event").count() == 1
    standin.work(now)
    assert deliver(event) == 200
    assert standin.work(now) == 0
    assert JournalEntry.objects.filter(key__endswith=":succeeded").count() == 1


@pytest.mark.parametrize("days", [0, -3650, 3650])
def test_no_signature_of_another_time_or_hand_is_taken(event: dict[str, Any], days: int) -> None:
    secret, far = standin.webhook_secret(), int(time.time()) + days * 86400
    body, good = standin.signed(event, secret)
    refused = [
        (body, None),
        (body, ""),
        (body, "t=1,v1=2"),
        (body, "nonsense"),
        (body, f"t={far or 'x'},v1={'0' * 64}"),
        (body, standin.signed(event, "whsec_other")[1]),
        (body, standin.signed(event, "")[1]),
        (body.replace(b"succeeded", b"succeedeD"), good),
        (body + b" ", good),
        (body, standin.signed(event, secret, at=int(time.time()) - 301)[1]),
        (body, standin.signed(event, secret, at=int(time.time()) + 360)[1]),
        (b"\xff\xfe", good),
    ]
    assert {post(*each) for each in refused} == {400}
    assert not StripeEvent.objects.exists()


def test_whoever_guesses_signatures_is_told_to_wait_and_stripe_is_not(
    event: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    body, signature = standin.signed(event, standin.webhook_secret())
    forged = [post(body, "t=1,v1=00") for _ in range(62)]
    assert (forged[:60], forged[60:]) == ([400] * 60, [429] * 2)
    assert post(body, signature) == 200
    lines = [each.getMessage() for each in caplog.records if each.name == "proecommerce.security"]
    assert len([line for line in lines if line.startswith("event=forged_signature ip=127.0.0.1 ")]) == 62


def test_another_tenants_signature_is_refused(event: dict[str, Any], now: datetime) -> None:
    other = make(f"y{now:%H%M%S%f}", name="Other")
    with enter(other):
        standin.connect(now)
        foreign = standin.signed(event, standin.webhook_secret())
    assert post(*foreign) == 400
    with enter(other):
        assert post(*foreign) == 200  # it is its own; what it tells of is not
        standin.work(now)
        assert StripeEvent.objects.get().outcome == "gone at Stripe"


def test_what_is_no_event_is_refused_even_when_signed(shop: Any) -> None:
    secret = standin.webhook_secret()
    body: Any
    for body in ({}, [], {"id": 1}, {"id": "evt", "type": "x", "data": {"object": 3}, "created": 0},
                 {"id": "e" * 65, "type": "x", "data": {"object": {}}, "created": 1},
                 {"id": "evt\ud800", "type": "x", "data": {"object": {}}, "created": 1},
                 {"id": "evt\0", "type": "x", "data": {"object": {}}, "created": 1}):  # fmt: skip
        assert post(*standin.signed(body, secret)) == 400
    assert not StripeEvent.objects.exists()


def test_an_event_in_clear_is_refused_and_not_led_to_https(
    event: dict[str, Any], shop: Any, settings: Any
) -> None:
    settings.SECURE_COOKIES = settings.SECURE_SSL_REDIRECT = True
    body, signature = standin.signed(event, standin.webhook_secret())
    client = Client(HTTP_HOST=f"{shop.slug}.localhost", headers={"stripe-signature": signature})
    assert client.get("/log-in/").status_code == 301
    for secure, status in ((False, 403), (True, 200), (False, 403)):
        answer = client.post("/webhooks/stripe/", body, "application/json", secure=secure)
        assert (answer.status_code, "Location" in answer) == (status, False)


def test_bodies_of_five_megabytes_are_not_read(shop: Any) -> None:
    body = json.dumps({"id": "evt", "filler": "x" * 5_000_000}).encode()
    assert post(body, standin.signed({"id": "evt"}, standin.webhook_secret())[1]) == 413
    request = RequestFactory().get("/webhooks/stripe/")
    assert webhooks.stripe_webhook(request).status_code == 405


def test_after_disconnecting_nothing_is_taken(event: dict[str, Any], now: datetime) -> None:
    signed = standin.signed(event, standin.webhook_secret())
    assert post(*signed) == 200
    Payment.objects.update(state=State.CANCELED)
    disconnecting.disconnect(actor=SYSTEM, now=now)
    event["id"] = "evt_later"
    assert post(*signed) == 400
    StripeEvent.objects.all().delete()
    assert post(*signed) == 400


def test_a_new_connections_secret_is_taken_and_the_old_one_refused(
    event: dict[str, Any], now: datetime
) -> None:
    old = standin.webhook_secret()
    assert post(*standin.signed(event, old)) == 200
    Payment.objects.update(state=State.CANCELED)
    disconnecting.disconnect(actor=SYSTEM, now=now)
    standin.connect(now)
    again = {**event, "id": "evt_again"}
    assert post(*standin.signed(again, old)) == 400
    assert post(*standin.signed(again, standin.webhook_secret())) == 200


def test_every_order_of_a_payments_events_ends_the_same(customer: Any, now: datetime) -> None:
    """Declined, then paid, then refunded in part: told in each order, and twice."""
    ends = set()
    for turn, order in enumerate(itertools.permutations(range(4))):
        payment, told = _life(customer, now)
        for index in order:
            assert deliver(told[index]) == 200
            if turn % 2:
                standin.work(now)
        for index in reversed(order):
            assert deliver(told[index]) == 200
        standin.work(now)
        payment = Payment.objects.select_related("invoice").get(pk=payment.pk)
        entries = JournalEntry.objects.filter(invoice=payment.invoice_id)
        keys = sorted(
            key.split(":")[-1] if "payment" in key else key[:7]
            for key in entries.values_list("key", flat=True)
        )
        ends.add(
            (payment.state, payment.invoice.status, Refund.objects.filter(payment=payment).count(), *keys)
        )
    assert ends == {("succeeded", "paid", 1, "fee", "invoice", "refund:", "succeeded")}
    assert standin.balance("refunds") == 24 * 1000
    assert standin.balance("receivable") == 0


def _life(customer: Any, now: datetime) -> tuple[Payment, list[dict[str, Any]]]:
    payment = paid(standin.make_invoice(customer, now), now, "pm_card_visa_chargeDeclined")
    standin.confirm(payment)
    gateway = connecting.gateway()
    charge = gateway.intent(payment.external_id or "").charge
    gateway._ask("post", "refunds", charge=charge, amount=1000)  # type: ignore[attr-defined]
    wanted = {"payment_intent.payment_failed", "payment_intent.succeeded", "charge.refunded"}
    told = [event for event in events_about(payment.external_id) if event["type"] in wanted]
    told.append({**told[0], "id": f"evt_more{payment.pk.hex}", "type": "payment_intent.requires_action"})
    assert len(told) == 4
    return payment, told


def test_a_dispute_marks_the_invoice_and_pauses_autopay(customer: Any, now: datetime) -> None:
    invoice = standin.make_invoice(customer, now)
    standin.with_card(customer, now, "pm_card_createDispute")
    payments.collect_due(actor=SYSTEM, now=now)
    standin.work(now)
    payment = Payment.objects.get()
    for event in reversed(events_about(payment.external_id)):
        if event["type"].startswith("charge.dispute."):
            deliver(event)
    standin.work(now)
    dispute = Dispute.objects.get()
    invoice.refresh_from_db()
    assert dispute.payment == payment
    assert invoice.collection_paused
    assert PaymentProfile.objects.get().paused_reason == f"dispute {dispute.external_id}"
    assert standin.balance("disputes") == invoice.total
    standin.make_invoice(customer, now)
    assert payments.collect_due(actor=SYSTEM, now=now) == 0


def test_a_card_saved_without_a_payment_becomes_the_one_for_autopay(customer: Any, now: datetime) -> None:
    setup = cards.begin_setup(customer, actor=SYSTEM, now=now)
    standin.confirm_secret(setup.client_secret, "pm_card_mastercard")
    [event] = [e for e in standin.objects("event") if e["type"] == "setup_intent.succeeded"]
    assert deliver(event) == 200
    standin.work(now)
    card = PaymentMethod.objects.get()
    assert (card.brand, card.last4, card.is_default) == ("mastercard", "4444", True)
    assert PaymentProfile.objects.get().autopay


def test_a_dispute_that_is_won_lifts_what_it_paused(customer: Any, now: datetime) -> None:
    invoice = standin.make_invoice(customer, now)
    standin.with_card(customer, now, "pm_card_createDispute")
    payments.collect_due(actor=SYSTEM, now=now)
    standin.work(now)
    payment = Payment.objects.get()
    created = [e for e in events_about(payment.external_id) if e["type"] == "charge.dispute.created"]
    told = connecting.gateway().dispute(created[0]["data"]["object"]["id"])
    paid = connecting.gateway().intent(told.intent or "")
    disputing.apply_dispute(told, paid, actor=SYSTEM, now=now)
    assert PaymentProfile.objects.get().paused_reason
    for _ in range(2):
        disputing.apply_dispute(dataclasses.replace(told, status="won"), paid, actor=SYSTEM, now=now)
    invoice.refresh_from_db()
    assert (invoice.collection_paused, PaymentProfile.objects.get().paused_reason) == (False, "")
    assert AuditEvent.objects.filter(details__before__paused_reason=f"dispute {told.id}").count() == 1


def test_a_setup_told_again_brings_no_removed_card_back(customer: Any, now: datetime) -> None:
    setup = cards.begin_setup(customer, actor=SYSTEM, now=now)
    standin.confirm_secret(setup.client_secret, "pm_card_mastercard")
    told = connecting.gateway().setup(setup.id)
    assert cards.apply_setup(told, actor=SYSTEM, now=now) == "card saved"
    cards.remove(PaymentMethod.objects.get().pk, customer, actor=SYSTEM, now=now)
    assert cards.apply_setup(told, actor=SYSTEM, now=now) == "card known"
    assert PaymentMethod.objects.get().removed_at is not None
    assert not PaymentProfile.objects.get().autopay


def test_no_charge_is_announced_while_collection_is_paused(customer: Any, now: datetime) -> None:
    invoice = standin.make_invoice(customer, now)
    standin.with_card(customer, now)
    assert payments.will_collect(invoice, now=now)
    Invoice.objects.update(collection_paused=True)
    assert not payments.will_collect(invoice, now=now)


def test_a_card_detached_at_stripe_is_gone_here_and_autopay_with_it(customer: Any, now: datetime) -> None:
    card = standin.with_card(customer, now)
    connecting.gateway().detach_card(card.external_id)
    [event] = [e for e in standin.objects("event") if e["type"] == "payment_method.detached"]
    deliver(event)
    standin.work(now)
    card.refresh_from_db()
    assert card.removed_at is not None
    assert not PaymentProfile.objects.get().autopay


def test_a_card_removed_here_is_forgotten_at_stripe(customer: Any, now: datetime) -> None:
    first = standin.with_card(customer, now)
    second = standin.with_card(customer, now, "pm_card_mastercard")
    cards.remove(second.pk, customer, actor=SYSTEM, now=now)
    standin.work(now)
    first.refresh_from_db()
    assert first.is_default
    assert connecting.gateway().card(second.external_id).customer is None


def test_payments_of_others_in_the_same_account_are_left_alone(shop: Any, now: datetime) -> None:
    gateway = connecting.gateway()
    body = {"amount": 500, "currency": "eur", "payment_method": "pm_card_visa", "confirm": True,
            "automatic_payment_methods": {"enabled": True, "allow_redirects": "never"}}  # fmt: skip
    gateway._ask("post", "payment_intents", **body)  # type: ignore[attr-defined]
    [event] = [e for e in standin.objects("event") if e["type"] == "payment_intent.succeeded"]
    deliver(event)
    standin.work(now)
    assert StripeEvent.objects.get().outcome == "not ours"


def test_what_never_came_is_swept_up(invoice: Invoice, now: datetime) -> None:
    paid(invoice, now)
    assert sweeping.sweep(now=now) > 0
    standin.work(now)
    invoice.refresh_from_db()
    assert invoice.status == "paid"
    assert sweeping.sweep(now=now) == 0


def test_events_whose_job_was_lost_are_roused(event: dict[str, Any], invoice: Invoice, now: datetime) -> None:
    deliver(event)
    Job.objects.update(state=Job.State.DONE)
    later = now + timedelta(minutes=3)
    assert sweeping.rouse(now=later) == 1
    standin.work(later)
    invoice.refresh_from_db()
    assert invoice.status == "paid"


def test_settled_payments_need_no_event(invoice: Invoice, now: datetime) -> None:
    payment = paid(invoice, now)
    asking.ask(payment.pk, actor=SYSTEM, now=now)
    sweeping.sweep(now=now)
    assert not StripeEvent.objects.filter(type="payment_intent.succeeded").exists()


def test_stripe_itself_delivers_to_the_endpoint_that_was_registered(shop: Any) -> None:
    [endpoint] = standin.objects("webhook_endpoint")
    assert endpoint["url"].endswith("/webhooks/stripe/")
    assert shop.slug in endpoint["url"]
    assert "payment_intent.succeeded" in endpoint["enabled_events"]
