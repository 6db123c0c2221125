"""Refunds, charges and the balance's transactions as they are read."""

from typing import Any

from sandbox.stripe import money_shapes as shapes
from sandbox.stripe.context import Context
from sandbox.stripe.errors import bad_params, invalid, no_such
from sandbox.stripe.events import record
from sandbox.stripe.forms import (
    DATED_PAGE,
    PAGE,
    Spec,
    boolean,
    choice,
    integer,
    lower_text,
    merge_metadata,
    metadata,
    text,
)
from sandbox.stripe.listing import page
from sandbox.stripe.routing import route
from sandbox.stripe.search import SEARCH, search
from sandbox.stripe.types import Obj

_CREATE: Spec = {
    "amount": integer,
    "charge": text,
    "payment_intent": text,
    "reason": choice("duplicate", "fraudulent", "requested_by_customer"),
    "metadata": metadata,
    "refund_application_fee": boolean,
    "reverse_transfer": boolean,
}


def _charge_of(ctx: Context, params: Obj) -> Obj:
    if params.get("charge"):
        return ctx.get("charge", params["charge"], "charge")
    if not params.get("payment_intent"):
        message = "One of the following params should be provided for this request: payment_intent or charge."
        raise bad_params(message, code="parameter_missing", param="charge")
    intent = ctx.get("payment_intent", params["payment_intent"], "payment_intent")
    charge = ctx.table("charge").rows.get(intent["latest_charge"] or "")
    if charge is None or not charge["paid"]:
        message = f"This PaymentIntent ({intent['id']}) does not have a successful charge to refund."
        raise invalid(message, param="payment_intent")
    return charge


def _amount(charge: Obj, asked: int | None) -> int:
    left = charge["amount_captured"] - charge["amount_refunded"]
    if charge["refunded"] or left == 0:
        raise invalid(f"Charge {charge['id']} has already been refunded.", code="charge_already_refunded")
    if charge["disputed"]:
        raise invalid(
            f"Charge {charge['id']} has been charged back; cannot issue a refund.", code="charge_disputed"
        )
    amount = left if asked is None else asked
    if amount < 1:
        raise bad_params("Invalid positive integer", code="parameter_invalid_integer", param="amount")
    if amount > left:
        message = f"Refund amount ({amount}) is greater than unrefunded amount on charge ({left})"
        raise invalid(message, param="amount")
    return amount


@route("POST", "/v1/refunds", _CREATE)
def create(ctx: Context, params: Obj) -> Any:
    charge = _charge_of(ctx, params)
    amount = _amount(charge, params.get("amount"))
    row = shapes.refund(
        ctx.now, charge, amount, params.get("reason"), merge_metadata({}, params.get("metadata"))
    )
    entry = shapes.balance_transaction(
        ctx.now,
        type_="refund",
        category="refund",
        amount=-amount,
        fees=[],
        currency=charge["currency"],
        source=row["id"],
        description=f"REFUND FOR CHARGE ({charge['description'] or charge['id']})",
    )
    ctx.table("balance_transaction").add(entry)
    row["balance_transaction"] = entry["id"]
    ctx.table("refund").add(row)
    charge["amount_refunded"] += amount
    charge["refunded"] = charge["amount_refunded"] == charge["amount"]
    ctx.table("charge").touch(charge)
    record(ctx, "charge.refunded", charge, {"amount_refunded": charge["amount_refunded"] - amount})
    record(ctx, "refund.created", row)
    return row


def fail(ctx: Context, row: Obj) -> Obj:
    """The bank does not take the money after all: it comes back to the balance."""
    if row["status"] != "succeeded":
        raise invalid(f"Refund {row['id']} has status {row['status']}; only a succeeded one can fail.")
    charge = ctx.get("charge", row["charge"])
    entry = shapes.balance_transaction(
        ctx.now,
        type_="refund_failure",
        category="refund_failure",
        amount=row["amount"],
        fees=[],
        currency=row["currency"],
        source=row["id"],
        description=f"REFUND FAILURE FOR CHARGE ({charge['description'] or charge['id']})",
    )
    ctx.table("balance_transaction").add(entry)
    row["status"], row["failure_reason"] = "failed", "expired_or_canceled_card"
    row["failure_balance_transaction"] = entry["id"]
    ctx.table("refund").touch(row)
    charge["amount_refunded"] -= row["amount"]
    charge["refunded"] = False
    ctx.table("charge").touch(charge)
    record(ctx, "refund.updated", row)
    record(ctx, "refund.failed", row)
    return row


@route("GET", "/v1/refunds", {**DATED_PAGE, "charge": text, "payment_intent": text})
def list_refunds(ctx: Context, params: Obj) -> Obj:
    where = {name: params[name] for name in ("charge", "payment_intent") if params.get(name)}
    return page(ctx, "refund", params, where=where)


@route("GET", "/v1/refunds/{id}")
def retrieve(ctx: Context, params: Obj, refund_id: str) -> Any:
    return ctx.get("refund", refund_id)


@route("POST", "/v1/refunds/{id}", {"metadata": metadata})
def update(ctx: Context, params: Obj, refund_id: str) -> Any:
    row = ctx.get("refund", refund_id)
    if "metadata" in params:
        row["metadata"] = merge_metadata(row["metadata"], params["metadata"])
        ctx.table("refund").touch(row)
        record(ctx, "refund.updated", row)
    return row


@route("GET", "/v1/charges", {**DATED_PAGE, "customer": text, "payment_intent": text})
def list_charges(ctx: Context, params: Obj) -> Obj:
    where = {name: params[name] for name in ("payment_intent", "customer") if params.get(name)}
    return page(ctx, "charge", params, where=where)


@route("GET", "/v1/charges/search", SEARCH)
def search_charges(ctx: Context, params: Obj) -> Obj:
    return search(ctx, "charge", params)


@route("GET", "/v1/charges/{id}")
def retrieve_charge(ctx: Context, params: Obj, charge_id: str) -> Any:
    return ctx.get("charge", charge_id)


@route("GET", "/v1/charges/{id}/refunds", PAGE)
def list_refunds_of(ctx: Context, params: Obj, charge_id: str) -> Obj:
    ctx.get("charge", charge_id)
    return page(ctx, "refund", params, where={"charge": charge_id}, url=f"/v1/charges/{charge_id}/refunds")


@route("POST", "/v1/charges/{id}", {"metadata": metadata, "description": text, "receipt_email": text})
def update_charge(ctx: Context, params: Obj, charge_id: str) -> Any:
    row = ctx.get("charge", charge_id)
    for name in ("description", "receipt_email"):
        if name in params:
            row[name] = params[name]
    if "metadata" in params:
        row["metadata"] = merge_metadata(row["metadata"], params["metadata"])
    ctx.table("charge").touch(row)
    record(ctx, "charge.updated", row)
    return row


_TRANSACTIONS: Spec = {**DATED_PAGE, "type": text, "currency": lower_text, "source": text}


def _ripen(ctx: Context, row: Obj) -> Obj:
    """Money is pending for two days, then available."""
    if row["status"] == "pending" and row["available_on"] <= ctx.now:
        row["status"] = "available"
        ctx.table("balance_transaction").touch(row)
    return row


@route("GET", "/v1/balance_transactions", _TRANSACTIONS)
def list_transactions(ctx: Context, params: Obj) -> Obj:
    where = {"source": params["source"]} if params.get("source") else {}

    def keep(row: Obj) -> bool:
        return all(row[name] == params[name] for name in ("type", "currency") if params.get(name))

    found = page(ctx, "balance_transaction", params, where=where, keep=keep)
    for row in found["data"]:
        _ripen(ctx, row)
    return found


@route("GET", "/v1/balance_transactions/{id}")
def retrieve_transaction(ctx: Context, params: Obj, transaction_id: str) -> Any:
    row = ctx.table("balance_transaction").rows.get(transaction_id)
    if row is None:
        raise no_such("balance transaction", transaction_id)
    return _ripen(ctx, row)
