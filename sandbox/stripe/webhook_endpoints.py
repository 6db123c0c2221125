"""Webhook endpoints: registered through the API; the secret is shown once, at creation."""

from typing import Any
from urllib.parse import urlsplit

from sandbox.stripe import ids, shapes
from sandbox.stripe.context import Context
from sandbox.stripe.errors import invalid, missing
from sandbox.stripe.forms import PAGE, Spec, array, boolean, merge_metadata, metadata, required_text, text
from sandbox.stripe.listing import page
from sandbox.stripe.routing import route
from sandbox.stripe.types import Obj

_LIMIT = 16
_UPDATE: Spec = {
    "url": required_text,
    "enabled_events": array(text),
    "description": text,
    "metadata": metadata,
    "disabled": boolean,
}
_CREATE: Spec = {
    "url": required_text,
    "enabled_events": array(text),
    "description": text,
    "metadata": metadata,
    "api_version": text,
    "connect": boolean,
}


def _check_url(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise invalid(
            "Invalid URL: An explicit scheme (such as https) must be provided.",
            code="url_invalid",
            param="url",
        )
    return url


@route("POST", "/v1/webhook_endpoints", _CREATE)
def create(ctx: Context, params: Obj) -> Any:
    if not params.get("url"):
        raise missing("url")
    if not params.get("enabled_events"):
        raise missing("enabled_events")
    table = ctx.table("webhook_endpoint")
    if len(table) >= _LIMIT:
        raise invalid(f"You have reached the maximum of {_LIMIT} test webhook endpoints.")
    row = shapes.webhook_endpoint(ctx.now, _check_url(params["url"]), params["enabled_events"])
    row["description"] = params.get("description")
    row["api_version"] = params.get("api_version")
    row["application"] = ctx.application
    row["metadata"] = merge_metadata({}, params.get("metadata"))
    secret = f"whsec_{ids.random_text(32)}"
    table.add(row, {"secret": secret, "connect": bool(params.get("connect"))})
    return {**row, "secret": secret}


@route("GET", "/v1/webhook_endpoints", PAGE)
def list_endpoints(ctx: Context, params: Obj) -> Obj:
    return page(ctx, "webhook_endpoint", params)


@route("GET", "/v1/webhook_endpoints/{id}")
def retrieve(ctx: Context, params: Obj, endpoint_id: str) -> Any:
    return ctx.get("webhook_endpoint", endpoint_id)


@route("POST", "/v1/webhook_endpoints/{id}", _UPDATE)
def update(ctx: Context, params: Obj, endpoint_id: str) -> Any:
    row = ctx.get("webhook_endpoint", endpoint_id)
    if "url" in params:
        row["url"] = _check_url(params["url"])
    if params.get("enabled_events"):
        row["enabled_events"] = params["enabled_events"]
    if "description" in params:
        row["description"] = params["description"]
    if "metadata" in params:
        row["metadata"] = merge_metadata(row["metadata"], params["metadata"])
    if "disabled" in params:
        row["status"] = "disabled" if params["disabled"] else "enabled"
    ctx.table("webhook_endpoint").touch(row)
    return row


@route("DELETE", "/v1/webhook_endpoints/{id}")
def delete(ctx: Context, params: Obj, endpoint_id: str) -> Obj:
    ctx.get("webhook_endpoint", endpoint_id)
    ctx.table("webhook_endpoint").remove(endpoint_id)
    return {"id": endpoint_id, "object": "webhook_endpoint", "deleted": True}
