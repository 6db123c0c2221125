"""Customers."""

from typing import Any

from sandbox.stripe import shapes
from sandbox.stripe.context import Context
from sandbox.stripe.errors import no_such
from sandbox.stripe.events import record, snapshot
from sandbox.stripe.forms import (
    ADDRESS,
    DATED_PAGE,
    PAGE,
    SHIPPING,
    Spec,
    anything,
    array,
    choice,
    integer,
    merge_metadata,
    metadata,
    nested,
    text,
)  # fmt: skip
from sandbox.stripe.listing import page
from sandbox.stripe.payment_methods import attach_to, detach_from, resolve
from sandbox.stripe.routing import route
from sandbox.stripe.search import SEARCH, search
from sandbox.stripe.types import Obj

_INVOICE_SETTINGS: Spec = {
    "default_payment_method": text,
    "footer": text,
    "custom_fields": anything,
    "rendering_options": anything,
}
_UPDATE: Spec = {
    "address": nested(ADDRESS),
    "balance": integer,
    "business_name": text,
    "description": text,
    "email": text,
    "individual_name": text,
    "invoice_prefix": text,
    "invoice_settings": nested(_INVOICE_SETTINGS),
    "metadata": metadata,
    "name": text,
    "next_invoice_sequence": integer,
    "phone": text,
    "preferred_locales": array(text),
    "shipping": nested(SHIPPING),
    "tax_exempt": choice("none", "exempt", "reverse"),
}
_CREATE: Spec = {**_UPDATE, "payment_method": text}


def living(ctx: Context, customer_id: str, param: str = "id") -> Obj:
    """A customer that has not been deleted."""
    row = ctx.get("customer", customer_id, param)
    if ctx.facts("customer", customer_id).get("deleted"):
        raise no_such("customer", customer_id, param)
    return row


def _apply(ctx: Context, row: Obj, params: Obj) -> None:
    for name, value in params.items():
        if name == "metadata":
            row["metadata"] = merge_metadata(row["metadata"], value)
        elif name == "address":
            row["address"] = shapes.address({**(row["address"] or {}), **value}) if value else None
        elif name == "shipping":
            row["shipping"] = {**value, "address": shapes.address(value.get("address"))} if value else None
        elif name == "invoice_settings":
            _choose_default(ctx, row, value or {})
        elif name == "email":
            ctx.table("customer").change(row, "email", value)
        elif name == "tax_exempt":
            row["tax_exempt"] = value or "none"
        elif name not in {"expand", "payment_method"}:
            row[name] = value


def _choose_default(ctx: Context, row: Obj, settings: Obj) -> None:
    method_id = settings.get("default_payment_method")
    if method_id is not None:
        method = ctx.get("payment_method", method_id, "invoice_settings[default_payment_method]")
        if method["customer"] != row["id"]:
            raise no_such("PaymentMethod", method_id, "invoice_settings[default_payment_method]")
    row["invoice_settings"] = {**row["invoice_settings"], **settings}


@route("POST", "/v1/customers", _CREATE)
def create(ctx: Context, params: Obj) -> Any:
    method = resolve(ctx, params["payment_method"]) if params.get("payment_method") else None
    row = ctx.table("customer").add(shapes.customer(ctx.now))
    try:
        if method is not None:
            attach_to(ctx, method, row["id"])
        _apply(ctx, row, params)
    except Exception:
        ctx.table("customer").remove(row["id"])
        raise
    record(ctx, "customer.created", row)
    return row


@route("GET", "/v1/customers", {**DATED_PAGE, "email": text})
def list_customers(ctx: Context, params: Obj) -> Obj:
    where = {"email": params["email"]} if params.get("email") else {}
    hidden = ctx.table("customer").hidden
    return page(
        ctx, "customer", params, where=where, keep=lambda row: not hidden.get(row["id"], {}).get("deleted")
    )


@route("GET", "/v1/customers/search", SEARCH)
def search_customers(ctx: Context, params: Obj) -> Obj:
    return search(ctx, "customer", params)


@route("GET", "/v1/customers/{id}")
def retrieve(ctx: Context, params: Obj, customer_id: str) -> Any:
    row = ctx.get("customer", customer_id)
    if ctx.facts("customer", customer_id).get("deleted"):
        return {"id": customer_id, "object": "customer", "deleted": True}
    return row


@route("POST", "/v1/customers/{id}", _UPDATE)
def update(ctx: Context, params: Obj, customer_id: str) -> Any:
    row = living(ctx, customer_id)
    before = snapshot(row)
    _apply(ctx, row, params)
    previous = {name: value for name, value in before.items() if row[name] != value}
    if previous:
        ctx.table("customer").touch(row)
        record(ctx, "customer.updated", row, previous)
    return row


@route("DELETE", "/v1/customers/{id}")
def delete(ctx: Context, params: Obj, customer_id: str) -> Obj:
    row = living(ctx, customer_id)
    for method in list(ctx.table("payment_method").newest_first({"customer": customer_id})):
        detach_from(ctx, method)
    ctx.table("customer").know(customer_id, deleted=True)
    record(ctx, "customer.deleted", row)
    return {"id": customer_id, "object": "customer", "deleted": True}


@route("GET", "/v1/customers/{id}/payment_methods", {**PAGE, "type": text, "allow_redisplay": text})
def list_methods(ctx: Context, params: Obj, customer_id: str) -> Obj:
    living(ctx, customer_id)
    url = f"/v1/customers/{customer_id}/payment_methods"
    return page(ctx, "payment_method", params, where={"customer": customer_id}, url=url)


@route("GET", "/v1/customers/{id}/payment_methods/{method}")
def retrieve_method(ctx: Context, params: Obj, customer_id: str, method_id: str) -> Any:
    method = ctx.get("payment_method", method_id, "payment_method")
    if method["customer"] != customer_id:
        raise no_such("PaymentMethod", method_id, "payment_method")
    return method
