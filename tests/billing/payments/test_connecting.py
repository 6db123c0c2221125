"""Connecting a Stripe account by OAuth or by key, and giving it back."""

import urllib.request
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from django.conf import settings
from django.db import connection as database

from billing import asking, cards, closing, collecting, connecting, disconnecting, payments, stripe_gateway
from billing.errors import Refused
from billing.models import Payment, PaymentProfile, StripeConnection
from billing.portal import standing
from billing.stripe_gateway import StripeNoAccess
from privacy import ending
from tenants.context import enter
from tenants.ids import new_id
from tenants.models import Job
from tests.billing.payments import standin
from tests.billing.payments.standin import SYSTEM
from tests.twins import make

BACK = "http://x.localhost:8000/manage/settings/stripe/callback/"


class _Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *args: Any, **kwargs: Any) -> None:
        return None


def agree(url: str, decision: str = "authorize") -> dict[str, str]:
    """Press the button on Stripe's page; what it sends back in the address."""
    given = dict(parse_qs(urlsplit(url).query))
    form = {name: values[0] for name, values in given.items() if "[" not in name}
    form |= {
        "decision": decision,
        "name": given["stripe_user[business_name]"][0],
        "email": form["state"][-12:],
    }
    target = f"{urlsplit(url).scheme}://{urlsplit(url).netloc}{urlsplit(url).path}"
    try:
        urllib.request.build_opener(_Stay).open(target, urlencode(form).encode(), timeout=10)
    except urllib.error.HTTPError as answer:
        return {
            name: values[0] for name, values in parse_qs(urlsplit(answer.headers["Location"]).query).items()
        }
    raise AssertionError("no redirect")


def test_a_business_connects_by_oauth_and_can_be_paid(fresh_tenant: Any, now: datetime) -> None:
    nonce = connecting.new_nonce()
    url = connecting.authorize_url(nonce=nonce, redirect_uri=BACK, email="owner@example.org")
    back = agree(url)
    connecting.check_state(back["state"], nonce=nonce)
    connection = connecting.finish_connect(back["code"], actor=SYSTEM, now=now)
    assert connection.kind == "connect"
    assert connection.sealed_key is None
    assert connection.business_name == fresh_tenant.name
    [endpoint] = standin.objects("webhook_endpoint")
    assert endpoint["id"] == connection.webhook_endpoint
    invoice = standin.make_invoice(standin.make_customer(now), now)
    standin.with_card(invoice.customer, now)
    payments.collect_due(actor=SYSTEM, now=now)
    standin.work(now)
    assert len(standin.succeeded()) == 1
    with pytest.raises(Refused):
        connecting.finish_connect(back["code"], actor=SYSTEM, now=now)


def test_a_state_of_another_session_tenant_or_hand_is_refused(fresh_tenant: Any, now: datetime) -> None:
    nonce = connecting.new_nonce()
    url = connecting.authorize_url(nonce=nonce, redirect_uri=BACK, email="")
    state = parse_qs(urlsplit(url).query)["state"][0]
    connecting.check_state(state, nonce=nonce)
    for wrong, held in ((state, "other"), (state, ""), (state + "x", nonce), ("", nonce)):
        with pytest.raises(Refused):
            connecting.check_state(wrong, nonce=held)
    with enter(make(f"z{now:%H%M%S%f}", name="Other")), pytest.raises(Refused):
        connecting.check_state(state, nonce=nonce)


def test_secrets_are_sealed_at_rest_and_gone_after_disconnecting(shop: Any, now: datetime) -> None:
    connection = connecting.require()
    key = connection.sealed_key.reveal()  # type: ignore[union-attr]
    with database.cursor() as cursor:
        cursor.execute("SELECT sealed_key, sealed_webhook_secret FROM billing_stripeconnection")
        stored = b"".join(map(bytes, cursor.fetchone()))
    assert key.encode() not in stored
    assert b"whsec" not in stored
    disconnecting.disconnect(actor=SYSTEM, now=now)
    row = StripeConnection.objects.get()
    assert (row.sealed_key, row.sealed_webhook_secret) == (None, None)
    assert connecting.current() is None
    gateway = stripe_gateway.gateway_of_key(key)
    assert gateway.endpoints_at(connecting.webhook_url()) == []


@pytest.mark.parametrize(
    ("secret", "publishable"),
    [
        ("whatever", "pk_test_x"),
        ("rk_live_x", "pk_test_x"),
        ("rk_test_x", "pk_live_x"),
        ("rk_test_", "pk_test_x"),
    ],
)
def test_keys_that_do_not_belong_together_are_refused(
    fresh_tenant: Any, now: datetime, secret: str, publishable: str
) -> None:
    with pytest.raises(Refused):
        connecting.connect_by_key(secret, publishable, actor=SYSTEM, now=now)
    assert connecting.current() is None


def test_customers_of_an_account_are_unknown_to_the_next(customer: Any, now: datetime) -> None:
    card = standin.with_card(customer, now)
    disconnecting.disconnect(actor=SYSTEM, now=now)
    standin.connect(now)
    card.refresh_from_db()
    assert card.removed_at is not None
    assert PaymentProfile.objects.get().stripe_customer == ""


def test_cards_of_one_mode_are_unknown_in_the_other_of_the_same_account(customer: Any, now: datetime) -> None:
    card = standin.with_card(customer, now)
    key = connecting.require().sealed_key.reveal()  # type: ignore[union-attr]
    disconnecting.disconnect(actor=SYSTEM, now=now)
    StripeConnection.objects.update(livemode=True)  # the stand-in takes no live keys: the first one was it
    connecting.connect_by_key(key, f"pk_test_{key[8:]}", actor=SYSTEM, now=now)
    card.refresh_from_db()
    assert card.removed_at is not None
    assert PaymentProfile.objects.get().stripe_customer == ""


def deleted_at_stripe(customer: Any) -> str:
    known = PaymentProfile.objects.get(customer=customer).stripe_customer
    stripe_gateway.gateway_for(connecting.require()).forget_customer(known)
    return known


def test_a_customer_deleted_at_stripe_pays_by_card_all_the_same(
    customer: Any, invoice: Any, now: datetime
) -> None:
    card = standin.with_card(customer, now)
    lost = deleted_at_stripe(customer)
    standing.pay(invoice, actor=SYSTEM, now=now)
    payment = collecting.in_flight(invoice)
    assert payment is not None and payment.state == "needs_action"
    standin.confirm(payment)
    assert asking.ask(payment.pk, actor=SYSTEM, now=now).state == "succeeded"
    card.refresh_from_db()
    profile = PaymentProfile.objects.get(customer=customer)
    assert card.removed_at is not None and not profile.autopay
    assert profile.stripe_customer not in {"", lost}
    assert len(standin.succeeded()) == 1


def test_a_customer_deleted_at_stripe_saves_a_new_card(customer: Any, now: datetime) -> None:
    standin.with_card(customer, now)
    lost = deleted_at_stripe(customer)
    setup = cards.begin_setup(customer, actor=SYSTEM, now=now)
    assert setup.customer == PaymentProfile.objects.get(customer=customer).stripe_customer != lost
    deleted_at_stripe(customer)
    assert cards.begin_setup(customer, actor=SYSTEM, now=now).customer != setup.customer


def test_autopay_of_a_customer_deleted_at_stripe_fails_and_says_so(
    customer: Any, invoice: Any, now: datetime
) -> None:
    standin.with_card(customer, now)
    deleted_at_stripe(customer)
    assert payments.collect_due(actor=SYSTEM, now=now) == 1
    standin.work(now)
    payment = Payment.objects.get()
    assert (payment.state, payment.failure_code) == ("failed", collecting.LOST)
    assert Job.objects.filter(name="billing.mail_payment_failed").count() == 1
    assert not PaymentProfile.objects.get(customer=customer).autopay


def test_a_new_key_of_the_same_account_takes_the_place_of_one_that_is_refused(
    customer: Any, invoice: Any, now: datetime
) -> None:
    card = standin.with_card(customer, now)
    payment = collecting.send(collecting.begin(invoice.pk, actor=SYSTEM, now=now).pk, actor=SYSTEM, now=now)
    standin.confirm(payment)
    Payment.objects.update(state=Payment.State.PROCESSING)
    with pytest.raises(Refused, match="under way"):
        disconnecting.disconnect(actor=SYSTEM, now=now)
    old = connecting.require()
    key = old.sealed_key.reveal().removeprefix("rk_test_")  # type: ignore[union-attr]
    with pytest.raises(Refused, match=f"connected: {old.account_id}, in test mode"):
        standin.connect(now)
    new = connecting.connect_by_key(f"sk_test_{key}", f"pk_test_{key}", actor=SYSTEM, now=now)
    assert connecting.require().pk == new.pk != old.pk
    old.refresh_from_db()
    assert (old.sealed_key, old.sealed_webhook_secret, old.disconnected_at) == (None, None, now)
    assert [row["id"] for row in standin.objects("webhook_endpoint")] == [new.webhook_endpoint]
    asking.ask(payment.pk, actor=SYSTEM, now=now)
    invoice.refresh_from_db()
    card.refresh_from_db()
    assert (invoice.status, card.removed_at) == ("paid", None)


def test_a_key_takes_the_place_of_connect_whose_grant_is_given_back(fresh_tenant: Any, now: datetime) -> None:
    nonce = connecting.new_nonce()
    agreed = connecting.authorize_url(nonce=nonce, redirect_uri=BACK, email="owner@example.org")
    connection = connecting.finish_connect(agree(agreed)["code"], actor=SYSTEM, now=now)
    key = f"rk_test_{new_id().hex}"
    standin.control("key", key=key, account=connection.account_id)
    connecting.connect_by_key(key, f"pk_test_{key[8:]}", actor=SYSTEM, now=now)
    assert connecting.require().kind == "restricted"
    granted = stripe_gateway.gateway_of_key(settings.STRIPE_SECRET_KEY, account=connection.account_id)
    with pytest.raises(StripeNoAccess):
        granted.account()


def test_an_account_that_another_tenant_goes_on_with_keeps_its_grant(
    fresh_tenant: Any, now: datetime
) -> None:
    """The grant of Connect is between the platform and the account; two workspaces may live by it."""
    nonce = connecting.new_nonce()
    agreed = connecting.authorize_url(nonce=nonce, redirect_uri=BACK, email="owner@example.org")
    mine = connecting.finish_connect(agree(agreed)["code"], actor=SYSTEM, now=now)
    granted = stripe_gateway.gateway_of_key(settings.STRIPE_SECRET_KEY, account=mine.account_id)
    with enter(make(f"x{new_id().hex[-9:]}", name="The same owner's other one")):
        theirs = StripeConnection.objects.create(
            id=new_id(), kind="connect", account_id=mine.account_id, connected_at=now
        )
    disconnecting.disconnect(actor=SYSTEM, now=now)
    assert granted.account().id == mine.account_id
    assert granted.endpoints_at(connecting.webhook_url()) == [], "what was of this tenant alone is gone"
    assert theirs.disconnected_at is None


def test_a_workspace_that_ends_leaves_no_endpoint_at_stripe(shop: Any, now: datetime) -> None:
    assert standin.objects("webhook_endpoint")
    assert closing.leave_stripe in ending._outside
    closing.leave_stripe()
    assert standin.objects("webhook_endpoint") == []
    closing.leave_stripe()  # tried again with the job
