"""How long Stripe is waited for, when it is asked again, and what a cancelled intent leads to."""

import json
from datetime import datetime, timedelta
from typing import Any

from django.test import RequestFactory

from billing import collecting, connecting, scheduling, stripe_gateway, webhooks
from billing.models import Payment
from tenants.jobs import Asked
from tests.billing.payments import standin
from tests.billing.payments.standin import SYSTEM


def test_stripe_is_waited_for_ten_seconds_at_most_in_the_pinned_version(shop: Any) -> None:
    gateway: Any = stripe_gateway.gateway_of_key("rk_test_x")
    assert gateway._client._requestor._client._timeout == (3, 10)
    assert gateway._client._requestor._options.stripe_version == stripe_gateway.API_VERSION
    assert gateway._client._requestor._options.max_network_retries == 0


def test_an_open_outcome_is_asked_about_after_5_minutes_an_hour_and_daily(
    invoice: Any, now: datetime
) -> None:
    payment = collecting.begin(invoice.pk, actor=SYSTEM, now=now)
    payment.asked, waits = 0, []
    for _ in range(5):
        jobs: list[Asked] = []
        scheduling.ask_later(payment, jobs, now=now)
        assert payment.ask_at is not None and jobs[0].run_at == payment.ask_at
        waits.append(payment.ask_at - now)
    day = timedelta(days=1)
    assert waits == [timedelta(minutes=5), timedelta(hours=1), day, day, day]
    payment.sent_at = now
    assert scheduling.may_post_again(payment, now=now + timedelta(hours=22, minutes=59))
    assert not scheduling.may_post_again(payment, now=now + timedelta(hours=23))


def test_an_intent_that_was_cancelled_at_stripe_frees_its_invoice(invoice: Any, now: datetime) -> None:
    payment = collecting.begin(invoice.pk, actor=SYSTEM, now=now)
    payment = collecting.send(payment.pk, actor=SYSTEM, now=now)
    connecting.gateway().cancel_intent(payment.external_id or "")
    [event] = [row for row in standin.objects("event") if row["type"] == "payment_intent.canceled"]
    body, signature = standin.signed(event, standin.webhook_secret())
    assert json.loads(body)["data"]["object"]["id"] == payment.external_id
    headers = {"Stripe-Signature": signature}
    request = RequestFactory().post("/webhooks/stripe/", body, "application/json", headers=headers)
    assert webhooks.stripe_webhook(request).status_code == 200
    standin.work(now)
    payment.refresh_from_db()
    assert payment.state == Payment.State.CANCELED
    assert collecting.begin(invoice.pk, actor=SYSTEM, now=now).pk != payment.pk
