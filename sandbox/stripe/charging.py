"""Charging a card for a payment intent: the bank's answer, the charge, its fee, and what follows a
success."""

from sandbox.stripe import money_shapes as shapes
from sandbox.stripe.cards import NEEDS_AUTHENTICATION, Decline
from sandbox.stripe.context import Context
from sandbox.stripe.currencies import card_fee
from sandbox.stripe.disputes import open_dispute
from sandbox.stripe.errors import StripeError, card_error
from sandbox.stripe.events import record, snapshot
from sandbox.stripe.payment_methods import attach_to, behaviour
from sandbox.stripe.types import Obj


def needs_authentication(ctx: Context, method: Obj, *, asked: bool) -> bool:
    """Whether the card's bank wants its holder to confirm; `asked` when the merchant insists on it."""
    kind = behaviour(ctx, method)
    if kind.authentication == "unless_set_up":
        return asked or not ctx.facts("payment_method", method["id"]).get("set_up")
    return asked or kind.authentication == "always"


def charge(ctx: Context, intent: Obj, method: Obj, *, off_session: bool, authenticated: bool = False) -> None:
    """Charge the card; raises the card error when it is declined, with the intent as it then stands."""
    decline = behaviour(ctx, method).decline
    if off_session and not authenticated and needs_authentication(ctx, method, asked=False):
        decline = NEEDS_AUTHENTICATION
    secure = _three_d_secure() if authenticated else None
    card = shapes.charged_card(method["card"], intent["amount"], secure)
    row = shapes.charge(ctx.now, intent, method, card, ctx.base_url)
    if decline is not None:
        raise _fail(ctx, intent, method, row, decline)
    _succeed(ctx, intent, method, row)


def _three_d_secure() -> Obj:
    return {
        "authentication_flow": "challenge",
        "electronic_commerce_indicator": "05",
        "exemption_indicator": None,
        "result": "authenticated",
        "result_reason": None,
        "transaction_id": None,
        "version": "2.2.0",
    }


def _fail(ctx: Context, intent: Obj, method: Obj, row: Obj, decline: Decline) -> StripeError:
    reason = decline.decline_code or decline.code
    row["outcome"] = shapes.outcome(
        type_="issuer_declined",
        network="declined_by_network",
        reason=reason,
        message="The bank did not return any further details with this decline.",
        decline=decline.network_decline_code,
        advice=decline.advice,
    )
    row.update(status="failed", failure_code=decline.code, failure_message=decline.message)
    ctx.table("charge").add(row)
    intent["latest_charge"] = row["id"]
    failure = card_error(
        decline.message, code=decline.code, decline_code=decline.decline_code, charge=row["id"]
    )
    failure.error["advice_code"] = decline.advice
    failure.error["network_decline_code"] = decline.network_decline_code
    record(ctx, "charge.failed", row)
    refuse(ctx, intent, method, failure)
    return failure


def refuse(ctx: Context, intent: Obj, method: Obj, failure: StripeError) -> None:
    """Put the intent back to where a payer chooses another card, and show it inside the error."""
    intent["last_payment_error"] = {**failure.error, "payment_method": snapshot(method)}
    intent.update(status="requires_payment_method", next_action=None, payment_method=None)
    ctx.table("payment_intent").touch(intent)
    record(ctx, "payment_intent.payment_failed", intent)
    failure.error["payment_intent"] = snapshot(intent)
    failure.error["payment_method"] = snapshot(method)


def _succeed(ctx: Context, intent: Obj, method: Obj, row: Obj) -> None:
    kind = behaviour(ctx, method)
    row["outcome"] = shapes.outcome(
        type_="authorized",
        network="approved_by_network",
        reason=None,
        message="Payment complete.",
        decline=None,
        advice=None,
    )
    row.update(status="succeeded", paid=True)
    intent.update(
        latest_charge=row["id"], payment_method=method["id"], last_payment_error=None, next_action=None
    )
    ctx.table("charge").add(row)
    _keep_card(ctx, intent, method)
    if intent["capture_method"] == "manual":
        intent.update(status="requires_capture", amount_capturable=intent["amount"])
        ctx.table("payment_intent").touch(intent)
        record(ctx, "charge.succeeded", row)
        record(ctx, "payment_intent.amount_capturable_updated", intent)
        return
    settle(ctx, intent, row, intent["amount"])
    record(ctx, "charge.succeeded", row)
    record(ctx, "payment_intent.succeeded", intent)
    if kind.dispute is not None:
        open_dispute(ctx, row, kind.dispute)


def _keep_card(ctx: Context, intent: Obj, method: Obj) -> None:
    usage = intent["setup_future_usage"]
    table = ctx.table("payment_method")
    if usage and intent["customer"]:
        attach_to(ctx, method, intent["customer"])
        if usage == "off_session":
            table.know(method["id"], set_up=True)
    elif method["customer"] is None:
        table.know(method["id"], spent=True)


def settle(ctx: Context, intent: Obj, row: Obj, amount: int) -> None:
    """Capture the amount: the money, less the fee, enters the balance."""
    currency = row["currency"]
    fees = [shapes.fee(card_fee(amount, currency), currency)]
    if row["application_fee_amount"]:
        part = shapes.fee(
            row["application_fee_amount"], currency, type_="application_fee", description="Application fee"
        )
        fees.append({**part, "application": row["application"]})
    entry = shapes.balance_transaction(
        ctx.now,
        type_="charge",
        category="charge",
        amount=amount,
        fees=fees,
        currency=currency,
        source=row["id"],
        description=row["description"],
    )
    ctx.table("balance_transaction").add(entry)
    row.update(captured=True, amount_captured=amount, balance_transaction=entry["id"])
    intent.update(status="succeeded", amount_received=amount, amount_capturable=0)
    ctx.table("charge").touch(row)
    ctx.table("payment_intent").touch(intent)
