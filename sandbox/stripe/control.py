"""The control endpoint `/_control`: faults, the clock, deliveries, and a look inside. For tests and demos
only."""

import json
from collections.abc import Callable
from typing import Any

from sandbox.stripe.accounts import owner_of
from sandbox.stripe.api import Api
from sandbox.stripe.checkout_pages import authenticate
from sandbox.stripe.context import Context
from sandbox.stripe.delivery import Courier
from sandbox.stripe.disputes import open_dispute
from sandbox.stripe.errors import StripeError
from sandbox.stripe.events import replay, thawed
from sandbox.stripe.faults import Faults
from sandbox.stripe.http import Request, Response
from sandbox.stripe.refunds import fail as fail_refund
from sandbox.stripe.store import KINDS, Account, State
from sandbox.stripe.types import Obj

HELP = {
    "fault": "kind, path, method, account, event, times (null: until cleared), skip, seconds, copies",
    "clear_faults": "id (all when left out)",
    "advance": "seconds, account (by id or key; its clock alone)",
    "set_clock": "at (seconds since the epoch), account",
    "deliver": "order: created, reverse or shuffle; sends waiting and held webhooks now",
    "dump": "account (by id or key; all when left out), kinds",
    "dispute": "charge, reason",
    "fail_refund": "refund: the bank does not take it after all",
    "authenticate": "intent, outcome: complete or fail",
    "restrict": "key, paths: prefixes that a restricted key may not use",
    "key": "key, account: one that its owner made in the dashboard",
    "replay": "event: deliver it once more to every endpoint that wants it",
    "reset": "forget everything",
}


class Control:
    def __init__(
        self, state: State, faults: Faults, courier: Courier, api: Api, wipe: Callable[[], None]
    ) -> None:
        self._state = state
        self._faults = faults
        self._courier = courier
        self._api = api
        self._wipe = wipe

    async def answer(self, request: Request) -> Response:
        if request.method == "GET":
            return _json(200, self._status())
        # A web page cannot send this type to another origin unasked: only programs reach the controls.
        if not (request.header("content-type") or "").startswith("application/json"):
            return _json(415, {"error": "send application/json"})
        try:
            given = json.loads(request.body or b"{}")
            action = str(given.pop("action", ""))
            if action == "deliver":
                return _json(200, await self._courier.flush(given.get("order", "created")))
            return _json(200, self._act(action, given))
        except StripeError as failure:
            return _json(failure.status, failure.body())
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            return _json(400, {"error": f"{type(error).__name__}: {error}", "actions": HELP})

    def _act(self, action: str, given: Obj) -> Any:
        if action not in HELP or action == "deliver":
            raise ValueError(f"action must be one of {', '.join(HELP)}")
        return getattr(self, f"_do_{action}")(given)

    def _status(self) -> Obj:
        counts = {
            account.id: {kind: len(account.tables[kind]) for kind in KINDS if len(account.tables[kind])}
            for account in self._state.accounts.values()
        }
        return {
            "now": self._state.clock.now(),
            "offset": self._state.clock.offset,
            "faults": self._faults.shown(),
            "accounts": counts,
            "pending": list(self._state.deliveries.values()),
            "held": len(self._courier.held),
            "deliveries": list(self._courier.history),
            "requests": list(self._api.log),
            "actions": HELP,
        }

    def _do_fault(self, given: Obj) -> Obj:
        return {"id": self._faults.add(given).id}

    def _do_clear_faults(self, given: Obj) -> Obj:
        self._faults.clear(given.get("id"))
        return {"faults": self._faults.shown()}

    def _do_advance(self, given: Obj) -> Obj:
        account_id = self._account_id(given)
        return self._moved(account_id, self._now(account_id) + int(given["seconds"]))

    def _do_set_clock(self, given: Obj) -> Obj:
        return self._moved(self._account_id(given), int(given["at"]))

    def _now(self, account_id: str | None) -> int:
        return self._state.clock.now() if account_id is None else self._state.now(account_id)

    def _moved(self, account_id: str | None, at: int) -> Obj:
        if account_id is None:
            self._state.clock.set(at)
        else:
            self._state.offsets[account_id] = at - self._state.clock.now()
        self._state.dirty_misc = True
        self._courier.wake()
        return {"now": self._now(account_id)}

    def _account_id(self, given: Obj) -> str | None:
        name = given.get("account")
        if name is None or str(name).startswith("acct_"):
            return name
        return owner_of(self._state, str(name)).id

    def _do_dump(self, given: Obj) -> Obj:
        wanted = self._account_id(given)
        kinds = given.get("kinds") or list(KINDS)
        return {
            account.id: {
                "account": account.row,
                **{kind: _rows(account, kind) for kind in kinds},
            }
            for account in self._state.accounts.values()
            if wanted in (None, account.id)
        }

    def _context_of(self, kind: str, object_id: str) -> tuple[Context, Obj]:
        for account in self._state.accounts.values():
            row = account.tables[kind].rows.get(object_id)
            if row is not None:
                now = self._state.now(account.id)
                return Context(self._state, account, now, self._api.base_url), row
        raise KeyError(object_id)

    def _do_dispute(self, given: Obj) -> Obj:
        ctx, charge = self._context_of("charge", given["charge"])
        return open_dispute(ctx, charge, given.get("reason", "fraudulent"))

    def _do_fail_refund(self, given: Obj) -> Obj:
        return fail_refund(*self._context_of("refund", given["refund"]))

    def _do_authenticate(self, given: Obj) -> Obj:
        kind = "setup_intent" if given["intent"].startswith("seti_") else "payment_intent"
        ctx, row = self._context_of(kind, given["intent"])
        failure = authenticate(ctx, row, succeeded=given.get("outcome", "complete") == "complete")
        if failure is not None and row["status"] == "requires_action":
            raise failure
        return row

    def _do_restrict(self, given: Obj) -> Obj:
        self._state.denied[given["key"]] = [str(path) for path in given.get("paths", [])]
        self._state.dirty_misc = True
        return {"denied": self._state.denied}

    def _do_key(self, given: Obj) -> Obj:
        """A key that the owner of an account has made in Stripe's dashboard."""
        self._state.keys[str(given["key"])] = str(given["account"])
        self._state.dirty_misc = True
        return {}

    def _do_replay(self, given: Obj) -> Obj:
        ctx, event = self._context_of("event", given["event"])
        replay(self._state, ctx.account, event)
        return thawed(event)

    def _do_reset(self, given: Obj) -> Obj:
        self._faults.clear()
        self._courier.forget()
        self._state.clear()
        self._api.log.clear()
        self._wipe()
        return {"now": self._state.clock.now()}


def _rows(account: Account, kind: str) -> list[Obj]:
    rows = account.tables[kind].rows.values()
    return [thawed(row) for row in rows] if kind == "event" else list(rows)


def _json(status: int, body: Any) -> Response:
    return Response(status, json.dumps(body).encode())
