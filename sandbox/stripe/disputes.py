"""Disputes: what a card holder's bank takes back, and how it ends."""

from typing import Any

from sandbox.stripe import money_shapes as shapes
from sandbox.stripe.context import Context
from sandbox.stripe.currencies import dispute_fee
from sandbox.stripe.errors import invalid
from sandbox.stripe.events import record
from sandbox.stripe.forms import DATED_PAGE, Spec, anything, boolean, merge_metadata, metadata, nested, text
from sandbox.stripe.listing import page
from sandbox.stripe.routing import route
from sandbox.stripe.types import Obj

_EVIDENCE: Spec = {**dict.fromkeys(shapes.EVIDENCE_FIELDS, text), "enhanced_evidence": anything}
_UPDATE: Spec = {"evidence": nested(_EVIDENCE), "metadata": metadata, "submit": boolean}


def _move(ctx: Context, row: Obj, amount: int, fees: list[Obj]) -> None:
    entry = shapes.balance_transaction(
        ctx.now,
        type_="adjustment",
        category="dispute" if amount < 0 else "dispute_reversal",
        amount=amount,
        fees=fees,
        currency=row["currency"],
        source=row["id"],
        description=f"Chargeback {'withdrawal' if amount < 0 else 'reversal'} for {row['charge']}",
    )
    ctx.table("balance_transaction").add(entry)
    row["balance_transactions"] = [*row["balance_transactions"], entry]


def open_dispute(ctx: Context, charge: Obj, reason: str = "fraudulent") -> Obj:
    if charge["disputed"] or not charge["captured"]:
        raise invalid(f"Charge {charge['id']} cannot be disputed.", code="charge_disputed")
    row = shapes.dispute(ctx.now, charge, reason)
    currency = charge["currency"]
    fee = shapes.fee(dispute_fee(currency), currency, description="Dispute fee")
    _move(ctx, row, -row["amount"], [fee])
    ctx.table("dispute").add(row)
    charge["disputed"] = True
    ctx.table("charge").touch(charge)
    record(ctx, "charge.dispute.created", row)
    record(ctx, "charge.dispute.funds_withdrawn", row)
    return row


def close_dispute(ctx: Context, row: Obj, status: str) -> None:
    row["status"] = status
    if status == "won":
        _move(ctx, row, row["amount"], [])
        record(ctx, "charge.dispute.funds_reinstated", row)
    ctx.table("dispute").touch(row)
    record(ctx, "charge.dispute.closed", row)


def _open(ctx: Context, dispute_id: str) -> Obj:
    row = ctx.get("dispute", dispute_id)
    if row["status"] in {"won", "lost"}:
        raise invalid("This dispute is already closed", code="dispute_unexpected_state")
    return row


@route("GET", "/v1/disputes", {**DATED_PAGE, "charge": text, "payment_intent": text})
def list_disputes(ctx: Context, params: Obj) -> Obj:
    where = {name: params[name] for name in ("charge", "payment_intent") if params.get(name)}
    return page(ctx, "dispute", params, where=where)


@route("GET", "/v1/disputes/{id}")
def retrieve(ctx: Context, params: Obj, dispute_id: str) -> Any:
    return ctx.get("dispute", dispute_id)


@route("POST", "/v1/disputes/{id}", _UPDATE)
def update(ctx: Context, params: Obj, dispute_id: str) -> Any:
    """Evidence of `winning_evidence` or `losing_evidence` decides the dispute at once, as in Stripe's test
    mode."""
    row = _open(ctx, dispute_id)
    evidence = params.get("evidence") or {}
    row["evidence"] = {**row["evidence"], **evidence}
    if "metadata" in params:
        row["metadata"] = merge_metadata(row["metadata"], params["metadata"])
    ctx.table("dispute").touch(row)
    if evidence and params.get("submit", True):
        count = row["evidence_details"]["submission_count"] + 1
        row["evidence_details"] = {
            **row["evidence_details"],
            "has_evidence": True,
            "submission_count": count,
            "submission_method": "manual",
        }
        row["status"] = "under_review"
        verdict = {"winning_evidence": "won", "losing_evidence": "lost"}.get(
            evidence.get("uncategorized_text") or ""
        )
        if verdict is not None:
            close_dispute(ctx, row, verdict)
            return row
    record(ctx, "charge.dispute.updated", row)
    return row


@route("POST", "/v1/disputes/{id}/close")
def close(ctx: Context, params: Obj, dispute_id: str) -> Any:
    row = _open(ctx, dispute_id)
    close_dispute(ctx, row, "lost")
    return row
