"""The stand-in as a process: it keeps its data, survives a kill, is fast enough, and listens on loopback
only."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx
import pytest
import stripe

from tests.sandbox.stripe.conftest import ROOT, Receiver, StandIn, launch, pay, saved_card, wait_until

RATE = 150


def test_a_restart_keeps_objects_keys_clock_waiting_webhooks_and_first_answers(
    tmp_path: Path, receiver: Receiver
) -> None:
    file = str(tmp_path / "deep" / "stripe.state")
    first = launch("--state", file)
    client = first.client("sk_test_keep")
    hook: Any = {"url": receiver.url, "enabled_events": ["customer.deleted"]}
    endpoint = client.v1.webhook_endpoints.create(hook)
    customer, method = saved_card(client, "pm_card_authenticationRequiredOnSetup")
    doomed = client.v1.customers.create({})
    receiver.answers = [500]
    client.v1.customers.delete(doomed.id)
    wait_until(lambda: len(receiver.got) == 1)
    paid = pay(client)
    wish: Any = {"name": "Once"}
    once = client.v1.customers.create(wish, {"idempotency_key": "once"})
    first.control("advance", seconds=100)
    first.stop()

    second = launch("--state", file)
    try:
        again = second.client("sk_test_keep")
        assert 95 <= second.look()["offset"] <= 105
        # A delivery that was on its way when the first was stopped comes once more.
        wait_until(lambda: len(receiver.got) >= 2)
        headers, body = receiver.got[1]
        assert stripe.Webhook.construct_event(body, headers["stripe-signature"], str(endpoint.secret))
        assert again.v1.payment_intents.retrieve(paid.id).status == "succeeded"
        assert again.v1.payment_methods.retrieve(method).customer == customer
        assert again.v1.customers.create(wish, {"idempotency_key": "once"}).id == once.id
        assert [row.id for row in again.v1.customers.list().data] == [once.id, customer]
    finally:
        second.stop()


def test_a_kill_loses_at_most_the_last_moment(tmp_path: Path) -> None:
    file = str(tmp_path / "stripe.state")
    first = launch("--state", file)
    made = [
        first.client("sk_test_kill").v1.customers.create({"name": str(number)}).id for number in range(20)
    ]
    time.sleep(1.2)
    os.kill(first.process.pid, signal.SIGKILL)
    first.process.wait()
    second = launch("--state", file)
    try:
        listed = second.client("sk_test_kill").v1.customers.list({"limit": 100}).data
        assert [row.id for row in listed] == made[::-1]
    finally:
        second.stop()


def test_a_reset_is_kept_over_a_restart(tmp_path: Path) -> None:
    file = str(tmp_path / "stripe.state")
    first = launch("--state", file)
    first.client("sk_test_gone").v1.customers.create({})
    first.control("reset")
    kept = first.client("sk_test_kept").v1.customers.create({})
    first.stop()
    second = launch("--state", file)
    try:
        assert second.client("sk_test_gone").v1.customers.list().data == []
        assert [row.id for row in second.client("sk_test_kept").v1.customers.list().data] == [kept.id]
    finally:
        second.stop()


def test_a_taken_port_is_said_clearly(stand_in: StandIn) -> None:
    command = [sys.executable, "-m", "sandbox.stripe", "--port", str(stand_in.port)]
    failed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=20, check=False)
    assert (failed.returncode, failed.stdout) == (1, "")
    assert f"port {stand_in.port}" in failed.stderr


def test_it_listens_on_loopback_only(stand_in: StandIn) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(("192.0.2.1", 9))
        own = probe.getsockname()[0]
    if own.startswith("127."):
        pytest.skip("this machine has no address but loopback")
    with socket.socket() as attempt:
        attempt.settimeout(2)
        assert attempt.connect_ex((own, stand_in.port)) != 0


def test_payments_are_created_and_confirmed_fast_enough(stand_in: StandIn) -> None:
    """Pairs of create and confirm a second of the server's own processor time: other load must not decide."""
    create = {"amount": "2000", "currency": "eur", "allowed_payment_method_types[]": "card"}
    pairs = 300
    with httpx.Client(base_url=stand_in.base, auth=("sk_test_fast", "")) as client:
        before = _processor_seconds(stand_in.process.pid)
        for _ in range(pairs):
            intent = client.post("/v1/payment_intents", data=create).json()
            path = f"/v1/payment_intents/{intent['id']}/confirm"
            done = client.post(path, data={"payment_method": "pm_card_visa"})
            assert done.json()["status"] == "succeeded"
        used = _processor_seconds(stand_in.process.pid) - before
    assert pairs / used > RATE


def _processor_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
