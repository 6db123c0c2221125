"""Killed at each step of collecting a payment, with Stripe failing as well: nothing doubled, nothing lost."""

import os
import signal
import traceback
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from celery import current_app
from django.db import connection
from django.test import RequestFactory

from billing import asking, collecting, failpoints, payments, sweeping, webhooks
from billing.models import JournalEntry, Payment
from billing.stripe_gateway import StripeBusy, client
from tenants.context import enter
from tenants.models import Job
from tenants.working import watch
from tests.billing.payments import standin
from tests.billing.payments.standin import SYSTEM

STEPS = ["before_row", "after_row", "after_call", "before_store", "before_commit", "before_publish"]
FAULTS = ["none", "lost", "error_after", "rate_limit", "reset_before", "unavailable"]
SOON, LATER = timedelta(minutes=10), timedelta(hours=2)


def run_and_kill(shop: Any, flow: str, invoice: Any, step: str) -> int:
    """Run the flow in a process of its own that is killed at the step; returns the signal that ended it.

    An error in it is no kill: it is printed, and makes the test fail.
    """
    connection.close()
    connection.close_pool()  # type: ignore[attr-defined]
    child = os.fork()
    if child == 0:
        code = 70
        try:
            # Nothing of the parent's sockets: other connections to Stripe, the database and the broker.
            client._held.clear()
            client.READ_SECONDS = 60  # a busy machine is none of the faults
            current_app.pool.force_close_all()
            failpoints._WANTED = step
            with enter(shop):
                _live(flow, invoice)
            code = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(code)
    ended = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert ended <= 0, "the process came to an error of its own"
    return -ended


def _live(flow: str, invoice: Any) -> None:
    """Go on after a fault, as a worker and a payer do, so that the kill meets what follows it as well."""
    now = datetime.now(UTC)
    if flow == "autopay":
        payments.collect_due(actor=SYSTEM, now=now)
        for at in (now, now + SOON, now + LATER):
            standin.work(at)
    else:
        press_pay(invoice, now)


def press_pay(invoice: Any, now: datetime) -> Payment:
    """The payer presses Pay until Stripe has answered."""
    for _ in range(3):
        payment = collecting.begin(invoice.pk, actor=SYSTEM, now=now)
        try:
            payment = collecting.send(payment.pk, actor=SYSTEM, now=now)
        except StripeBusy:
            continue
        if payment.external_id:
            break
    return payment


def is_reached(step: str, fault: str) -> bool:
    """What Stripe has carried out without an answer is asked for, and not called for once more."""
    return step not in {"after_call", "before_store"} or fault not in {"lost", "error_after"}


def deliver() -> None:
    """Stripe tells of all that happened: twice, the last first."""
    for event in standin.objects("event")[::-1] * 2:
        body, signature = standin.signed(event, standin.webhook_secret())
        request = RequestFactory().post(
            "/webhooks/stripe/", body, "application/json", headers={"Stripe-Signature": signature}
        )
        assert webhooks.stripe_webhook(request).status_code == 200


def recover(now: datetime) -> None:
    """What a living system does by itself: leases end, jobs run, questions are asked, events are swept."""
    for at in (now + SOON, now + LATER, now + 2 * LATER):
        watch(now=at)
        payments.collect_due(actor=SYSTEM, now=now)
        standin.work(at + timedelta(minutes=1))
    sweeping.sweep(now=now)
    standin.work(now + 3 * LATER)


def assert_collected_once(invoice: Any) -> None:
    invoice.refresh_from_db()
    payment = Payment.objects.get()
    assert [row["amount"] for row in standin.succeeded()] == [invoice.total]
    assert (payment.state, invoice.status, invoice.amount_paid) == ("succeeded", "paid", invoice.total)
    assert JournalEntry.objects.filter(key__startswith="payment:").count() == 2
    assert standin.balance("receivable") == 0
    assert standin.balance("stripe") == invoice.total - (payment.fee or 0)
    assert Job.objects.filter(name="billing.mail_receipt").count() == 1
    assert not Job.objects.filter(state=Job.State.PARKED).exists()


# Each step and each fault meets both: events that come, and events that are lost.
AUTOPAY = [
    (step, fault, (place + number) % 2 == 0)
    for place, step in enumerate(STEPS)
    for number, fault in enumerate(FAULTS)
]
CARD = [(step, fault, told) for step, fault, told in AUTOPAY if fault in {"none", "lost", "rate_limit"}]


@pytest.mark.parametrize(("step", "fault", "told"), AUTOPAY)
def test_autopay_killed_at_a_step_charges_once(
    shop: Any, invoice: Any, now: datetime, step: str, fault: str, told: bool
) -> None:
    standin.with_card(invoice.customer, now)
    if fault != "none":
        standin.fault(fault, path="/v1/payment_intents", method="POST")
    ended = run_and_kill(shop, "autopay", invoice, step)
    assert ended == (signal.SIGKILL if is_reached(step, fault) else 0)
    if told:
        deliver()
    recover(now)
    assert_collected_once(invoice)


@pytest.mark.parametrize(("step", "fault", "told"), CARD)
def test_a_payer_whose_server_is_killed_pays_once(
    shop: Any, invoice: Any, now: datetime, step: str, fault: str, told: bool
) -> None:
    if fault != "none":
        standin.fault(fault, path="/v1/payment_intents", method="POST")
    assert run_and_kill(shop, "card", invoice, step) == signal.SIGKILL
    payment = press_pay(invoice, now)
    standin.confirm(payment)
    if told:
        deliver()
        standin.work(now)
    else:
        asking.ask(payment.pk, actor=SYSTEM, now=now)
    assert_collected_once(invoice)
