"""Webhooks on their way: signed, sent in parallel, tried again later and later, given up after three days."""

import asyncio
import heapq
import hmac
import json
import random
import time
from collections import deque

from sandbox.stripe.events import thawed
from sandbox.stripe.faults import Faults
from sandbox.stripe.outbound import Client, NotLoopbackError
from sandbox.stripe.store import State
from sandbox.stripe.types import Obj

# Seconds by the stand-in's clock; the last one repeats until the event is three days old.
BACKOFF = (2, 10, 60, 300, 1800, 3600, 7200, 14400, 28800)
GIVE_UP_AFTER = 3 * 86400
PARALLEL = 16
TIMEOUT = 10.0


def sign(payload: bytes, secret: str, timestamp: int) -> str:
    """The `Stripe-Signature` header."""
    digest = hmac.new(secret.encode(), f"{timestamp}.".encode() + payload, "sha256").hexdigest()
    return f"t={timestamp},v1={digest}"


class Courier:
    """Sends what `State.deliveries` holds. A delivery is forgotten when it has arrived, or when it is given
    up."""

    def __init__(self, state: State, faults: Faults) -> None:
        self._state = state
        self._faults = faults
        self._client = Client()
        self._due: list[tuple[float, int, str]] = []
        self._count = 0
        self._wake = asyncio.Event()
        self._slots = asyncio.Semaphore(PARALLEL)
        self._flying: set[asyncio.Task[bool]] = set()
        self.held: list[str] = []
        self.history: deque[Obj] = deque(maxlen=2000)
        state.on_plan = self._planned

    def restore(self) -> None:
        for delivery in self._state.deliveries.values():
            self._schedule(delivery)

    def _planned(self, delivery: Obj) -> None:
        type_, account = delivery["type"], delivery["account"]
        if self._faults.for_event("drop_events", type_, account) is not None:
            self._state.unplan(delivery["id"])
            self._note(delivery, "dropped")
            return
        copies = self._faults.for_event("duplicate_events", type_, account)
        for number in range(copies.copies if copies is not None else 0):
            twin = {**delivery, "id": f"{delivery['id']}_{number + 2}"}
            self._state.deliveries[twin["id"]] = twin
            self._state.dirty_deliveries.add(twin["id"])
            self._send_or_hold(twin)
        self._send_or_hold(delivery)

    def _send_or_hold(self, delivery: Obj) -> None:
        type_, account = delivery["type"], delivery["account"]
        if self._faults.for_event("hold_events", type_, account) is not None:
            self.held.append(delivery["id"])
            return
        shuffle = self._faults.for_event("shuffle_events", type_, account)
        if shuffle is not None:
            delivery["next_at"] += random.random() * shuffle.seconds
        self._schedule(delivery)

    def _schedule(self, delivery: Obj) -> None:
        self._count += 1
        heapq.heappush(self._due, (delivery["next_at"], self._count, delivery["id"]))
        self._wake.set()

    def forget(self) -> None:
        """Everything was reset: nothing waits any more."""
        self._due, self.held = [], []
        self.history.clear()

    def wake(self) -> None:
        """The clock was moved."""
        self._wake.set()

    async def run(self) -> None:
        while True:
            self._wake.clear()
            now = self._state.clock.precise()
            while self._due and self._due[0][0] <= now:
                await self._slots.acquire()
                self._launch(heapq.heappop(self._due)[2])
            wait = min(60.0, max(0.0, self._due[0][0] - now)) if self._due else 60.0
            try:
                await asyncio.wait_for(self._wake.wait(), wait)
            except TimeoutError:
                continue

    def _launch(self, delivery_id: str) -> None:
        task = asyncio.ensure_future(self._attempt(delivery_id))
        self._flying.add(task)
        task.add_done_callback(self._landed)

    def _landed(self, task: asyncio.Task[bool]) -> None:
        self._flying.discard(task)
        self._slots.release()

    async def flush(self, order: str = "created") -> Obj:
        """Send now whatever waits, held ones and those between two tries, each once, one after the other."""
        waiting = sorted(self._due, key=lambda entry: entry[1])
        chosen = [delivery_id for _, _, delivery_id in waiting] + self.held
        self._due, self.held = [], []
        if order == "reverse":
            chosen.reverse()
        elif order == "shuffle":
            random.shuffle(chosen)
        results = [await self._attempt(delivery_id) for delivery_id in dict.fromkeys(chosen)]
        while self._flying:
            await asyncio.wait(self._flying)
        return {
            "delivered": results.count(True),
            "failed": results.count(False),
            "pending": len(self._state.deliveries),
        }

    async def _attempt(self, delivery_id: str) -> bool:
        delivery = self._state.deliveries.get(delivery_id)
        prepared = self._prepare(delivery) if delivery is not None else None
        if delivery is None or prepared is None:
            self._state.unplan(delivery_id)
            return True
        url, payload, headers = prepared
        delivery["attempts"] += 1
        try:
            status = await self._client.post(url, payload, headers, TIMEOUT)
            problem = None if 200 <= status < 300 else f"answered {status}"
        except NotLoopbackError as error:
            self._state.unplan(delivery_id)
            self._note(delivery, "refused", str(error))
            return False
        except (OSError, ValueError, TimeoutError, asyncio.LimitOverrunError) as error:
            problem = str(error) or "no answer in time"
        if problem is None:
            self._arrived(delivery)
            return True
        self._later(delivery, problem)
        return False

    def _prepare(self, delivery: Obj) -> tuple[str, bytes, dict[str, str]] | None:
        """The endpoint's address and the signed body; None when the endpoint or the event is no more."""
        owner = self._state.accounts[delivery["owner"]].tables["webhook_endpoint"]
        event = self._state.accounts[delivery["account"]].tables["event"].rows.get(delivery["event"])
        endpoint = owner.rows.get(delivery["endpoint"])
        if endpoint is None or event is None or endpoint["status"] != "enabled":
            return None
        body = thawed(event)
        if delivery["connect"]:
            body["account"] = delivery["account"]
        payload = json.dumps(body).encode()
        # Receivers compare the time with their own clock, which is the real one whatever ours says.
        signature = sign(payload, owner.hidden[delivery["endpoint"]]["secret"], int(time.time()))
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "User-Agent": "Stripe/1.0 (+https://stripe.com/docs/webhooks)",
            "Accept": "*/*; q=0.5, application/xml",
            "Stripe-Signature": signature,
        }
        return endpoint["url"], payload, headers

    def _arrived(self, delivery: Obj) -> None:
        account = self._state.accounts.get(delivery["account"])  # gone after a reset
        event = account.tables["event"].rows.get(delivery["event"]) if account is not None else None
        if account is not None and event is not None and event["pending_webhooks"]:
            event["pending_webhooks"] -= 1
            account.tables["event"].touch(event)
        self._state.unplan(delivery["id"])
        self._note(delivery, "delivered")

    def _later(self, delivery: Obj, problem: str) -> None:
        delivery["last_error"] = problem
        now = self._state.clock.precise()
        delivery.setdefault("first_at", now)
        if now - delivery["first_at"] >= GIVE_UP_AFTER:
            self._state.unplan(delivery["id"])
            self._note(delivery, "given up", problem)
            return
        delivery["next_at"] = now + BACKOFF[min(delivery["attempts"], len(BACKOFF)) - 1]
        self._state.dirty_deliveries.add(delivery["id"])
        self._note(delivery, "failed", problem)
        if delivery["id"] in self._state.deliveries:
            self._schedule(delivery)

    def _note(self, delivery: Obj, outcome: str, problem: str | None = None) -> None:
        kept = {name: delivery[name] for name in ("event", "type", "account", "endpoint", "attempts")}
        self.history.append({**kept, "outcome": outcome, "problem": problem})

    def close(self) -> None:
        self._client.close()
