"""Events: each change is recorded as a snapshot, and a delivery is planned for every endpoint that asked
for it."""

import json
from typing import Any

from sandbox.stripe import ids, shapes
from sandbox.stripe.context import Context
from sandbox.stripe.forms import DATED_PAGE, array, boolean, text
from sandbox.stripe.listing import page
from sandbox.stripe.routing import route
from sandbox.stripe.store import Account, State
from sandbox.stripe.types import Obj

KEPT_SECONDS = 30 * 86400


def thawed(event: Obj) -> Obj:
    """An event as the API shows it; at rest its data is text, which takes a fraction of the memory."""
    return {**event, "data": json.loads(event["data"])}


def snapshot(row: Obj) -> Obj:
    copy: Obj = json.loads(json.dumps(row))
    return copy


def record(ctx: Context, type_: str, row: Obj, previous: Obj | None = None) -> Obj:
    """An event of the request's account, on its way to that account's endpoints and to those of its
    platforms."""
    request = {"id": ctx.request_id, "idempotency_key": ctx.idempotency_key}
    return record_for(ctx.state, ctx.account, type_, row, previous=previous, request=request)


def record_for(
    state: State,
    account: Account,
    type_: str,
    row: Obj,
    *,
    previous: Obj | None = None,
    request: Obj | None = None,
    only_connect: bool = False,
) -> Obj:
    data: Obj = {"object": row}
    if previous is not None:
        data["previous_attributes"] = previous
    frozen = json.dumps(data)
    event = shapes.event(
        state.now(account.id), type_, frozen, request or {"id": None, "idempotency_key": None}
    )
    targets = _targets(state, account, type_, only_connect=only_connect)
    event["pending_webhooks"] = len(targets)
    account.tables["event"].add(event)
    for owner, endpoint_id, connect in targets:
        _plan(state, event, account, owner, endpoint_id, connect=connect)
    _forget_old(account, state.now(account.id))
    return event


def replay(state: State, account: Account, event: Obj) -> None:
    """Send an event once more to every endpoint that wants it now."""
    for owner, endpoint_id, connect in _targets(state, account, event["type"], only_connect=False):
        event["pending_webhooks"] += 1
        _plan(state, event, account, owner, endpoint_id, connect=connect)
    account.tables["event"].touch(event)


def _targets(
    state: State, account: Account, type_: str, *, only_connect: bool
) -> list[tuple[Account, str, bool]]:
    found = [] if only_connect else _listening(account, type_, connect=False)
    for client_id in state.grants.get(account.id, ()):
        platform = state.accounts.get(state.platforms.get(client_id, ""))
        if platform is not None and platform is not account:
            found += _listening(platform, type_, connect=True)
    return found


def _listening(owner: Account, type_: str, *, connect: bool) -> list[tuple[Account, str, bool]]:
    table = owner.tables["webhook_endpoint"]
    return [
        (owner, endpoint_id, connect)
        for endpoint_id, endpoint in table.rows.items()
        if endpoint["status"] == "enabled"
        and bool(table.hidden[endpoint_id]["connect"]) == connect
        and ("*" in endpoint["enabled_events"] or type_ in endpoint["enabled_events"])
    ]


def _plan(
    state: State, event: Obj, account: Account, owner: Account, endpoint_id: str, *, connect: bool
) -> None:
    delivery = {
        "id": f"whd_{ids.random_text(16)}",
        "event": event["id"],
        "type": event["type"],
        "account": account.id,
        "owner": owner.id,
        "endpoint": endpoint_id,
        "connect": connect,
        "attempts": 0,
        "next_at": state.clock.precise(),
        "last_error": None,
    }
    state.plan(delivery)


def _forget_old(account: Account, now: int) -> None:
    """Stripe lists the events of the last 30 days; older ones go."""
    table = account.tables["event"]
    oldest = table.oldest()
    if oldest is None or oldest["created"] >= now - KEPT_SECONDS:
        return
    count = 0
    for row in table.rows.values():
        if row["created"] >= now - KEPT_SECONDS:
            break
        count += 1
    table.drop_oldest(count)


_LIST = {**DATED_PAGE, "type": text, "types": array(text), "delivery_success": boolean}


@route("GET", "/v1/events", _LIST)
def list_events(ctx: Context, params: Obj) -> Obj:
    _forget_old(ctx.account, ctx.now)
    wanted = params.get("types")
    where = {"type": params["type"]} if params.get("type") and "*" not in params["type"] else {}
    delivered = params.get("delivery_success")

    def keep(row: Obj) -> bool:
        if delivered is not None and (row["pending_webhooks"] == 0) != delivered:
            return False
        pattern = params.get("type")
        if pattern and not _matches(row["type"], pattern):
            return False
        return not wanted or any(_matches(row["type"], pattern) for pattern in wanted)

    found = page(ctx, "event", params, where=where, keep=keep)
    return {**found, "data": [thawed(row) for row in found["data"]]}


def _matches(type_: str, pattern: str) -> bool:
    if pattern.endswith("*"):
        return type_.startswith(pattern[:-1])
    return type_ == pattern


@route("GET", "/v1/events/{id}")
def retrieve_event(ctx: Context, params: Obj, event_id: str) -> Any:
    return thawed(ctx.get("event", event_id))
