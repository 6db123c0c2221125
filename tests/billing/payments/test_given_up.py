"""What was given up without Stripe's word is asked about once its account is back, before anything else."""

import contextlib
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import RequestFactory

from billing import (
    asking,
    collecting,
    connecting,
    disconnecting,
    handling,
    payments,
    stripe_gateway,
    sweeping,
    webhooks,
)
from billing.models import Payment, PaymentProfile, StripeConnection, StripeEvent
from billing.portal import standing
from billing.stripe_gateway import StripeNoAccess
from tests.billing.payments import standin
from tests.billing.payments.standin import SYSTEM

State = Payment.State
MINUTE = timedelta(minutes=1)


@pytest.fixture
def key(shop: Any) -> str:
    sealed = connecting.require().sealed_key
    assert sealed is not None
    return str(sealed.reveal())


@contextlib.contextmanager
def refused_key() -> Any:
    """Stripe refuses our key in here."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(connecting, "gateway", lambda: stripe_gateway.gateway_of_key("rk_live_rolled"))
        yield


def connect_again(key: str, now: datetime) -> StripeConnection:
    return connecting.connect_by_key(key, f"pk_test_{key[8:]}", actor=SYSTEM, now=now)


def opened(invoice: Any, now: datetime) -> Payment:
    return collecting.send(collecting.begin(invoice.pk, actor=SYSTEM, now=now).pk, actor=SYSTEM, now=now)


def told(intent: str | None, kind: str, now: datetime) -> StripeEvent:
    """The event about the intent, come by webhook."""
    [event] = [
        e for e in standin.objects("event") if e["type"] == kind and e["data"]["object"]["id"] == intent
    ]
    body, signature = standin.signed(event, standin.webhook_secret())
    request = RequestFactory().post(
        "/webhooks/stripe/", body, "application/json", headers={"Stripe-Signature": signature}
    )
    assert webhooks.stripe_webhook(request).status_code == 200
    return StripeEvent.objects.get(external_id=event["id"])


@pytest.fixture
def gap(invoice: Any, key: str, now: datetime) -> tuple[Payment, StripeEvent]:
    """Paid while our key was refused; given up by disconnecting; its event tried again in the gap."""
    standin.with_card(invoice.customer, now)
    payment = opened(invoice, now)
    standin.confirm(payment)
    event = told(payment.external_id, "payment_intent.succeeded", now)
    with refused_key():
        with pytest.raises(StripeNoAccess):
            handling.handle(event.pk, now=now)
        disconnecting.disconnect(actor=SYSTEM, now=now)
    assert handling.handle(event.pk, now=now + MINUTE) == "not connected"
    assert Payment.objects.get().state == State.CANCELED
    return payment, event


def test_a_payment_made_before_the_account_was_given_back_is_booked_when_it_returns(
    gap: tuple[Payment, StripeEvent], invoice: Any, key: str, now: datetime
) -> None:
    connect_again(key, now + 2 * MINUTE)
    assert payments.collect_due(actor=SYSTEM, now=now + 3 * MINUTE) == 0
    with pytest.raises(collecting.OutcomeOpen):
        collecting.begin(invoice.pk, actor=SYSTEM, now=now + 3 * MINUTE)
    assert standing.standing_of(invoice).step == standing.Step.WAITING
    standin.work(now + 4 * MINUTE)
    invoice.refresh_from_db()
    payment, event = Payment.objects.get(), StripeEvent.objects.get(pk=gap[1].pk)
    assert (payment.state, payment.unanswered_by, invoice.status) == (State.SUCCEEDED, "", "paid")
    assert event.handled_at is not None
    assert len(standin.succeeded()) == 1
    assert standin.balance("receivable") == 0


def test_its_event_alone_settles_it_too(
    gap: tuple[Payment, StripeEvent], invoice: Any, key: str, now: datetime
) -> None:
    connect_again(key, now + 2 * MINUTE)
    assert handling.handle(gap[1].pk, now=now + 3 * MINUTE) == "payment succeeded"
    invoice.refresh_from_db()
    assert (invoice.status, Payment.objects.get().unanswered_by) == ("paid", "")


def test_the_payer_who_comes_first_is_told_that_it_is_paid(
    gap: tuple[Payment, StripeEvent], invoice: Any, key: str, now: datetime
) -> None:
    connect_again(key, now + 2 * MINUTE)
    standing.pay(invoice, actor=SYSTEM, now=now + 3 * MINUTE)
    invoice.refresh_from_db()
    assert (invoice.status, Payment.objects.count()) == ("paid", 1)


def test_one_that_nobody_paid_can_be_paid_no_more_and_its_invoice_is_free(
    invoice: Any, key: str, now: datetime
) -> None:
    payment = opened(invoice, now)
    secret = connecting.gateway().intent(payment.external_id or "").client_secret
    with refused_key():
        disconnecting.disconnect(actor=SYSTEM, now=now)
    connect_again(key, now + MINUTE)
    asking.ask(payment.pk, actor=SYSTEM, now=now + MINUTE)
    assert standin.confirm_secret(secret, "pm_card_visa")["error"]
    assert Payment.objects.get().unanswered_by == ""
    assert collecting.begin(invoice.pk, actor=SYSTEM, now=now + MINUTE).pk != payment.pk


def test_another_account_is_not_asked_and_not_held_up(
    gap: tuple[Payment, StripeEvent], invoice: Any, key: str, now: datetime
) -> None:
    standin.connect(now + 2 * MINUTE)
    standin.work(now + 3 * MINUTE)
    assert StripeEvent.objects.get(pk=gap[1].pk).outcome == "gone at Stripe"
    assert asking.ask(gap[0].pk, actor=SYSTEM, now=now + 3 * MINUTE).state == State.CANCELED
    new = collecting.begin(invoice.pk, actor=SYSTEM, now=now + 3 * MINUTE)
    assert new.pk != gap[0].pk
    # Back at the first account: what it lists is handled, though it was asked of the other before.
    disconnecting.disconnect(actor=SYSTEM, now=now + 4 * MINUTE)
    connect_again(key, now + 5 * MINUTE)
    sweeping.sweep(now=now + 6 * MINUTE)
    assert StripeEvent.objects.get(pk=gap[1].pk).handled_at is None
    standin.work(now + 7 * MINUTE)
    assert Payment.objects.get(pk=gap[0].pk).state == State.SUCCEEDED
    assert StripeEvent.objects.get(pk=gap[1].pk).outcome == "payment succeeded"


def test_events_wait_while_nobody_could_be_asked(gap: tuple[Payment, StripeEvent], now: datetime) -> None:
    assert sweeping.rouse(now=now + timedelta(hours=2)) == 0
    standin.work(now + timedelta(hours=3))
    assert StripeEvent.objects.get(pk=gap[1].pk).handled_at is None


def test_one_whose_customer_there_is_forgotten_is_found_among_all_of_the_account(
    gap: tuple[Payment, StripeEvent], invoice: Any, key: str, now: datetime
) -> None:
    """The answer with its id was lost, and other accounts were connected meanwhile: nothing names it here."""
    sent = datetime.now(UTC)  # by Stripe's clock
    Payment.objects.filter(pk=gap[0].pk).update(external_id=None, sent_at=sent)
    PaymentProfile.objects.update(stripe_customer="")
    StripeEvent.objects.all().delete()
    connect_again(key, now + 2 * MINUTE)
    assert asking.ask(gap[0].pk, actor=SYSTEM, now=now + 3 * MINUTE).state == State.SUCCEEDED
    invoice.refresh_from_db()
    assert invoice.status == "paid"
    assert Payment.objects.get().ask_at is None
