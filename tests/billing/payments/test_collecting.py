"""Collecting: cards that work, cards that do not, answers that are lost, and never twice."""

import threading
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection

from audit.models import AuditEvent
from billing import asking, cards, collecting, connecting, payments, settling
from billing.errors import Refused
from billing.models import Invoice, JournalEntry, Payment, PaymentProfile
from billing.periods import local_date
from billing.running import run_invoices
from billing.stripe_gateway import StripeBusy
from privacy import restricting
from privacy.subjects import Subject
from tenants.context import current_tenant, enter
from tenants.models import Job
from tests.billing.invoicing import making
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


def test_an_invoice_that_the_run_issues_on_its_due_day_is_collected_that_day(
    customer: Any, now: datetime
) -> None:
    standin.with_card(customer, now)
    assert payments.collect_due(actor=SYSTEM, now=now) == 0  # the morning's look
    today = local_date(now, current_tenant().zone)
    for day in (today, today + timedelta(days=3)):
        making.subscription(customer, making.price(1000), due=day)
    assert run_invoices(actor=SYSTEM, now=now).invoices == 2
    standin.work(now)
    standin.work(now + timedelta(minutes=1))
    paid = {invoice.due_on: invoice.status for invoice in Invoice.objects.all()}
    assert paid == {today: "paid", today + timedelta(days=3): "open"}


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


WITHDRAWN = ["paused", "no autopay", "invoice paused", "another card", "restricted", "suspended"]


def withdraw(what: str, invoice: Any, now: datetime) -> None:
    """What comes between the payment's row and its call."""
    customer = invoice.customer
    profile = PaymentProfile.objects.filter(customer=customer)
    match what:
        case "paused":
            profile.update(paused_reason="dispute dp_1")
        case "no autopay":
            cards.set_autopay(customer, on=False, actor=SYSTEM, now=now)
        case "invoice paused":
            type(invoice).objects.filter(pk=invoice.pk).update(collection_paused=True)
        case "another card":
            standin.with_card(customer, now, "pm_card_mastercard")
        case "restricted":
            restricting.restrict(Subject("customer", str(customer.pk)), reason="asked", actor=SYSTEM, now=now)
        case "suspended":
            current_tenant().status = "suspended"


@pytest.mark.parametrize("what", WITHDRAWN)
def test_a_charge_that_is_queued_is_not_made_once_nobody_wants_it(
    invoice: Any, now: datetime, what: str
) -> None:
    payment = autopay(invoice, now)
    withdraw(what, invoice, now)
    collecting.send(payment.pk, actor=SYSTEM, now=now)
    assert refreshed(payment).state == State.CANCELED
    assert standin.objects("payment_intent") == []
    current_tenant().status = "active"
    again = payments.collect_due(actor=SYSTEM, now=now + timedelta(days=1))
    assert again == (1 if what in {"another card", "suspended"} else 0)


@pytest.mark.parametrize("what", ["no autopay", "another card"])
def test_a_charge_that_never_came_to_stripe_is_not_posted_again_once_nobody_wants_it(
    invoice: Any, now: datetime, what: str
) -> None:
    payment = autopay(invoice, now)
    standin.fault("reset_before", path="/v1/payment_intents", method="POST")
    standin.work(now)
    assert refreshed(payment).state == State.UNKNOWN
    withdraw(what, invoice, now)
    assert collecting.send(payment.pk, actor=SYSTEM, now=now + MINUTES).state == State.UNKNOWN
    assert asking.ask(payment.pk, actor=SYSTEM, now=now + MINUTES).state == State.UNKNOWN
    assert asking.ask(payment.pk, actor=SYSTEM, now=now + MINUTES * 12).state == State.CANCELED
    assert standin.objects("payment_intent") == []
    again = payments.collect_due(actor=SYSTEM, now=now + timedelta(days=1))
    assert again == (1 if what == "another card" else 0)


def test_a_charge_that_was_made_is_booked_though_nobody_wants_it_any_more(
    invoice: Any, now: datetime
) -> None:
    payment = autopay(invoice, now)
    standin.fault("lost", path="/v1/payment_intents", method="POST")
    standin.work(now)
    withdraw("no autopay", invoice, now)
    assert asking.ask(payment.pk, actor=SYSTEM, now=now + MINUTES * 12).state == State.SUCCEEDED


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
    gateway = connecting.gateway()
    known = collecting.ensure_customer(payment.customer, gateway)
    assert collecting._mark_sent(payment.pk, actor=SYSTEM, now=now)
    first = gateway.create_intent(collecting._request(payment, known), key=str(payment.pk))
    # Killed before the answer was stored.
    for _ in range(2):
        assert collecting.send(payment.pk, actor=SYSTEM, now=now).external_id == first.id
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
