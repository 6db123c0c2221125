"""What the pay page shows while Stripe is away, and what autopay does about the day's later comers."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from billing import cards, connecting, scheduling, stripe_gateway
from billing.models import Invoice, PaymentProfile
from billing.portal.standing import Step, pay, standing_of
from tenants.models import Job
from tests.billing.payments import standin
from tests.billing.payments.standin import SYSTEM


def test_while_stripe_is_away_the_page_waits_and_does_not_begin_anew(
    invoice: Any, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert standing_of(invoice).step == Step.BEGIN
    with monkeypatch.context() as away:
        away.setattr(connecting, "gateway", lambda: stripe_gateway.gateway_of_key("rk_live_rolled"))
        pay(invoice, actor=SYSTEM, now=now)
    assert standing_of(invoice).step == Step.WAITING
    pay(invoice, actor=SYSTEM, now=now)
    assert standing_of(invoice).step == Step.FORM


def test_an_invoice_that_becomes_collectible_after_the_morning_is_collected_the_same_day(
    invoice: Any, now: datetime
) -> None:
    standin.with_card(invoice.customer, now)
    asked = Job.objects.filter(name="billing.collect_due")
    cards.set_autopay(invoice.customer, on=False, actor=SYSTEM, now=now)
    before = asked.count()
    for _ in range(2):
        cards.set_autopay(invoice.customer, on=True, actor=SYSTEM, now=now)
    assert asked.count() == before + 1
    for later in range(2):
        standin.work(now + timedelta(minutes=later))
    invoice.refresh_from_db()
    assert invoice.status == Invoice.Status.PAID


def test_what_is_not_due_today_is_left_to_its_morning(customer: Any, now: datetime) -> None:
    standin.with_card(customer, now)
    assert PaymentProfile.objects.get().autopay
    later = standin.make_invoice(customer, now, due=now.date() + timedelta(days=3))
    asked = Job.objects.filter(name="billing.collect_due")
    before = asked.count()
    scheduling.collect_today(Invoice.objects.filter(pk=later.pk), today=now.date())
    assert asked.count() == before
