"""A payment that waits for its payer is no wall: staff end it, void the invoice, or record other money."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from accounts.people import create_user
from billing import asking, collecting, payments, withdrawing
from billing.errors import Refused
from billing.models import Invoice, Payment
from tests import logging_in
from tests.billing.payments import standin
from tests.billing.payments.standin import SYSTEM

State = Payment.State


@pytest.fixture
def staff(shop: Any, now: datetime) -> Client:
    person = create_user(
        email="staff@lind.example", name="Staff", role="billing", password=None, actor=SYSTEM, now=now
    )
    client = Client(headers={"host": f"{shop.slug}.localhost"})
    logging_in.enter(client, person)
    return client


def opened(invoice: Any, now: datetime) -> Payment:
    return collecting.send(collecting.begin(invoice.pk, actor=SYSTEM, now=now).pk, actor=SYSTEM, now=now)


def test_staff_end_an_opened_payment_which_nobody_can_pay_then(
    staff: Client, invoice: Any, now: datetime
) -> None:
    payment = opened(invoice, now)
    page = f"/manage/invoices/{invoice.pk}/"
    assert f"payments/{payment.pk}/end/" in staff.get(page).text
    answer = staff.post(f"{page}payments/{payment.pk}/end/", follow=True)
    assert "ended, at Stripe too" in answer.text
    assert f"payments/{payment.pk}/end/" not in answer.text
    assert Payment.objects.get().state == State.CANCELED
    assert standin.confirm(payment)["error"]
    assert "has ended" in staff.post(f"{page}payments/{payment.pk}/end/", follow=True).text


def test_what_was_paid_meanwhile_is_booked_instead_and_an_open_outcome_stays(
    invoice: Any, customer: Any, now: datetime
) -> None:
    payment = opened(invoice, now)
    standin.confirm(payment)
    with pytest.raises(Refused, match="paid in this very moment"):
        withdrawing.end(payment, actor=SYSTEM, now=now)
    invoice.refresh_from_db()
    assert invoice.status == "paid"
    other = opened(standin.make_invoice(customer, now), now)
    Payment.objects.filter(pk=other.pk).update(state=State.UNKNOWN)
    with pytest.raises(Refused, match="at work"):
        withdrawing.end(other, actor=SYSTEM, now=now)


@pytest.mark.parametrize("way", ["void", "payment"])
def test_an_opened_pay_page_holds_up_neither_voiding_nor_a_bank_transfer(
    staff: Client, invoice: Any, now: datetime, way: str
) -> None:
    payment = opened(invoice, now)
    form = {"amount": "119.00", "received_on": f"{now:%Y-%m-%d}", "reason": "Sent twice"}
    staff.post(f"/manage/invoices/{invoice.pk}/{way}/", form)
    assert Invoice.objects.get().status == {"void": "void", "payment": "paid"}[way]
    assert standin.confirm(payment)["error"]


def test_an_opened_pay_page_that_is_left_makes_autopay_late_by_no_day(invoice: Any, now: datetime) -> None:
    standin.with_card(invoice.customer, now)
    payment = opened(invoice, now)
    assert payments.collect_due(actor=SYSTEM, now=now) == 0
    later = now + timedelta(days=1)
    assert asking.ask(payment.pk, actor=SYSTEM, now=later).state == State.CANCELED
    standin.work(later)
    standin.work(later + timedelta(minutes=1))
    invoice.refresh_from_db()
    assert invoice.status == "paid"
