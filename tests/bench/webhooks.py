"""`bin/bench webhooks [--events N] [--settle N]`: how many events a second are accepted, and settled.

Accepting is measured against a bare view that checks a signature and inserts one row, in the same server at
the same time of day: rounds alternate, the medians are compared. Settling: one worker process.
"""

import argparse
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import django

PARTS = "pg,valkey,moto,stripe"
ROOT = Path(__file__).resolve().parents[2]
CONNECTIONS = 8
ROUNDS = 5
ACCEPT_AT_LEAST = 0.60
SETTLE_AT_LEAST = 150


def main() -> int:
    parser = argparse.ArgumentParser(prog="bin/bench webhooks", description=__doc__)
    parser.add_argument("--events", type=int, default=1500, help="events a round (1500)")
    parser.add_argument("--settle", type=int, default=900, help="payments to settle (900)")
    asked = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "proecommerce.settings")
    django.setup()
    from tests.twins import make

    tenant = make("bench", name="Bench Hosting")
    ratio = accepting(tenant, asked.events)
    rate = settling(tenant, asked.settle)
    good = ratio >= ACCEPT_AT_LEAST and rate >= SETTLE_AT_LEAST
    print("good" if good else "too slow")
    return 0 if good else 1


def accepting(tenant: Any, events: int) -> float:
    """Print both rates and the ratio of them; returns it."""
    from tenants.context import enter
    from tests.billing.payments import standin

    with enter(tenant):
        connection = standin.connect(datetime.now(UTC))
        standin.control("fault", kind="drop_events", account=connection.account_id)
        secret = standin.webhook_secret()
    _table()
    host = f"bench.localhost:{os.environ['WEB_PORT']}"
    bare_env = os.environ | {"BENCH_SECRET": secret}
    bare_env.pop("DJANGO_SETTINGS_MODULE")
    found: dict[str, list[dict[str, float]]] = {"bare": [], "ours": []}
    with (
        _server("tests.bench.bare:application", bare_env) as bare,
        _server("proecommerce.wsgi:application") as ours,
    ):
        for number in range(ROUNDS + 1):
            for name, port in (("bare", bare), ("ours", ours)):
                told = _load(port, _requests(events if number else 200, secret, host))
                if number:  # the first round warms both
                    found[name].append(told)
    medians = {name: statistics.median(each["rate"] for each in rounds) for name, rounds in found.items()}
    for name, rounds in found.items():
        p50, p99 = (statistics.median(each[key] for each in rounds) * 1000 for key in ("p50", "p99"))
        print(f"{name}: {medians[name]:6.0f} events/s   p50 {p50:5.1f} ms   p99 {p99:5.1f} ms")
    # Each round of ours against the round of the bare view just before it: a busy machine is busy for both.
    ratio = statistics.median(
        ours["rate"] / bare["rate"] for bare, ours in zip(found["bare"], found["ours"], strict=True)
    )
    print(f"accepted: {ratio:.0%} of the bare view (at least {ACCEPT_AT_LEAST:.0%})")
    with enter(tenant):
        from tenants.models import Job

        Job.objects.filter(name="billing.handle_event").update(state=Job.State.DONE)
    return ratio


def settling(tenant: Any, payments: int) -> float:
    """Have one worker process settle so many payments that Stripe has taken; returns events a second."""
    from billing.models import Payment, StripeEvent
    from tenants.context import enter

    with enter(tenant):
        events = _taken(payments)
        _insert(events)
        before = time.monotonic()
        worker_command = "-m celery --quiet -A proecommerce worker --loglevel ERROR --concurrency 1"
        command = [sys.executable, *worker_command.split()]
        command += ["--without-gossip", "--without-mingle", "--without-heartbeat"]
        worker = subprocess.Popen(command, cwd=ROOT)
        try:
            while time.monotonic() - before < 120:
                time.sleep(0.5)
                if Payment.objects.filter(state="succeeded").count() == payments:
                    break
        finally:
            worker.terminate()
            worker.wait()
        told = StripeEvent.objects.filter(outcome="payment succeeded").order_by("handled_at")
        at = [each.timestamp() for each in told.values_list("handled_at", flat=True) if each]
        rate = (len(at) - 1) / (at[-1] - at[0]) if at and at[-1] > at[0] else 0.0
        print(f"settled: {len(at)} events, {rate:.0f} a second with one worker (at least {SETTLE_AT_LEAST})")
    return rate if len(at) == payments else 0.0


def _taken(payments: int) -> list[dict[str, Any]]:
    """Payments that have been paid at Stripe and are not known to be; their events."""
    from billing import collecting
    from tests.billing.payments import standin
    from tests.billing.payments.standin import SYSTEM

    now = datetime.now(UTC)
    for _ in range(payments):
        invoice = standin.make_invoice(standin.make_customer(now), now)
        payment = collecting.begin(invoice.pk, actor=SYSTEM, now=now)
        standin.confirm(collecting.send(payment.pk, actor=SYSTEM, now=now))
    return [event for event in standin.objects("event") if event["type"] == "payment_intent.succeeded"]


def _insert(events: Sequence[dict[str, Any]]) -> None:
    from billing import connecting, inbox
    from billing.stripe_gateway import EventInfo

    now = datetime.now(UTC)
    connection = connecting.require()
    told = [EventInfo(e["id"], e["type"], e["data"]["object"]["id"], now) for e in events]
    inbox.insert(told, connection_id=connection.pk, now=now)
    time.sleep(1)  # the announcer's thread


def _requests(count: int, secret: str, host: str) -> list[bytes]:
    """Signed POSTs of events as Stripe sends them, each of its own id."""
    from tenants.ids import new_id
    from tests.billing.payments import standin

    filler: dict[str, Any] = {f"field_{number}": None for number in range(60)}
    made = []
    for _ in range(count):
        intent: dict[str, Any] = {
            "id": f"pi_{new_id().hex}",
            "object": "payment_intent",
            "metadata": {},
            **filler,
        }
        event = {"id": f"evt_{new_id().hex}", "object": "event", "type": "payment_intent.succeeded",
                 "created": int(time.time()), "data": {"object": intent}, "livemode": False}  # fmt: skip
        body, signature = standin.signed(event, secret)
        head = (
            f"POST /webhooks/stripe/ HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\n"
            f"Stripe-Signature: {signature}\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        made.append(head.encode() + body)
    return made


def _load(port: int, requests: Sequence[bytes]) -> dict[str, float]:
    with tempfile.NamedTemporaryFile("w", suffix=".hex") as file:
        file.write("\n".join(request.hex() for request in requests))
        file.flush()
        command = [sys.executable, "-m", "tests.bench.load", str(port), str(CONNECTIONS), file.name]
        told: dict[str, float] = json.loads(subprocess.check_output(command, cwd=ROOT))
        return told


@contextmanager
def _server(application: str, env: dict[str, str] | None = None) -> Iterator[int]:
    """The server as production starts it, one worker of eight threads."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    command = [
        sys.executable,
        "-m",
        "granian",
        "--interface",
        "wsgi",
        "--host",
        "127.0.0.1",
        "--port",
        str(port),
    ]
    command += ["--workers", "1", "--blocking-threads", "8", "--no-ws", "--log-level", "warning", application]
    server = subprocess.Popen(command, cwd=ROOT, env=env)
    try:
        _wait(port)
        yield port
    finally:
        server.terminate()
        server.wait()


def _wait(port: int) -> None:
    for _ in range(300):
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=5)
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise RuntimeError("the server does not start")


def _table() -> None:
    import psycopg

    with psycopg.connect(os.environ["DATABASE_OWNER_URL"], autocommit=True) as owner:
        owner.execute(
            "CREATE TABLE IF NOT EXISTS public.bench_inbox (id bigserial PRIMARY KEY,"
            " external_id text UNIQUE, type text, at timestamptz DEFAULT now())"
        )


if __name__ == "__main__":
    sys.exit(main())
