"""Lists by page, newest first, and the expansion of ids into the objects that they name."""

from collections.abc import Callable
from typing import Any

from sandbox.stripe.context import Context
from sandbox.stripe.errors import bad_params, no_such
from sandbox.stripe.store import Account
from sandbox.stripe.types import Obj

_MAX_DEPTH = 4


def page(
    ctx: Context,
    kind: str,
    params: Obj,
    *,
    where: dict[str, str] | None = None,
    keep: Callable[[Obj], bool] | None = None,
    url: str | None = None,
) -> Obj:
    table = ctx.table(kind)
    limit = params.get("limit") or 10
    if not 1 <= limit <= 100:
        message = f"Invalid limit: must be between 1 and 100, not {limit}"
        raise bad_params(message, code="parameter_invalid_integer", param="limit")
    after, before = params.get("starting_after"), params.get("ending_before")
    for name, cursor in (("starting_after", after), ("ending_before", before)):
        if cursor is not None and cursor not in table.rows:
            raise no_such(kind, cursor, name)
    created = params.get("created") or {}
    found: list[Obj] = []
    for row in table.newest_first(where or {}, after=after, before=before):
        # The clock may have been set back, so the order of creation says nothing about the dates.
        if created and not _within(row["created"], created):
            continue
        if all(row[field] == value for field, value in (where or {}).items()) and (keep is None or keep(row)):
            found.append(row)
            if len(found) > limit:
                break
    data = found[:limit]
    if before is not None:
        data.reverse()
    return {"object": "list", "url": url or f"/v1/{kind}s", "has_more": len(found) > limit, "data": data}


def _within(created: int, bounds: dict[str, int]) -> bool:
    return (
        created >= bounds.get("gte", created)
        and created > bounds.get("gt", created - 1)
        and created <= bounds.get("lte", created)
        and created < bounds.get("lt", created + 1)
    )


def expand(account: Account, body: Obj, paths: list[Any] | None) -> Obj:
    """The object with the named ids replaced; a copy where anything is replaced."""
    for path in paths or ():
        parts = str(path).split(".")
        if len(parts) - (parts[0] == "data") > _MAX_DEPTH:
            message = f"You cannot expand more than {_MAX_DEPTH} levels of a property ({path})."
            raise bad_params(message, code="parameter_invalid_string", param="expand")
        body = _expanded(account, body, parts, str(path))
    return body


def _expanded(account: Account, node: Any, parts: list[str], path: str) -> Any:
    if isinstance(node, str):
        target = account.find(node)
        if target is None:
            raise _not_expandable(path)
        node = target
    elif node is None:
        return None
    if not parts:
        return node
    if isinstance(node, list):
        return [_expanded(account, item, parts, path) for item in node]
    if not isinstance(node, dict) or parts[0] not in node:
        raise _not_expandable(path)
    child = node[parts[0]]
    if parts[0] == "refunds" and node.get("object") == "charge" and child is None:
        child = _refunds(account, node["id"])
    elif len(parts) == 1 and not isinstance(child, str | dict | list | None):
        raise _not_expandable(path)
    return {**node, parts[0]: _expanded(account, child, parts[1:], path)}


def _refunds(account: Account, charge_id: str) -> Obj:
    data = list(account.tables["refund"].newest_first({"charge": charge_id}))[:10]
    return {"object": "list", "data": data, "has_more": False, "url": f"/v1/charges/{charge_id}/refunds"}


def _not_expandable(path: str) -> Exception:
    message = f"This property cannot be expanded ({path})."
    return bad_params(message, code="parameter_invalid_string", param="expand")
