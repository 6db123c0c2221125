"""Handled events are forgotten after 35 days; no sweep brings them back; told again, they change nothing."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import RequestFactory

from audit.models import AuditEvent
from billing import collecting, connecting, purging, sweeping, webhooks
from billing.models import (
    Dispute,
    Invoice,
    JournalEntry,
    Payment,
    PaymentProfile,
    Refund,
    StripeConnection,
    StripeEvent,
)
from privacy.inventory import Retention
from privacy.retention import over_before
from tenants.context import enter_public
from tenants.purging import purge_done_jobs
from tests.billing.payments import standin
from tests.billing.payments.standin import SYSTEM

DAY = timedelta(days=1)


def forget(now: datetime) -> int:
    """What the nightly run does with them."""
    return purging.purge_handled_events(before=over_before(Retention.VENDOR_EVENT, now))


def deliver(event: dict[str, Any]) -> int:
    body, signature = standin.signed(event, standin.webhook_secret())
    request = RequestFactory().post(
        "/webhooks/stripe/", body, "application/json", headers={"Stripe-Signature": signature}
    )
    return webhooks.stripe_webhook(request).status_code


@pytest.fixture
def told(customer: Any, now: datetime) -> list[dict[str, Any]]:
    """All that Stripe tells of two payments, handled: one refunded in part, one disputed."""
    charge = ""
    for card in ("pm_card_createDispute", "pm_card_visa"):
        begun = collecting.begin(standin.make_invoice(customer, now).pk, actor=SYSTEM, now=now)
        payment = collecting.send(begun.pk, actor=SYSTEM, now=now)
        standin.confirm(payment, card)
        charge = connecting.gateway().intent(payment.external_id or "").charge or ""
    gateway = connecting.gateway()
    gateway._ask("post", "refunds", charge=charge, amount=1000)  # type: ignore[attr-defined]
    wanted = set(connecting.EVENTS)
    events = [event for event in standin.objects("event") if event["type"] in wanted]
    events.sort(key=lambda event: not event["type"].startswith("payment_intent."))
    for event in events:
        assert deliver(event) == 200
        standin.work(now)
    assert StripeEvent.objects.filter(handled_at__isnull=True).count() == 0
    return events


def books() -> dict[str, Any]:
    """What handling changes."""
    return {
        "entries": sorted(JournalEntry.objects.values_list("key", flat=True)),
        "refunds": Refund.objects.count(),
        "disputes": list(Dispute.objects.values_list("external_id", "status")),
        "payments": sorted(Payment.objects.values_list("pk", "state")),
        "invoices": sorted(Invoice.objects.values_list("pk", "status", "amount_paid", "collection_paused")),
        "pauses": list(PaymentProfile.objects.values_list("customer", "paused_reason")),
        "record": AuditEvent.objects.count(),
    }


def test_what_was_handled_goes_after_35_days_and_the_rest_stays(
    told: list[dict[str, Any]], now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(purging, "BATCH", 2)
    unhandled = StripeEvent.objects.earliest("received_at")
    StripeEvent.objects.filter(pk=unhandled.pk).update(handled_at=None)
    late = StripeEvent.objects.latest("received_at")
    StripeEvent.objects.filter(pk=late.pk).update(handled_at=now + 10 * DAY)
    assert now - over_before(Retention.VENDOR_EVENT, now) > sweeping.REACH
    assert forget(now + 34 * DAY) == 0
    assert forget(now + 36 * DAY) == len(told) - 2
    assert set(StripeEvent.objects.values_list("pk", flat=True)) == {unhandled.pk, late.pk}


def test_the_sweep_brings_nothing_back_that_was_purged(told: list[dict[str, Any]], now: datetime) -> None:
    """Not even after connecting anew, when nothing tells up to where it has looked."""
    StripeConnection.objects.update(swept_until=None)
    later = now + 36 * DAY
    forget(later)
    assert not StripeEvent.objects.exists()
    assert sweeping.sweep(now=later) == 0
    StripeConnection.objects.update(swept_until=now - 90 * DAY)
    assert sweeping.sweep(now=later) == 0
    assert not StripeEvent.objects.exists()
    sweeping.sweep(now=now + 29 * DAY)
    assert StripeEvent.objects.exists(), "within Stripe's 30 days the sweep does look"


def test_handling_again_what_was_purged_changes_nothing(told: list[dict[str, Any]], now: datetime) -> None:
    before = books()
    assert before["refunds"] == 1
    assert before["disputes"]
    later = now + 36 * DAY
    assert forget(later) == len(told)
    with enter_public():
        assert purge_done_jobs(before=over_before(Retention.JOB, later)) >= len(told)
    for event in reversed(told):
        assert deliver(event) == 200
    assert standin.work(now) == len(told)
    assert StripeEvent.objects.filter(handled_at__isnull=False).count() == len(told)
    assert books() == before
