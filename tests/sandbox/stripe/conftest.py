"""A stand-in of their own for these tests: a real server in another process, and a receiver for its
webhooks."""

import json
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
import stripe

ROOT = Path(__file__).resolve().parents[3]


@dataclass
class StandIn:
    port: int
    process: subprocess.Popen[str]

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def public(self) -> str:
        return f"http://stripe.localhost:{self.port}"

    def client(self, key: str, account: str | None = None, **options: Any) -> stripe.StripeClient:
        addresses: Any = {"api": self.base, "connect": self.base}
        return stripe.StripeClient(
            key, base_addresses=addresses, stripe_account=account, max_network_retries=0, **options
        )

    def control(self, action: str, **fields: Any) -> Any:
        answer = httpx.post(f"{self.base}/_control", json={"action": action, **fields}, timeout=30)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def look(self) -> Any:
        return httpx.get(f"{self.base}/_control").json()

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(timeout=10)


def launch(*arguments: str) -> StandIn:
    command = [sys.executable, "-m", "sandbox.stripe", "--port", "0", *arguments]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    line = process.stdout.readline()
    return StandIn(int(line.strip().rpartition(":")[2]), process)


@pytest.fixture(scope="session")
def shared_stand_in() -> Iterator[StandIn]:
    running = launch()
    yield running
    running.stop()


@pytest.fixture
def stand_in(shared_stand_in: StandIn) -> StandIn:
    """As at the start: no accounts, no faults, the real time."""
    shared_stand_in.control("reset")
    return shared_stand_in


@pytest.fixture
def name() -> str:
    return uuid.uuid4().hex


@pytest.fixture
def key(name: str) -> str:
    return f"sk_test_{name}"


@pytest.fixture
def client(stand_in: StandIn, key: str) -> stripe.StripeClient:
    return stand_in.client(key)


@dataclass
class Receiver:
    """A server that takes webhooks: `answers` are its statuses in turn, then 200."""

    port: int = 0
    got: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://acme.localhost:{self.port}/webhooks/stripe/"

    def events(self) -> list[Any]:
        return [json.loads(body) for _, body in self.got]

    def types(self) -> list[str]:
        return [event["type"] for event in self.events()]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    kept = Receiver()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            kept.got.append(({name.lower(): value for name, value in self.headers.items()}, body))
            self.send_response(kept.answers.pop(0) if kept.answers else 200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    kept.port = server.server_port
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield kept
    server.shutdown()
    server.server_close()


def wait_until(condition: Callable[[], bool], seconds: float = 30.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.02)


def saved_card(client: stripe.StripeClient, token: str = "pm_card_visa") -> tuple[str, str]:
    """A customer with a card; the ids of both."""
    customer = client.v1.customers.create({"email": "ada@example.com", "name": "Ada"})
    method = client.v1.payment_methods.attach(token, {"customer": customer.id})
    return customer.id, method.id


def pay(client: stripe.StripeClient, token: str = "pm_card_visa", **params: Any) -> stripe.PaymentIntent:
    """A card payment from this side, of 20.00 EUR unless said otherwise."""
    wish: Any = {
        "amount": 2000,
        "currency": "eur",
        "payment_method": token,
        "allowed_payment_method_types": ["card"],
        "confirm": True,
        **params,
    }
    return client.v1.payment_intents.create(wish)
