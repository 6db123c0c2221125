"""A key that Stripe refuses says nothing of a payment: no card is charged twice, and none is given up."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from billing import asking, collecting, connecting, disconnecting, payments, scheduling, stripe_gateway
from billing.models import Payment
from billing.stripe_gateway import StripeBusy, StripeNoAccess
from tenants.models import Job
from tests.billing.payments import standin
from tests.billing.payments.standin import SYSTEM

State = Payment.State
SECOND = timedelta(seconds=1)


@pytest.fixture
def refuse(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Have Stripe refuse our key from now on, or no more."""
    good = connecting.gateway

    def switch(on: bool = True) -> None:
        bad = stripe_gateway.gateway_of_key("rk_live_rolled")
        monkeypatch.setattr(connecting, "gateway", (lambda: bad) if on else good)

    return switch


def autopay(invoice: Any, now: datetime) -> Payment:
    standin.with_card(invoice.customer, now)
    assert payments.collect_due(actor=SYSTEM, now=now) == 1
    return Payment.objects.get(invoice=invoice)


def test_a_charged_card_is_never_written_failed_because_the_key_was_rolled(
    invoice: Any, now: datetime, refuse: Any
) -> None:
    payment = autopay(invoice, now)
    collecting.send(payment.pk, actor=SYSTEM, now=now)
    assert len(standin.succeeded()) == 1
    # Killed before the answer was stored.
    Payment.objects.filter(pk=payment.pk).update(state=State.SENT, external_id=None, settled_at=None)
    refuse()
    assert collecting.send(payment.pk, actor=SYSTEM, now=now + SECOND).state == State.UNKNOWN
    with pytest.raises(StripeNoAccess):
        asking.ask(payment.pk, actor=SYSTEM, now=now + SECOND)
    assert Payment.objects.get(pk=payment.pk).state == State.UNKNOWN
    assert asking.ask(payment.pk, actor=SYSTEM, now=now + timedelta(hours=24)).state == State.PARKED
    assert payments.collect_due(actor=SYSTEM, now=now + timedelta(days=2)) == 0


def test_a_post_that_is_refused_when_repeated_does_not_hide_that_the_first_one_charged(
    invoice: Any, now: datetime
) -> None:
    payment = autopay(invoice, now)
    card = payment.payment_method
    assert card is not None
    gateway = connecting.gateway()
    known = collecting.ensure_customer(payment.customer, gateway)
    gateway.create_intent(collecting._request(payment, known), key="forgotten by Stripe")
    gateway.detach_card(card.external_id)
    Payment.objects.filter(pk=payment.pk).update(state=State.SENT, sent_at=now)
    assert collecting.send(payment.pk, actor=SYSTEM, now=now + SECOND).state == State.SUCCEEDED
    assert len(standin.succeeded()) == 1


def test_what_was_never_sent_waits_for_a_good_key(invoice: Any, now: datetime, refuse: Any) -> None:
    payment = autopay(invoice, now)
    refuse()
    with pytest.raises(StripeBusy):
        collecting.send(payment.pk, actor=SYSTEM, now=now)
    held = Payment.objects.get(pk=payment.pk)
    assert (held.state, held.sent_at) == (State.CREATED, None)
    refuse(False)
    assert collecting.send(payment.pk, actor=SYSTEM, now=now).state == State.SUCCEEDED


def test_autopay_tries_again_another_day_what_failed_by_the_tenants_own_fault(
    invoice: Any, now: datetime, refuse: Any
) -> None:
    payment = autopay(invoice, now)
    refuse()
    late = now + scheduling.IDLE_UNSENT
    assert asking.ask(payment.pk, actor=SYSTEM, now=late).state == State.CANCELED
    assert payments.collect_due(actor=SYSTEM, now=now) == 0
    tomorrow = now + timedelta(days=1)
    assert payments.collect_due(actor=SYSTEM, now=tomorrow) == 1
    Payment.objects.filter(state=State.CREATED).update(
        state=State.FAILED, failure_code="refused", sent_at=tomorrow
    )
    assert payments.collect_due(actor=SYSTEM, now=tomorrow) == 0
    assert payments.collect_due(actor=SYSTEM, now=tomorrow + timedelta(days=1)) == 1


def test_the_daily_net_finds_an_autopay_payment_whose_job_has_ended(invoice: Any, now: datetime) -> None:
    payment = autopay(invoice, now)
    Job.objects.filter(name="billing.collect").update(state=Job.State.PARKED)
    assert payment.pk in asking.due(now + timedelta(days=1))
    assert asking.ask(payment.pk, actor=SYSTEM, now=now + timedelta(hours=2)).state == State.SUCCEEDED


def test_disconnecting_frees_invoices_whose_pay_page_was_opened(
    customer: Any, invoice: Any, now: datetime
) -> None:
    opened = collecting.begin(invoice.pk, actor=SYSTEM, now=now)
    opened = collecting.send(opened.pk, actor=SYSTEM, now=now)
    other = standin.make_invoice(customer, now)
    begun = collecting.begin(other.pk, actor=SYSTEM, now=now)
    gateway = connecting.gateway()
    disconnecting.disconnect(actor=SYSTEM, now=now)
    assert set(Payment.objects.values_list("state", flat=True)) == {State.CANCELED}
    assert gateway.intent(opened.external_id or "").status == "canceled"
    assert not collecting.in_flight(other), begun.pk
    payments.record_manual(invoice, amount=invoice.total, received_on=now.date(), actor=SYSTEM, now=now)


@pytest.mark.parametrize("another", [False, True])
def test_what_waits_in_an_account_that_is_gone_is_cancelled(
    shop: Any, invoice: Any, now: datetime, another: bool
) -> None:
    payment = collecting.begin(invoice.pk, actor=SYSTEM, now=now)
    payment = collecting.send(payment.pk, actor=SYSTEM, now=now)
    type(connecting.require()).objects.update(
        disconnected_at=now, sealed_key=None, sealed_webhook_secret=None
    )
    if another:
        standin.connect(now + SECOND)
    assert asking.ask(payment.pk, actor=SYSTEM, now=now + SECOND).state == State.CANCELED
