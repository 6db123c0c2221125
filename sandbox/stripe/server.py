"""The whole stand-in: what listens, what runs beside it, and which address leads where."""

import asyncio
import json
import traceback
from pathlib import Path

from sandbox.stripe import checkout_pages, oauth
from sandbox.stripe.api import Api
from sandbox.stripe.control import Control
from sandbox.stripe.delivery import Courier
from sandbox.stripe.errors import api_error
from sandbox.stripe.faults import Faults
from sandbox.stripe.http import Listener, Request, Response
from sandbox.stripe.outbound import NotLoopbackError, loopback_address
from sandbox.stripe.pages import file, message_page
from sandbox.stripe.persistence import Snapshot
from sandbox.stripe.store import State

SAVE_EVERY = 0.5


class Server:
    def __init__(self, state_file: Path | None = None, public_url: str | None = None) -> None:
        self.state = State()
        self._snapshot = Snapshot(state_file) if state_file is not None else None
        if self._snapshot is not None:
            self._snapshot.load(self.state)
        self._public_url = public_url
        self._faults = Faults()
        self._courier = Courier(self.state, self._faults)
        self._api = Api(self.state, self._faults, public_url or "")
        self._control = Control(self.state, self._faults, self._courier, self._api, self._wipe)
        self._listener = Listener(self.handle)
        self._tasks: list[asyncio.Task[None]] = []

    def _wipe(self) -> None:
        if self._snapshot is not None:
            self._snapshot.wipe()

    async def start(self, port: int) -> int:
        bound = await self._listener.start(port)
        self._api.base_url = (self._public_url or f"http://stripe.localhost:{bound}").rstrip("/")
        self._courier.restore()
        self._tasks = [asyncio.create_task(self._courier.run())]
        if self._snapshot is not None:
            self._tasks.append(asyncio.create_task(self._save_often(self._snapshot)))
        return bound

    async def _save_often(self, snapshot: Snapshot) -> None:
        while True:
            await asyncio.sleep(SAVE_EVERY)
            changes = snapshot.collect(self.state)
            if changes:
                await asyncio.to_thread(snapshot.write, changes)

    async def stop(self) -> None:
        await self._listener.stop()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._courier.close()
        if self._snapshot is not None:
            self._snapshot.save(self.state)
            self._snapshot.close()

    async def handle(self, request: Request) -> Response:
        try:
            if not _local(request.header("host") or ""):
                return message_page(
                    421, "Wrong host", "This server answers for this machine's own names only."
                )
            return await self._route(request)
        except Exception:
            traceback.print_exc()
            return Response(500, json.dumps(api_error().body()).encode())

    async def _route(self, request: Request) -> Response:
        path = request.path
        if path.startswith("/v1/"):
            return await self._api.answer(request)
        if path == "/_control":
            return await self._control.answer(request)
        if path == "/healthz":
            return Response(200, b'{"status": "ok"}')
        if path.startswith("/oauth/"):
            return self._oauth(request)
        return self._page(request)

    def _oauth(self, request: Request) -> Response:
        place = (request.method, request.path)
        if place == ("GET", "/oauth/authorize"):
            return oauth.authorize_page(request)
        if place == ("POST", "/oauth/authorize"):
            return oauth.decide(self.state, request)
        if place == ("POST", "/oauth/token"):
            return oauth.token(self.state, request)
        if place == ("POST", "/oauth/deauthorize"):
            return oauth.deauthorize(self.state, request)
        return message_page(404, "No such page", request.path)

    def _page(self, request: Request) -> Response:
        served = file(request.path)
        if served is not None:
            return served
        if request.path == "/favicon.ico":
            return Response(204)
        if request.path == "/elements/payment":
            return checkout_pages.element_frame()
        _, _, last = request.path.rpartition("/")
        if request.path.startswith("/3ds/"):
            answer = (
                checkout_pages.answer_challenge if request.method == "POST" else checkout_pages.challenge_page
            )
            return answer(self.state, self._api.base_url, last, request)
        if request.path.startswith("/receipts/"):
            return checkout_pages.receipt_page(self.state, last)
        if request.path == "/":
            count = len(self.state.accounts)
            return message_page(
                200, "Stripe stand-in", f"Running, with {count} accounts. No money moves here."
            )
        return message_page(404, "No such page", request.path)


def _local(host: str) -> bool:
    """Whether the Host header names this machine: a foreign name could be a page trying to reach us."""
    name = host.rpartition(":")[0] if host.rpartition(":")[2].isdigit() and ":" in host else host
    try:
        loopback_address(name.strip("[]"))
    except NotLoopbackError:
        return False
    return True
