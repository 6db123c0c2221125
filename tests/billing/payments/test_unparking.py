"""A payment that waits for a person has two ways out, and neither loses money that Stripe has taken."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from audit.models import AuditEvent
from billing import collecting, connecting, disconnecting, settling, unparking
from billing.errors import Refused
from billing.models import Payment
from tenants.ids import new_id
from tests.billing.payments import standin
from tests.billing.payments.standin import SYSTEM

State = Payment.State
DAY = timedelta(days=1)


def parked(invoice: Any, now: datetime) -> Payment:
    payment = collecting.begin(invoice.pk, actor=SYSTEM, now=now)
    payment = collecting.send(payment.pk, actor=SYSTEM, now=now)
    return settling.park(payment.pk, "for a test", actor=SYSTEM, now=now)


def test_asked_again_a_payment_that_was_paid_is_booked(invoice: Any, now: datetime) -> None:
    payment = parked(invoice, now)
    standin.confirm(payment)
    with pytest.raises(Refused, match="succeeded"):
        unparking.did_not_happen(payment, reason="I think so", actor=SYSTEM, now=now + DAY)
    payment = unparking.ask_again(payment, actor=SYSTEM, now=now + DAY)
    assert (payment.state, payment.note) == (State.SUCCEEDED, "Visa •••• 4242")
    assert standin.balance("receivable") == 0
    with pytest.raises(Refused):
        unparking.ask_again(payment, actor=SYSTEM, now=now + DAY)


def test_asked_again_one_that_nobody_paid_in_time_is_cancelled(invoice: Any, now: datetime) -> None:
    payment = unparking.ask_again(parked(invoice, now), actor=SYSTEM, now=now + DAY)
    assert payment.state == State.CANCELED


def test_what_did_not_happen_is_cancelled_at_stripe_too_and_the_invoice_is_free(
    invoice: Any, now: datetime
) -> None:
    payment = parked(invoice, now)
    unparking.did_not_happen(payment, reason="Not in Stripe", actor=SYSTEM, now=now)
    assert Payment.objects.get(pk=payment.pk).state == State.CANCELED
    assert standin.confirm(payment)["error"]
    event = AuditEvent.objects.get(action="payment.canceled", subject_id=str(payment.pk))
    assert event.details["why"] == "Not in Stripe"
    assert collecting.begin(invoice.pk, actor=SYSTEM, now=now).pk != payment.pk


def test_what_stripe_never_heard_of_is_given_up_by_a_persons_word_only_after_23_hours(
    invoice: Any, now: datetime
) -> None:
    payment = parked(invoice, now)
    Payment.objects.update(id=new_id(), external_id=None)
    payment = Payment.objects.get()
    with pytest.raises(Refused, match="knows of no"):
        unparking.ask_again(payment, actor=SYSTEM, now=now)
    with pytest.raises(Refused, match="23 hours"):
        unparking.did_not_happen(payment, reason="x", actor=SYSTEM, now=now)
    ended = unparking.did_not_happen(payment, reason="x", actor=SYSTEM, now=now + DAY)
    assert ended.state == State.CANCELED


def test_while_its_account_is_gone_a_persons_word_ends_it_and_the_account_is_asked_when_it_returns(
    invoice: Any, now: datetime
) -> None:
    payment = parked(invoice, now)
    standin.confirm(payment)
    key = connecting.require().sealed_key.reveal()  # type: ignore[union-attr]
    disconnecting.disconnect(actor=SYSTEM, now=now)
    with pytest.raises(Refused, match="23 hours"):
        unparking.did_not_happen(payment, reason="Not on my list", actor=SYSTEM, now=now)
    ended = unparking.did_not_happen(payment, reason="Not on my list", actor=SYSTEM, now=now + DAY)
    assert ended.state == State.CANCELED
    connecting.connect_by_key(key, f"pk_test_{key[8:]}", actor=SYSTEM, now=now + DAY)
    standin.work(now + DAY)
    assert Payment.objects.get().state == State.SUCCEEDED
