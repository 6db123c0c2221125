"""Collecting: cards that work, cards that do not, answers that are lost, and never twice."""

import threading
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection

from audit.models import AuditEvent
from billing import asking, collecting, connecting, payments, settling
from billing.errors import Refused
from billing.models import JournalEntry, Payment, PaymentProfile
from billing.stripe_gateway import StripeBusy
from tenants.context import enter
from tenants.models import Job
from tests.billing.payments import standin
from tests.billing.payments.standin import SYSTEM

State = Payment.State
MINUTES = timedelta(minutes=6)


def refreshed(payment: Payment) -> Payment:
    return Payment.objects.select_related("invoice").get(pk=payment.pk)


def autopay(invoice: Any, now: datetime, token: str = "pm_card_visa") -> Payment:
    standin.with_card(invoice.customer, now, token)
    assert payments.collect_due(actor=SYSTEM, now=now) == 1
    return Payment.objects.get(invoice=invoice)


def test_autopay_charges_the_saved_card_on_the_due_day_and_books_it(invoice: Any, now: datetime) -> None:
    payment = autopay(invoice, now)
    standin.work(now)
    payment = refreshed(payment)
    assert (payment.state, payment.invoice.status) == (State.SUCCEEDED, "paid")
    assert payment.invoice.amount_paid == invoice.total
    assert standin.balance("receivable") == 0
    assert standin.balance("stripe") == invoice.total - (payment.fee or 0)
    assert standin.balance("fees") == payment.fee > 0  # type: ignore[operator]
    assert [row["amount"] for row in standin.succeeded()] == [invoice.total]
    actions = list(AuditEvent.objects.filter(subject_id=str(payment.pk)).values_list("action", flat=True))
    assert set(actions) == {"payment.begun", "payment.sent", "payment.succeeded", "fee.booked"}
    assert Job.objects.filter(name="billing.mail_receipt").count() == 1


def test_autopay_is_tried_once_an_invoice(invoice: Any, now: datetime) -> None:
    payment = autopay(invoice, now, "pm_card_chargeCustomerFail")
    standin.work(now)
    assert refreshed(payment).state == State.FAILED
    assert refreshed(payment).failure_code == "generic_decline"
    assert Job.objects.filter(name="billing.mail_payment_failed").count() == 1
    assert payments.collect_due(actor=SYSTEM, now=now + timedelta(days=1)) == 0
    assert standin.balance("stripe") == 0


def test_a_bank_that_wants_its_customer_leaves_the_payment_to_be_finished(
    invoice: Any, now: datetime
) -> None:
    payment = autopay(invoice, now, "pm_card_authenticationRequired")
    standin.work(now)
    assert refreshed(payment).state == State.NEEDS_ACTION
    assert Job.objects.filter(name="billing.mail_confirm_payment").count() == 1
    assert collecting.begin(invoice.pk, actor=SYSTEM, now=now).pk == payment.pk
    asked = standin.confirm(refreshed(payment), "pm_card_authenticationRequired")
    assert asked["status"] == "requires_action"
    standin.control("authenticate", intent=asked["id"])
    asking.ask(payment.pk, actor=SYSTEM, now=now)
    assert refreshed(payment).invoice.status == "paid"


@pytest.mark.parametrize("what", ["paused", "no autopay", "not due", "no card"])
def test_autopay_leaves_alone_what_it_must(invoice: Any, now: datetime, what: str) -> None:
    card = standin.with_card(invoice.customer, now)
    profile = PaymentProfile.objects.filter(customer=invoice.customer)
    day = now
    match what:
        case "paused":
            profile.update(paused_reason="dispute")
        case "no autopay":
            profile.update(autopay=False)
        case "not due":
            day = now - timedelta(days=2)
        case "no card":
            type(card).objects.update(is_default=False, removed_at=now)
    assert payments.collect_due(actor=SYSTEM, now=day) == 0


def test_a_payer_pays_with_a_card_and_keeps_it(invoice: Any, now: datetime) -> None:
    payment = collecting.begin(invoice.pk, actor=SYSTEM, now=now)
    payment = collecting.send(payment.pk, actor=SYSTEM, now=now)
    assert payment.state == State.NEEDS_ACTION
    secret = _secret(payment)
    standin.confirm_secret(secret, "pm_card_visa", setup_future_usage="off_session")
    payment = asking.ask(payment.pk, actor=SYSTEM, now=now)
    profile = PaymentProfile.objects.get(customer=invoice.customer)
    assert payment.state == State.SUCCEEDED
    assert profile.autopay
    assert invoice.customer.payment_methods.get().is_default
    assert payment.note == "Visa •••• 4242"


def test_after_a_decline_the_same_payment_goes_on_with_another_card(invoice: Any, now: datetime) -> None:
    payment = collecting.begin(invoice.pk, actor=SYSTEM, now=now)
    payment = collecting.send(payment.pk, actor=SYSTEM, now=now)
    standin.confirm(payment, "pm_card_visa_chargeDeclinedInsufficientFunds")
    payment = asking.ask(payment.pk, actor=SYSTEM, now=now)
    assert (payment.state, payment.failure_code) == (State.NEEDS_ACTION, "insufficient_funds")
    standin.confirm(payment, "pm_card_visa")
    payment = asking.ask(payment.pk, actor=SYSTEM, now=now)
    assert (payment.state, payment.failure_code) == (State.SUCCEEDED, "")
    assert len(standin.succeeded()) == 1


@pytest.mark.parametrize("kind", ["lost", "error_after", "error_before", "reset_before", "unavailable"])
def test_a_lost_answer_is_asked_about_and_the_card_charged_once(
    invoice: Any, now: datetime, kind: str
) -> None:
    payment = autopay(invoice, now)
    standin.fault(kind, path="/v1/payment_intents", method="POST")
    standin.work(now)
    assert refreshed(payment).state == State.UNKNOWN
    standin.work(now + MINUTES)
    standin.work(now + MINUTES * 12)
    assert refreshed(payment).state in {State.SUCCEEDED, State.UNKNOWN}
    if kind != "error_before":  # Stripe keeps a 500 of a request that began as its answer to that key
        assert refreshed(payment).state == State.SUCCEEDED
        assert len(standin.succeeded()) == 1
    assert JournalEntry.objects.filter(key=f"payment:{payment.pk}:succeeded").count() == len(
        standin.succeeded()
    )


def test_what_stripe_never_heard_of_is_not_posted_again_after_23_hours(invoice: Any, now: datetime) -> None:
    payment = autopay(invoice, now)
    standin.fault("reset_before", path="/v1/payment_intents", method="POST", times=None)
    standin.work(now)
    sent_at = refreshed(payment).sent_at
    assert sent_at is not None
    late = sent_at + timedelta(hours=23)
    standin.control("clear_faults")
    asking.ask(payment.pk, actor=SYSTEM, now=late)
    assert refreshed(payment).state == State.PARKED
    assert AuditEvent.objects.filter(action="payment.parked", subject_id=str(payment.pk)).exists()
    assert standin.objects("payment_intent") == []


def test_too_many_requests_are_tried_again(invoice: Any, now: datetime) -> None:
    payment = autopay(invoice, now)
    standin.fault("rate_limit", path="/v1/payment_intents", method="POST")
    with pytest.raises(StripeBusy):
        collecting.send(payment.pk, actor=SYSTEM, now=now)
    assert collecting.send(payment.pk, actor=SYSTEM, now=now).state == State.SUCCEEDED


def test_sending_twice_charges_once(invoice: Any, now: datetime) -> None:
    payment = autopay(invoice, now)
    before = Payment.objects.get(pk=payment.pk)
    collecting.send(payment.pk, actor=SYSTEM, now=now)
    Payment.objects.filter(pk=payment.pk).update(state=State.SENT, external_id=None, settled_at=None)
    assert before.state == State.CREATED
    gateway_answer = collecting.send(payment.pk, actor=SYSTEM, now=now)
    assert gateway_answer.external_id == standin.succeeded()[0]["payment_intent"]
    assert len(standin.succeeded()) == 1


def test_an_amount_that_does_not_fit_is_parked_and_never_booked(invoice: Any, now: datetime) -> None:
    payment = collecting.begin(invoice.pk, actor=SYSTEM, now=now)
    payment = collecting.send(payment.pk, actor=SYSTEM, now=now)
    standin.confirm(payment)
    Payment.objects.filter(pk=payment.pk).update(amount=payment.amount - 1)
    payment = asking.ask(payment.pk, actor=SYSTEM, now=now)
    assert payment.state == State.PARKED
    assert standin.balance("stripe") == 0
    assert refreshed(payment).invoice.status == "open"


def test_money_received_otherwise_is_booked_and_never_too_much(invoice: Any, now: datetime) -> None:
    received: Any = {"received_on": now.date() - timedelta(days=1), "actor": SYSTEM, "now": now}
    payments.record_manual(invoice, amount=1900, note="transfer", **received)
    for amount in (0, 10001):
        with pytest.raises(Refused):
            payments.record_manual(invoice, amount=amount, **received)
    payment = payments.record_manual(invoice, amount=10000, **received)
    assert refreshed(payment).invoice.status == "paid"
    assert (standin.balance("bank"), standin.balance("receivable")) == (11900, 0)
    with pytest.raises(collecting.NothingDue):
        collecting.begin(invoice.pk, actor=SYSTEM, now=now)


def test_a_payer_who_left_is_forgotten_after_a_day(invoice: Any, now: datetime) -> None:
    payment = collecting.begin(invoice.pk, actor=SYSTEM, now=now)
    collecting.send(payment.pk, actor=SYSTEM, now=now)
    asking.ask(payment.pk, actor=SYSTEM, now=now + timedelta(hours=2))
    assert refreshed(payment).state == State.NEEDS_ACTION
    asking.ask(payment.pk, actor=SYSTEM, now=now + timedelta(days=1))
    assert refreshed(payment).state == State.CANCELED
    assert collecting.begin(invoice.pk, actor=SYSTEM, now=now).pk != payment.pk


def test_settling_twice_at_once_books_once(shop: Any, invoice: Any, now: datetime) -> None:
    payment = collecting.send(collecting.begin(invoice.pk, actor=SYSTEM, now=now).pk, actor=SYSTEM, now=now)
    standin.confirm(payment)
    intent = connecting.gateway().intent(payment.external_id or "")
    _at_once(shop, 8, lambda: settling.apply_intent(payment.pk, intent, actor=SYSTEM, now=now))
    assert standin.balance("receivable") == 0
    assert AuditEvent.objects.filter(action="payment.succeeded").count() == 1


def test_twenty_who_pay_the_same_invoice_at_once_make_one_payment(
    shop: Any, invoice: Any, now: datetime
) -> None:
    seen: set[Any] = set()

    def pay() -> None:
        payment = collecting.begin(invoice.pk, actor=SYSTEM, now=now)
        seen.add(payment.pk)
        collecting.send(payment.pk, actor=SYSTEM, now=now)

    _at_once(shop, 20, pay)
    assert len(seen) == 1
    assert Payment.objects.count() == 1
    assert len(standin.objects("payment_intent")) == 1


def _at_once(tenant: Any, times: int, call: Any) -> None:
    failures: list[BaseException] = []
    gate = threading.Barrier(times)

    def run() -> None:
        try:
            with enter(tenant):
                gate.wait()
                call()
        except StripeBusy:
            pass
        except BaseException as error:
            failures.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _ in range(times)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


def _secret(payment: Payment) -> str:
    return str(connecting.gateway().intent(payment.external_id or "").client_secret)
