"""Killed at each step of collecting a payment, with Stripe failing as well: nothing doubled, nothing lost."""

import os
import signal
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from celery import current_app
from django.db import connection

from billing import asking, collecting, failpoints, payments, sweeping
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
    """Run the flow in a process of its own that is killed at the step; returns the signal that ended it."""
    connection.close()
    connection.close_pool()  # type: ignore[attr-defined]
    child = os.fork()
    if child == 0:
        code = 70
        try:
            # Nothing of the parent's sockets: other connections to Stripe, the database and the broker.
            client._held.clear()
            current_app.pool.force_close_all()
            failpoints._WANTED = step
            with enter(shop):
                _live(flow, invoice)
            code = 0
        finally:
            os._exit(code)
    return os.WTERMSIG(os.waitpid(child, 0)[1])


def _live(flow: str, invoice: Any) -> None:
    now = datetime.now(UTC)
    if flow == "autopay":
        payments.collect_due(actor=SYSTEM, now=now)
        standin.work(now)
    else:
        payment = collecting.begin(invoice.pk, actor=SYSTEM, now=now)
        collecting.send(payment.pk, actor=SYSTEM, now=now)


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


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("step", STEPS)
def test_autopay_killed_at_a_step_charges_once(
    shop: Any, invoice: Any, now: datetime, step: str, fault: str
) -> None:
    standin.with_card(invoice.customer, now)
    if fault != "none":
        standin.fault(fault, path="/v1/payment_intents", method="POST")
    ended = run_and_kill(shop, "autopay", invoice, step)
    if fault == "none":
        assert ended == signal.SIGKILL
    recover(now)
    assert_collected_once(invoice)


@pytest.mark.parametrize("step", STEPS)
def test_a_payer_whose_server_is_killed_pays_once(shop: Any, invoice: Any, now: datetime, step: str) -> None:
    assert run_and_kill(shop, "card", invoice, step) == signal.SIGKILL
    payment = collecting.begin(invoice.pk, actor=SYSTEM, now=now)
    for _ in range(3):
        try:
            payment = collecting.send(payment.pk, actor=SYSTEM, now=now)
        except StripeBusy:
            continue
    standin.confirm(payment)
    asking.ask(payment.pk, actor=SYSTEM, now=now)
    assert_collected_once(invoice)
