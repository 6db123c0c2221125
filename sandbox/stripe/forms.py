"""Request parameters: Stripe's nested form encoding, and the check of each endpoint's parameters by name
and type."""

from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import Any
from urllib.parse import parse_qsl

from sandbox.stripe.errors import bad_params
from sandbox.stripe.types import Obj

Check = Callable[[str, Any], Any]
Spec = Mapping[str, Check]

MAX_METADATA_KEYS = 50


def decode(encoded: str) -> Obj:
    """`a[b][0]=x` becomes {"a": {"b": ["x"]}}."""
    tree: Obj = {}
    for name, value in parse_qsl(encoded, keep_blank_values=True):
        _insert(tree, name, value)
    return {key: _lists(value) for key, value in tree.items()}


def _insert(tree: Obj, name: str, value: str) -> None:
    first, bracket, rest = name.partition("[")
    path = [first, *rest.removesuffix("]").split("][")] if bracket else [first]
    node = tree
    for step, following in pairwise(path):
        key = str(len(node)) if step == "" else step
        child = node.get(key)
        if not isinstance(child, dict):
            if child not in (None, ""):
                raise bad_params(f"Invalid hash at {following}", code="parameter_invalid_empty", param=name)
            child = node[key] = {}
        node = child
    last = path[-1]
    node[str(len(node)) if last == "" else last] = value


def _lists(node: Any) -> Any:
    if not isinstance(node, dict):
        return node
    if node and all(key.isdigit() for key in node):
        return [_lists(node[key]) for key in sorted(node, key=int)]
    return {key: _lists(value) for key, value in node.items()}


def check(spec: Spec, raw: Obj, within: str = "") -> Obj:
    """The parameters with their types; refuses what the endpoint does not know. Nothing is silently
    ignored."""
    checked: Obj = {}
    for name, value in raw.items():
        full = f"{within}[{name}]" if within else name
        rule = spec.get(name)
        if rule is None:
            raise bad_params(f"Received unknown parameter: {full}", code="parameter_unknown", param=full)
        checked[name] = rule(full, value)
    return checked


def text(name: str, value: Any) -> str | None:
    if not isinstance(value, str):
        raise bad_params(f"Invalid string: {value}", code="parameter_invalid_string", param=name)
    return value or None


def required_text(name: str, value: Any) -> str:
    if not isinstance(value, str) or not value:
        message = f"You passed an empty string for '{name}'."
        raise bad_params(message, code="parameter_invalid_empty", param=name)
    return value


def integer(name: str, value: Any) -> int | None:
    if value == "":
        return None
    try:
        return int(value)
    except (TypeError, ValueError):
        raise bad_params(f"Invalid integer: {value}", code="parameter_invalid_integer", param=name) from None


def boolean(name: str, value: Any) -> bool:
    if value not in ("true", "false"):
        raise bad_params(f"Invalid boolean: {value}", code="parameter_invalid_boolean", param=name)
    return bool(value == "true")


def lower_text(name: str, value: Any) -> str | None:
    read = text(name, value)
    return read.lower() if read else read


def choice(*allowed: str) -> Check:
    def one_of(name: str, value: Any) -> str | None:
        if value == "":
            return None
        if value not in allowed:
            message = f"Invalid {name}: must be one of {', '.join(allowed)}"
            raise bad_params(message, code="parameter_invalid_string", param=name)
        return str(value)

    return one_of


def nested(spec: Spec) -> Check:
    def hash_of(name: str, value: Any) -> Obj | None:
        if value == "":
            return None
        if not isinstance(value, dict):
            raise bad_params("Invalid hash", code="parameter_invalid_hash", param=name)
        return check(spec, value, name)

    return hash_of


def array(item: Check) -> Check:
    def list_of(name: str, value: Any) -> list[Any]:
        if value == "":
            return []
        if not isinstance(value, list):
            raise bad_params("Invalid array", code="parameter_invalid_array", param=name)
        return [item(f"{name}[{index}]", entry) for index, entry in enumerate(value)]

    return list_of


def anything(name: str, value: Any) -> Any:
    """Kept as sent, where Stripe's own structure has no bearing on what the stand-in does."""
    return value


def metadata(name: str, value: Any) -> Obj | None:
    """None clears all; an empty value clears one key."""
    if value == "":
        return None
    if not isinstance(value, dict | list):
        raise bad_params("Invalid hash", code="parameter_invalid_hash", param=name)
    pairs = dict(enumerate(value)) if isinstance(value, list) else value
    for key, entry in pairs.items():
        if len(str(key)) > 40:
            message = f"Metadata keys can be at most 40 characters: {key}"
            raise bad_params(message, code="parameter_invalid_string", param=name)
        if not isinstance(entry, str) or len(entry) > 500:
            message = "Metadata values must be strings of at most 500 characters"
            raise bad_params(message, code="parameter_invalid_string", param=f"{name}[{key}]")
    return {str(key): entry for key, entry in pairs.items()}


def merge_metadata(current: Obj, change: Obj | None) -> Obj:
    if change is None:
        return {}
    merged = {key: value for key, value in {**current, **change}.items() if value != ""}
    if len(merged) > MAX_METADATA_KEYS:
        message = f"Metadata can have up to {MAX_METADATA_KEYS} keys"
        raise bad_params(message, code="parameter_invalid_hash", param="metadata")
    return merged


def time_range(name: str, value: Any) -> Obj:
    """`created=…` or `created[gte]=…`: as the bounds that hold."""
    if isinstance(value, str):
        return {"gte": integer(name, value), "lte": integer(name, value)}
    bounds = {"gt": integer, "gte": integer, "lt": integer, "lte": integer}
    read = nested(bounds)(name, value)
    return read or {}


ADDRESS: Spec = dict.fromkeys(("city", "country", "line1", "line2", "postal_code", "state"), text)
SHIPPING: Spec = {
    "name": text,
    "phone": text,
    "carrier": text,
    "tracking_number": text,
    "address": nested(ADDRESS),
}
EXPAND: Spec = {"expand": array(text)}
PAGE: Spec = {
    **EXPAND,
    "limit": integer,
    "starting_after": text,
    "ending_before": text,
}
DATED_PAGE: Spec = {**PAGE, "created": time_range}
