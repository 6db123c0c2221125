"""Customer, card, payment, refund and webhook signature: our stand-in and an independent peer pass the same
test."""

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import stripe

from tests.sandbox.stripe.conftest import Receiver, StandIn, wait_until

KEY = "sk_test_12345"
SECRET = "whsec_plain"


class Peer:
    """A server that speaks the vendor's API, and a way to register a webhook with it."""

    def __init__(self, base: str) -> None:
        addresses: Any = {"api": base}
        self.base = base
        self.client = stripe.StripeClient(KEY, base_addresses=addresses, max_network_retries=0)

    def listen(self, url: str) -> str:
        """The secret that events will be signed with."""
        events: Any = ["*"]
        return str(self.client.v1.webhook_endpoints.create({"url": url, "enabled_events": events}).secret)


class Localstripe(Peer):
    def listen(self, url: str) -> str:
        answer = httpx.post(f"{self.base}/_config/webhooks/plain", json={"url": url, "secret": SECRET})
        assert answer.status_code == 200
        return SECRET


@pytest.fixture(scope="module")
def localstripe(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Localstripe]:
    """The package, run as a process of its own in an empty directory; nothing of it is imported here."""
    found = shutil.which("localstripe", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    if found is None:
        pytest.skip("localstripe is not installed: it comes with the development dependencies")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    home = tmp_path_factory.mktemp("localstripe")
    process = subprocess.Popen(
        [found, "--port", str(port), "--from-scratch"],
        cwd=home,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )

    def answers() -> bool:
        try:
            return httpx.get(f"http://127.0.0.1:{port}/v1/customers", auth=(KEY, "")).status_code == 200
        except httpx.TransportError:
            return False

    try:
        wait_until(answers, 15)
        yield Localstripe(f"http://127.0.0.1:{port}")
    finally:
        process.terminate()
        process.wait(timeout=10)


@pytest.fixture(params=["ours", "localstripe"])
def peer(request: pytest.FixtureRequest, stand_in: StandIn) -> Peer:
    if request.param == "ours":
        return Peer(stand_in.base)
    independent: Localstripe = request.getfixturevalue("localstripe")
    return independent


def test_a_customer_pays_off_session_and_is_refunded_in_part(peer: Peer, receiver: Receiver) -> None:
    secret = peer.listen(f"http://127.0.0.1:{receiver.port}/hook")
    v1 = peer.client.v1
    customer = v1.customers.create(
        {"email": "ada@example.com", "name": "Ada", "metadata": {"tenant": "acme"}}
    )
    customer = v1.customers.update(customer.id, {"name": "Ada L."})
    assert customer.metadata is not None
    assert (customer.name, customer.metadata["tenant"]) == ("Ada L.", "acme")
    card: Any = {"number": "4242424242424242", "exp_month": 12, "exp_year": 2034, "cvc": "123"}
    method = v1.payment_methods.create({"type": "card", "card": card})
    assert v1.payment_methods.attach(method.id, {"customer": customer.id}).customer == customer.id
    listed = v1.payment_methods.list({"customer": customer.id, "type": "card"}).data
    assert [row.id for row in listed] == [method.id]
    intent = v1.payment_intents.create(
        {
            "amount": 1500,
            "currency": "usd",
            "customer": customer.id,
            "payment_method": method.id,
            "off_session": True,
            "confirm": True,
            "metadata": {"invoice": "I-1"},
        }
    )
    assert (intent.status, intent.amount, intent.currency) == ("succeeded", 1500, "usd")
    refund = v1.refunds.create({"payment_intent": intent.id, "amount": 500})
    assert (refund.status, refund.amount) == ("succeeded", 500)
    assert v1.payment_intents.retrieve(intent.id).metadata["invoice"] == "I-1"

    def types() -> set[str]:
        return set(receiver.types())

    wait_until(lambda: {"customer.created", "payment_intent.succeeded"} <= types(), 10)
    for headers, body in list(receiver.got):
        event = stripe.Webhook.construct_event(body, headers["stripe-signature"], secret)
        assert event.id.startswith("evt_")
    body = next(body for _, body in receiver.got if b"payment_intent.succeeded" in body)
    with pytest.raises(stripe.SignatureVerificationError):
        stripe.Webhook.construct_event(body, receiver.got[0][0]["stripe-signature"], "whsec_other")


def test_a_declined_card_raises_a_card_error_with_its_reason(peer: Peer) -> None:
    v1 = peer.client.v1
    customer = v1.customers.create({"name": "Bob"})
    card: Any = {"number": "4000000000000341", "exp_month": 12, "exp_year": 2034, "cvc": "123"}
    method = v1.payment_methods.create({"type": "card", "card": card})
    v1.payment_methods.attach(method.id, {"customer": customer.id})
    with pytest.raises(stripe.CardError) as refused:
        v1.payment_intents.create(
            {
                "amount": 1500,
                "currency": "usd",
                "customer": customer.id,
                "payment_method": method.id,
                "off_session": True,
                "confirm": True,
            }
        )
    assert refused.value.code == "card_declined"


def test_what_does_not_exist_is_a_404(peer: Peer) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refused:
        peer.client.v1.customers.retrieve("cus_nobody")
    assert refused.value.http_status == 404
