"""Stripe's search language, as far as a billing system asks: fields, metadata, comparison, AND or OR,
negation."""

import re
from collections.abc import Callable
from typing import Any

from sandbox.stripe.context import Context
from sandbox.stripe.errors import invalid
from sandbox.stripe.forms import Spec, integer, required_text, text
from sandbox.stripe.types import Obj

SEARCH: Spec = {"query": required_text, "limit": integer, "page": text}

_CLAUSE = re.compile(
    r"""\s*(?P<not>-)?(?P<field>[a-z_.]+)(?:\[(?P<q>["'])(?P<key>.+?)(?P=q)\])?\s*(?P<op>>=|<=|[:~><=])\s*"""
    r"""(?:(?P<vq>["'])(?P<value>(?:\\.|(?!(?P=vq)).)*)(?P=vq)|(?P<bare>null|-?\d+))\s*"""
)
_JOINT = re.compile(r"(AND|OR)\b", re.IGNORECASE)
Test = Callable[[Obj], bool]

_FIELDS = {
    "customer": {"created", "email", "metadata", "name", "phone"},
    "payment_intent": {"amount", "created", "currency", "customer", "metadata", "status"},
    "charge": {"amount", "created", "currency", "customer", "metadata", "status", "disputed", "refunded"},
}


def parse(kind: str, query: str) -> Test:
    tests: list[Test] = []
    joints: set[str] = set()
    at = 0
    while True:
        found = _CLAUSE.match(query, at)
        if (
            found is None
            or found["field"] not in _FIELDS[kind]
            or (found["key"] is None) == (found["field"] == "metadata")
        ):
            raise invalid(
                f"We were unable to parse your search query near: {query[at:] or query}", param="query"
            )
        tests.append(_test(found))
        at = found.end()
        if at >= len(query):
            break
        joint = _JOINT.match(query, at)
        if joint is None:
            raise invalid(f"We were unable to parse your search query near: {query[at:]}", param="query")
        joints.add(joint[1].upper())
        at = joint.end()
    if len(joints) > 1:
        raise invalid("You cannot combine AND and OR in one search query.", param="query")
    combine = any if "OR" in joints else all
    return lambda row: combine(test(row) for test in tests)


def _test(found: re.Match[str]) -> Test:
    field, key, operator = found["field"], found["key"], found["op"]
    value: str | None = found["bare"] if found["vq"] is None else re.sub(r"\\(.)", r"\1", found["value"])
    if found["bare"] == "null":
        value = None

    def holds(row: Obj) -> bool:
        actual: Any = row.get(field)
        if key is not None:
            actual = (actual or {}).get(key)
        return _compare(actual, operator, value) is not bool(found["not"])

    return holds


def _compare(actual: Any, operator: str, value: str | None) -> bool:
    if value is None or actual is None:
        return value is None and actual is None
    if operator in (">", "<", ">=", "<="):
        left, right = int(actual), int(value)
        return {">": left > right, "<": left < right, ">=": left >= right, "<=": left <= right}[operator]
    if isinstance(actual, bool):
        return str(actual).lower() == value
    if operator == "~":
        return value.lower() in str(actual).lower()
    return str(actual).lower() == value.lower()


def search(ctx: Context, kind: str, params: Obj) -> Obj:
    test = parse(kind, params["query"])
    limit = min(params.get("limit") or 10, 100)
    table = ctx.table(kind)
    after = params.get("page")
    if after is not None and after not in table.rows:
        raise invalid(f"Invalid page: {after}", param="page")
    found: list[Obj] = []
    for row in table.newest_first({}, after=after):
        if not table.hidden.get(row["id"], {}).get("deleted") and test(row):
            found.append(row)
            if len(found) > limit:
                break
    more = len(found) > limit
    data = found[:limit]
    return {
        "object": "search_result",
        "url": f"/v1/{kind}s/search",
        "has_more": more,
        "data": data,
        "next_page": data[-1]["id"] if more else None,
    }
