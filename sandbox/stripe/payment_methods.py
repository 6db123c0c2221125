"""Payment methods: cards by number or test token, and whose they are."""

import re
from datetime import UTC, datetime
from typing import Any

from sandbox.stripe import shapes
from sandbox.stripe.cards import TestCard, of_number, of_token, passes_luhn
from sandbox.stripe.context import Context
from sandbox.stripe.errors import StripeError, card_error, invalid, missing
from sandbox.stripe.events import record, snapshot
from sandbox.stripe.forms import (
    ADDRESS,
    PAGE,
    Spec,
    anything,
    choice,
    integer,
    merge_metadata,
    metadata,
    nested,
    text,
)  # fmt: skip
from sandbox.stripe.listing import page
from sandbox.stripe.routing import route
from sandbox.stripe.types import Obj

_BILLING: Spec = {"address": nested(ADDRESS), "email": text, "name": text, "phone": text, "tax_id": text}
_REDISPLAY = choice("always", "limited", "unspecified")
_CARD: Spec = {
    "number": text,
    "exp_month": integer,
    "exp_year": integer,
    "cvc": text,
    "token": text,
    "networks": anything,
}
DATA: Spec = {
    "type": choice("card"),
    "card": nested(_CARD),
    "billing_details": nested(_BILLING),
    "metadata": metadata,
    "allow_redisplay": _REDISPLAY,
    "radar_options": anything,
}
_CARD_UPDATE: Spec = {"exp_month": integer, "exp_year": integer, "networks": anything}
_UPDATE: Spec = {
    "billing_details": nested(_BILLING),
    "card": nested(_CARD_UPDATE),
    "metadata": metadata,
    "allow_redisplay": _REDISPLAY,
}
_SPENT = (
    "The provided PaymentMethod was previously used with a PaymentIntent without Customer "
    "attachment, shared with a "
    "connected account without Customer attachment, or was detached from a Customer. It may not be "
    "used again. To use a "
    "PaymentMethod multiple times, you must attach it to a Customer first."
)


def build(ctx: Context, data: Obj) -> Obj:
    """A new payment method from `type` and `card`: from a number, as the element sends it, or from a test
    token."""
    if not data.get("type"):
        raise missing("type")
    given = data.get("card")
    if not given:
        raise missing("card")
    if given.get("token"):
        kind = of_token(given["token"])
        if kind is None:
            raise invalid(f"No such token: '{given['token']}'", code="resource_missing", param="card[token]")
        return _add(ctx, kind, data, _default_expiry(ctx), cvc_given=True)
    number = re.sub(r"[ -]", "", given.get("number") or "")
    return _add(ctx, _check_number(number), data, _check_expiry(ctx, given), cvc_given=_check_cvc(given))


def _default_expiry(ctx: Context) -> tuple[int, int]:
    now = datetime.fromtimestamp(ctx.now, UTC)
    return now.month, now.year + 4


def _check_number(number: str) -> TestCard:
    if not number:
        raise missing("card[number]")
    if not number.isdigit() or not 12 <= len(number) <= 19 or not passes_luhn(number):
        raise card_error("Your card number is incorrect.", code="incorrect_number", param="number")
    kind = of_number(number)
    if kind is None:
        message = "Your card was declined. Your request was in test mode, but used a non test card."
        raise card_error(message, code="card_declined", decline_code="test_mode_live_card")
    return kind


def _check_expiry(ctx: Context, given: Obj) -> tuple[int, int]:
    month, year = given.get("exp_month"), given.get("exp_year")
    if month is None or not 1 <= month <= 12:
        raise card_error(
            "Your card's expiration month is invalid.", code="invalid_expiry_month", param="exp_month"
        )
    year = year + 2000 if year is not None and year < 100 else year
    now = datetime.fromtimestamp(ctx.now, UTC)
    if year is None or not now.year <= year <= now.year + 50 or (year, month) < (now.year, now.month):
        raise card_error(
            "Your card's expiration year is invalid.", code="invalid_expiry_year", param="exp_year"
        )
    return month, year


def _check_cvc(given: Obj) -> bool:
    cvc = given.get("cvc")
    if cvc is not None and not re.fullmatch(r"\d{3,4}", cvc):
        raise card_error("Your card's security code is invalid.", code="invalid_cvc", param="cvc")
    return cvc is not None


def _add(ctx: Context, kind: TestCard, data: Obj, expiry: tuple[int, int], *, cvc_given: bool) -> Obj:
    card = shapes.card(kind, ctx.account.id, *expiry, cvc_given=cvc_given)
    details = shapes.billing_details(data.get("billing_details"))
    keep = merge_metadata({}, data.get("metadata"))
    row = shapes.payment_method(ctx.now, card, details, keep, data.get("allow_redisplay") or "unspecified")
    return ctx.table("payment_method").add(row, {"number": kind.number})


def resolve(ctx: Context, method_id: str, param: str = "payment_method") -> Obj:
    """A payment method by id; a test token such as `pm_card_visa` stands for a new one each time."""
    kind = of_token(method_id) if method_id.startswith(("pm_card_", "tok_")) else None
    if kind is not None:
        return _add(ctx, kind, {}, _default_expiry(ctx), cvc_given=True)
    return ctx.get("payment_method", method_id, param)


def behaviour(ctx: Context, method: Obj) -> TestCard:
    kind = of_number(ctx.facts("payment_method", method["id"])["number"])
    assert kind is not None
    return kind


def check_usable(ctx: Context, method: Obj, customer: str | None) -> None:
    """A payment method pays for its own customer only, and once only when it has none."""
    if method["customer"] is None:
        if ctx.facts("payment_method", method["id"]).get("spent"):
            raise invalid(_SPENT, code="payment_method_unexpected_state", param="payment_method")
    elif method["customer"] != customer:
        message = (
            f"The payment method {method['id']} belongs to a Customer. Please include the Customer in "
            f"the `customer` "
            "parameter, and use a payment method that is attached to it."
        )
        raise invalid(message, param="payment_method")


def attach_to(ctx: Context, method: Obj, customer_id: str) -> None:
    """Raises what the card's bank says to a check of the card."""
    if method["customer"] == customer_id:
        return
    if method["customer"] is not None:
        message = "The payment method you provided has already been attached to a customer."
        raise invalid(message, code="payment_method_unexpected_state")
    check_usable(ctx, method, customer_id)
    kind = behaviour(ctx, method)
    if kind.decline is not None and kind.decline_on_attach:
        raise declined_card(kind)
    method["card"]["checks"]["cvc_check"] = "pass" if method["card"]["checks"]["cvc_check"] else None
    ctx.table("payment_method").change(method, "customer", customer_id)
    record(ctx, "payment_method.attached", method)


def declined_card(kind: TestCard) -> StripeError:
    assert kind.decline is not None
    return card_error(kind.decline.message, code=kind.decline.code, decline_code=kind.decline.decline_code)


def detach_from(ctx: Context, method: Obj) -> None:
    customer_id = method["customer"]
    table = ctx.table("payment_method")
    table.change(method, "customer", None)
    table.know(method["id"], spent=True)
    customer = ctx.table("customer").rows[customer_id]
    if customer["invoice_settings"]["default_payment_method"] == method["id"]:
        customer["invoice_settings"]["default_payment_method"] = None
        ctx.table("customer").touch(customer)
    record(ctx, "payment_method.detached", method, {"customer": customer_id})


@route("POST", "/v1/payment_methods", DATA, publishable=True)
def create(ctx: Context, params: Obj) -> Any:
    return build(ctx, params)


@route("GET", "/v1/payment_methods", {**PAGE, "customer": text, "type": text, "allow_redisplay": text})
def list_methods(ctx: Context, params: Obj) -> Obj:
    where = {"customer": params["customer"]} if params.get("customer") else {}
    if where:
        ctx.get("customer", params["customer"], "customer")
    # Without a customer, Stripe lists the methods of customers only.
    return page(ctx, "payment_method", params, where=where, keep=lambda row: row["customer"] is not None)


@route("GET", "/v1/payment_methods/{id}")
def retrieve(ctx: Context, params: Obj, method_id: str) -> Any:
    return resolve(ctx, method_id, "id")


@route("POST", "/v1/payment_methods/{id}", _UPDATE)
def update(ctx: Context, params: Obj, method_id: str) -> Any:
    row = ctx.get("payment_method", method_id)
    before = snapshot(row)
    if params.get("billing_details"):
        merged = {**row["billing_details"], **params["billing_details"]}
        merged["address"] = {**row["billing_details"]["address"], **(merged["address"] or {})}
        row["billing_details"] = shapes.billing_details(merged)
    if "metadata" in params:
        row["metadata"] = merge_metadata(row["metadata"], params["metadata"])
    if params.get("allow_redisplay"):
        row["allow_redisplay"] = params["allow_redisplay"]
    if params.get("card"):
        row["card"] = {
            **row["card"],
            **{name: value for name, value in params["card"].items() if name != "networks"},
        }
    previous = {name: value for name, value in before.items() if row[name] != value}
    if previous:
        ctx.table("payment_method").touch(row)
        record(ctx, "payment_method.updated", row, previous)
    return row


@route("POST", "/v1/payment_methods/{id}/attach", {"customer": text})
def attach(ctx: Context, params: Obj, method_id: str) -> Any:
    customer_id = params.get("customer")
    if not customer_id:
        raise missing("customer")
    ctx.get("customer", customer_id, "customer")
    row = resolve(ctx, method_id, "id")
    attach_to(ctx, row, customer_id)
    return row


@route("POST", "/v1/payment_methods/{id}/detach")
def detach(ctx: Context, params: Obj, method_id: str) -> Any:
    row = ctx.get("payment_method", method_id)
    if row["customer"] is None:
        message = "The payment method you provided is not attached to a customer so detachment is impossible."
        raise invalid(message, code="payment_method_unexpected_state")
    detach_from(ctx, row)
    return row
