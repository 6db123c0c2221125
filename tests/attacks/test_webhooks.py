"""Attacks W1–W10 on what Stripe tells a tenant, on the tenant's own host, each test named by its number."""

import itertools
import json
import threading
import time
from datetime import datetime
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from billing import collecting, inbox
from billing.models import Invoice, JournalEntry, Payment, StripeConnection, StripeEvent
from tenants.context import enter
from tests.billing.payments import standin
from tests.billing.payments.conftest import customer, invoice, now, shop
from tests.billing.payments.standin import SYSTEM
from tests.billing.payments.test_events import events_about
from tests.twins import make

__all__ = ["customer", "invoice", "now", "shop"]
PATH = "/webhooks/stripe/"


def post(tenant: Any, body: bytes, signature: str | None) -> int:
    headers = {} if signature is None else {"stripe-signature": signature}
    client = Client(HTTP_HOST=f"{tenant.slug}.localhost")
    return client.post(PATH, body, "application/json", headers=headers).status_code


def deliver(tenant: Any, event: dict[str, Any]) -> int:
    return post(tenant, *standin.signed(event, standin.webhook_secret()))


def made_up(kind: str, thing: dict[str, Any], **more: Any) -> dict[str, Any]:
    """An event that nothing at Stripe stands behind, signed by whoever has the secret."""
    made = {"id": f"evt_{time.time_ns()}", "type": kind, "created": int(time.time()), "livemode": False}
    return made | {"object": "event", "data": {"object": thing}} | more


@pytest.fixture
def paid(invoice: Invoice, now: datetime) -> Payment:
    """A payment that Stripe has taken and that we were not told of."""
    payment = collecting.send(collecting.begin(invoice.pk, actor=SYSTEM, now=now).pk, actor=SYSTEM, now=now)
    standin.confirm(payment)
    return payment


@pytest.fixture
def event(paid: Payment) -> dict[str, Any]:
    return next(e for e in events_about(paid.external_id) if e["type"] == "payment_intent.succeeded")


def test_w1_no_signature_but_this_tenants_is_taken(shop: Any, event: dict[str, Any], now: datetime) -> None:
    """None, an empty one, nonsense, a wrong one, one by no secret, one by another tenant's."""
    body, _ = standin.signed(event, standin.webhook_secret())
    other = make(f"w{now:%H%M%S%f}", name="Other")
    with enter(other):
        standin.connect(now)
        foreign = standin.signed(event, standin.webhook_secret())[1]
    forged = [None, "", "nonsense", "t=1,v1=2", f"t={int(time.time())},v1={'0' * 64}",
              standin.signed(event, "whsec_other")[1], standin.signed(event, "")[1], foreign]  # fmt: skip
    with enter(shop):
        assert {post(shop, body, each) for each in forged} == {400}
        assert not StripeEvent.objects.exists()


def test_w2_an_old_signature_is_refused(shop: Any, event: dict[str, Any]) -> None:
    """What was overheard is sent again later."""
    stamps = [int(time.time()) + shift for shift in (-301, -86400, 360)]
    signed = [standin.signed(event, standin.webhook_secret(), at=stamp) for stamp in stamps]
    assert {post(shop, *each) for each in signed} == {400}


def test_w3_a_changed_body_is_refused(shop: Any, event: dict[str, Any]) -> None:
    """Another amount, a space more, the same JSON written otherwise, another encoding."""
    body, signature = standin.signed(event, standin.webhook_secret())
    changed = [body.replace(b"succeeded", b"succeedeD"), body + b" ", b" " + body,
               json.dumps(event, indent=1).encode(), body.decode().encode("utf-16")]  # fmt: skip
    assert {post(shop, each, signature) for each in changed} == {400}
    assert post(shop, body, signature) == 200


def test_w4_the_same_event_many_times_at_once_is_one(
    shop: Any, event: dict[str, Any], invoice: Invoice, now: datetime
) -> None:
    body, signature = standin.signed(event, standin.webhook_secret())
    answers: list[int] = []

    def burst() -> None:
        answers.extend(post(shop, body, signature) for _ in range(13))
        connection.close()

    threads = [threading.Thread(target=burst) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [200] * 104 and StripeEvent.objects.count() == 1
    standin.work(now)
    invoice.refresh_from_db()
    assert invoice.status == "paid"
    assert JournalEntry.objects.filter(key__endswith=":succeeded").count() == 1


KINDS = (
    "payment_intent.created", "payment_intent.processing", "payment_intent.payment_failed",
    "payment_intent.succeeded", "charge.succeeded", "payment_intent.canceled",
)  # fmt: skip
ORDERS = list(itertools.permutations(KINDS))
# The first and the last, and one for each event to come first; in the long run all 720.
SOME = [ORDERS[0], *ORDERS[60::120], ORDERS[-1]]

# Which card is shown to Stripe before which of the six is delivered.
CARDS = {2: "pm_card_chargeDeclined", 4: "pm_card_visa"}


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("orders", [SOME, pytest.param(ORDERS, marks=pytest.mark.long)], ids=["some", "all"])
def test_w5_every_order_of_six_events_ends_the_same(
    shop: Any, customer: Any, now: datetime, orders: list[tuple[str, ...]]
) -> None:
    """A new payment for each order; its first card is declined at Stripe meanwhile, and the second is not."""
    for count, order in enumerate(orders):
        owed = standin.make_invoice(customer, now)
        sent = collecting.send(collecting.begin(owed.pk, actor=SYSTEM, now=now).pk, actor=SYSTEM, now=now)
        for position, kind in enumerate(order):
            if position in CARDS:
                standin.confirm(sent, CARDS[position])
            assert deliver(shop, made_up(kind, {"id": sent.external_id, "object": "payment_intent"})) == 200
            standin.work(now)
            owed.refresh_from_db()
            taken = position >= max(CARDS)
            assert owed.amount_paid in ({owed.total, 0} if taken else {0}), (order, kind)
        assert (owed.status, owed.amount_paid) == ("paid", owed.total), order
        assert JournalEntry.objects.filter(key__endswith=":succeeded").count() == count + 1, order


def test_w6_a_success_that_stripe_knows_nothing_of_pays_nothing(
    shop: Any, invoice: Invoice, now: datetime
) -> None:
    """Well signed, with the right invoice: only what Stripe itself says of the payment counts."""
    payment = collecting.send(collecting.begin(invoice.pk, actor=SYSTEM, now=now).pk, actor=SYSTEM, now=now)
    for intent in (payment.external_id, "pi_made_up"):
        thing = {"id": intent, "object": "payment_intent", "status": "succeeded", "currency": "eur",
                 "amount": invoice.total, "amount_received": invoice.total,
                 "metadata": {"payment": str(payment.pk), "invoice": str(invoice.pk)}}  # fmt: skip
        assert deliver(shop, made_up("payment_intent.succeeded", thing)) == 200
    standin.work(now)
    invoice.refresh_from_db()
    assert (invoice.status, invoice.amount_paid) == ("open", 0)
    assert not JournalEntry.objects.filter(key__endswith=":succeeded").exists()


def test_w7_an_event_of_the_other_mode_changes_nothing(
    shop: Any, event: dict[str, Any], invoice: Invoice, now: datetime
) -> None:
    """What is told of the other mode is not written down, though the very payment is taken in this one."""
    assert event["livemode"] is False
    for live, mode in ((False, True), (True, False)):
        StripeConnection.objects.update(livemode=live)
        inbox._secrets.clear()  # what this process knows of the connection
        assert deliver(shop, event | {"id": f"evt_other_{live}", "livemode": mode}) == 200
    assert not StripeEvent.objects.exists()
    standin.work(now)
    invoice.refresh_from_db()
    assert (invoice.status, invoice.amount_paid) == ("open", 0)
    StripeConnection.objects.update(livemode=False)
    inbox._secrets.clear()
    assert deliver(shop, event) == 200
    standin.work(now)
    invoice.refresh_from_db()
    assert (invoice.status, invoice.amount_paid) == ("paid", invoice.total)


def test_w8_a_body_too_large_or_too_deep_breaks_nothing(shop: Any) -> None:
    large = json.dumps({"id": "evt", "filler": "x" * 5_000_000}).encode()
    secret = standin.webhook_secret()
    assert post(shop, large, standin.signed({"id": "evt"}, secret)[1]) == 413
    for deep in (b"[" * 100_000, b'{"a":' * 50_000 + b"1" + b"}" * 50_000):
        stamp = int(time.time())
        assert post(shop, deep, sign(deep, secret, stamp)) == 400
    assert not StripeEvent.objects.exists()


def sign(body: bytes, secret: str, stamp: int) -> str:
    import hashlib
    import hmac

    digest = hmac.new(secret.encode(), f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={stamp},v1={digest}"


def test_w9_an_amount_or_currency_that_is_not_the_invoices_settles_nothing_more(
    shop: Any, paid: Payment, event: dict[str, Any], invoice: Invoice, now: datetime
) -> None:
    """The event says one cent, or a million yen; what was asked of Stripe and taken is what is booked."""
    thing = event["data"]["object"] | {"amount": 1, "amount_received": 100_000_000, "currency": "jpy"}
    assert deliver(shop, made_up("payment_intent.succeeded", thing)) == 200
    standin.work(now)
    invoice.refresh_from_db()
    assert (invoice.status, invoice.amount_paid, invoice.currency) == ("paid", invoice.total, "EUR")
    assert standin.balance("receivable") == 0 and standin.balance("receivable", "JPY") == 0


def test_w10_an_event_of_an_account_that_nobody_knows_is_refused(
    shop: Any, event: dict[str, Any], now: datetime
) -> None:
    """For a tenant without an account, for no tenant at all, and for things of another's account."""
    signed = standin.signed(event, standin.webhook_secret())
    bare = make(f"b{now:%H%M%S%f}", name="Bare")
    assert post(bare, *signed) == 400
    for host in ("no.localhost", "localhost", "pay.localhost"):
        assert Client(HTTP_HOST=host).post(PATH, signed[0], "application/json").status_code in {403, 404}
    with enter(bare):
        standin.connect(now)
        assert deliver(bare, event) == 200  # its own signature, another's payment
        standin.work(now)
        assert StripeEvent.objects.get().outcome == "gone at Stripe"
        assert not JournalEntry.objects.exists()
