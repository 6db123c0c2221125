"""Payment intents: from the wish to be paid to the charge, through every state that Stripe has for it."""

from typing import Any

from sandbox.stripe import money_shapes as shapes
from sandbox.stripe.charging import charge, needs_authentication, refuse, settle
from sandbox.stripe.confirming import challenge, choose_types, intent_of, method_for, shown, unexpected
from sandbox.stripe.context import Context
from sandbox.stripe.currencies import check_amount
from sandbox.stripe.customers import living
from sandbox.stripe.errors import bad_params, card_error, invalid, missing
from sandbox.stripe.events import record, snapshot
from sandbox.stripe.forms import (
    DATED_PAGE,
    SHIPPING,
    Spec,
    anything,
    array,
    boolean,
    choice,
    integer,
    lower_text,
    merge_metadata,
    metadata,
    nested,
    text,
)  # fmt: skip
from sandbox.stripe.listing import page
from sandbox.stripe.payment_methods import DATA, check_usable, resolve
from sandbox.stripe.routing import route
from sandbox.stripe.search import SEARCH, search
from sandbox.stripe.types import Obj

_AUTOMATIC: Spec = {"enabled": boolean, "allow_redirects": choice("always", "never")}
_CARD_OPTIONS: Spec = {
    "request_three_d_secure": choice("any", "automatic", "challenge"),
    "setup_future_usage": choice("none", "off_session", "on_session"),
    "capture_method": choice("manual"),
}
_PLAIN: Spec = {
    "description": text,
    "receipt_email": text,
    "statement_descriptor": text,
    "statement_descriptor_suffix": text,
    "transfer_group": text,
}
_CONFIRM_PLAIN: Spec = {
    "payment_method": text,
    "payment_method_data": nested(DATA),
    "payment_method_options": nested({"card": nested(_CARD_OPTIONS)}),
    "setup_future_usage": choice("off_session", "on_session"),
    "shipping": nested(SHIPPING),
    "receipt_email": text,
}
_UPDATE: Spec = {
    **_PLAIN,
    **_CONFIRM_PLAIN,
    "amount": integer,
    "currency": lower_text,
    "customer": text,
    "metadata": metadata,
    "application_fee_amount": integer,
    "capture_method": choice("automatic", "automatic_async", "manual"),
    "payment_method_types": array(text),
    "allowed_payment_method_types": array(text),
}
_ATTEMPT: Spec = {
    "off_session": boolean,
    "return_url": text,
    "use_stripe_sdk": boolean,
    "mandate_data": anything,
    "error_on_requires_action": boolean,
    "radar_options": anything,
}
_CREATE: Spec = {
    **_UPDATE,
    **_ATTEMPT,
    "confirm": boolean,
    "confirmation_method": choice("automatic", "manual"),
    "automatic_payment_methods": nested(_AUTOMATIC),
}
_CONFIRM: Spec = {
    **_CONFIRM_PLAIN,
    **_ATTEMPT,
    "capture_method": choice("automatic", "automatic_async", "manual"),
    "client_secret": text,
}
_CAPTURE: Spec = {"amount_to_capture": integer, "final_capture": boolean, "metadata": metadata}
_REASONS = choice("abandoned", "duplicate", "fraudulent", "requested_by_customer")
_OPEN = {"requires_payment_method", "requires_confirmation", "requires_action"}


def _assign(ctx: Context, row: Obj, params: Obj) -> None:
    for name in (*_PLAIN, "setup_future_usage", "application_fee_amount"):
        if name in params:
            row[name] = params[name]
    for name in ("capture_method", "confirmation_method"):
        if params.get(name):
            row[name] = params[name]
    if "metadata" in params:
        row["metadata"] = merge_metadata(row["metadata"], params["metadata"])
    if "shipping" in params:
        row["shipping"] = params["shipping"]
    if params.get("payment_method_options"):
        card = {
            **row["payment_method_options"]["card"],
            **(params["payment_method_options"].get("card") or {}),
        }
        row["payment_method_options"] = {"card": card}
    if row["application_fee_amount"] is not None and ctx.application is None:
        message = (
            "Can only apply an application_fee_amount when the PaymentIntent is attempting a direct payment"
        )
        raise invalid(
            f"{message} (using an OAuth key or Stripe-Account header).", param="application_fee_amount"
        )


@route("POST", "/v1/payment_intents", _CREATE)
def create(ctx: Context, params: Obj) -> Any:
    amount, currency = params.get("amount"), params.get("currency")
    if amount is None:
        raise missing("amount")
    if not currency:
        raise missing("currency")
    check_amount(amount, currency)
    if "off_session" in params and not params.get("confirm"):
        message = "You can only set `off_session` when `confirm` is `true`."
        raise bad_params(message, code="parameter_invalid", param="off_session")
    row = shapes.payment_intent(ctx.now, amount, currency)
    row["application"] = ctx.application
    if params.get("customer"):
        row["customer"] = living(ctx, params["customer"], "customer")["id"]
    choose_types(ctx, row, params)
    _assign(ctx, row, params)
    method = method_for(ctx, row, params)
    if method is not None:
        check_usable(ctx, method, row["customer"])
        row.update(payment_method=method["id"], status="requires_confirmation")
    if params.get("confirm"):
        _check_return(row, params)
        if method is None:
            raise _no_method(row)
    ctx.table("payment_intent").add(row)
    record(ctx, "payment_intent.created", row)
    if params.get("confirm") and method is not None:
        _attempt(ctx, row, method, params)
    return row


def _check_return(row: Obj, params: Obj) -> None:
    automatic = row["automatic_payment_methods"]
    redirects = automatic is not None and automatic["allow_redirects"] == "always"
    if redirects and not (
        params.get("return_url") or params.get("off_session") or params.get("use_stripe_sdk")
    ):
        message = (
            "This PaymentIntent is configured to accept payment methods enabled in your Dashboard. "
            "Because some of these "
            "payment methods might redirect your customer off of your page, you must provide a "
            "`return_url`. If you don't "
            "want to accept redirect-based payment methods, set `automatic_payment_methods[enabled]` "
            "to `true` and "
            "`automatic_payment_methods[allow_redirects]` to `never` when creating Setup Intents and "
            "Payment Intents."
        )
        raise invalid(message)


def _no_method(row: Obj) -> Exception:
    message = (
        "You cannot confirm this PaymentIntent because it's missing a payment method. You can either "
        "update the "
        "PaymentIntent with a payment method and then confirm it again, or confirm it again directly "
        "with a payment method."
    )
    return unexpected("payment_intent", row, message)


def _attempt(ctx: Context, row: Obj, method: Obj, params: Obj) -> None:
    """One try to be paid: a charge, a challenge, or a card error."""
    off_session = bool(params.get("off_session"))
    insisted = row["payment_method_options"]["card"].get("request_three_d_secure") in {"any", "challenge"}
    if off_session or not needs_authentication(ctx, method, asked=insisted):
        charge(ctx, row, method, off_session=off_session)
        return
    if params.get("error_on_requires_action"):
        message = "Your card was declined. This transaction requires authentication."
        failure = card_error(message, code="authentication_required", decline_code="authentication_required")
        refuse(ctx, row, method, failure)
        raise failure
    row.update(status="requires_action", payment_method=method["id"], last_payment_error=None)
    row["next_action"] = challenge(ctx, row, method, params.get("return_url"))
    ctx.table("payment_intent").touch(row)
    record(ctx, "payment_intent.requires_action", row)


def authenticate(ctx: Context, row: Obj, *, succeeded: bool) -> None:
    """The card holder has answered the challenge. A decline after it stands on the intent, and raises
    nothing here."""
    if row["status"] != "requires_action":
        raise unexpected("payment_intent", row, "This PaymentIntent does not wait for an authentication.")
    method = ctx.get("payment_method", row["payment_method"], "payment_method")
    if succeeded:
        charge(ctx, row, method, off_session=False, authenticated=True)
        return
    message = (
        "We are unable to authenticate your payment method. Please choose a different payment "
        "method and try again."
    )
    failure = invalid(message, code="payment_intent_authentication_failure")
    refuse(ctx, row, method, failure)
    raise failure


@route("POST", "/v1/payment_intents/{id}/confirm", _CONFIRM, publishable=True)
def confirm(ctx: Context, params: Obj, intent_id: str) -> Any:
    row = intent_of(ctx, "payment_intent", intent_id, params)
    if row["status"] not in _OPEN:
        done = {"succeeded": "it has already succeeded after being previously confirmed"}
        why = done.get(row["status"], f"it has a status of {row['status']}")
        raise unexpected("payment_intent", row, f"You cannot confirm this PaymentIntent because {why}.")
    method = method_for(ctx, row, params)
    if method is None:
        raise _no_method(row)
    check_usable(ctx, method, row["customer"])
    if not ctx.publishable:
        _check_return(row, params)
    _assign(
        ctx,
        row,
        {name: value for name, value in params.items() if name in _CONFIRM_PLAIN or name == "capture_method"},
    )
    _attempt(ctx, row, method, params)
    return shown(ctx, row)


@route("GET", "/v1/payment_intents", {**DATED_PAGE, "customer": text})
def list_intents(ctx: Context, params: Obj) -> Obj:
    where = {"customer": params["customer"]} if params.get("customer") else {}
    return page(ctx, "payment_intent", params, where=where)


@route("GET", "/v1/payment_intents/search", SEARCH)
def search_intents(ctx: Context, params: Obj) -> Obj:
    return search(ctx, "payment_intent", params)


@route("GET", "/v1/payment_intents/{id}", {"client_secret": text}, publishable=True)
def retrieve(ctx: Context, params: Obj, intent_id: str) -> Any:
    return shown(ctx, intent_of(ctx, "payment_intent", intent_id, params))


@route("POST", "/v1/payment_intents/{id}", _UPDATE)
def update(ctx: Context, params: Obj, intent_id: str) -> Any:
    row = intent_of(ctx, "payment_intent", intent_id, params)
    fixed = set(params) - {"metadata", "description", "receipt_email", "transfer_group", "expand"}
    if row["status"] not in _OPEN and fixed:
        name = min(fixed)
        message = (
            f"This PaymentIntent's {name} could not be updated because it has a status of {row['status']}."
        )
        raise unexpected("payment_intent", row, message)
    amount, currency = params.get("amount") or row["amount"], params.get("currency") or row["currency"]
    check_amount(amount, currency)
    if params.get("customer") and params["customer"] != row["customer"]:
        ctx.table("payment_intent").change(row, "customer", living(ctx, params["customer"], "customer")["id"])
    if params.get("payment_method_types") or params.get("allowed_payment_method_types"):
        choose_types(ctx, row, params)
    _assign(ctx, row, params)
    row.update(amount=amount, currency=currency)
    if params.get("payment_method"):
        method = resolve(ctx, params["payment_method"])
        check_usable(ctx, method, row["customer"])
        row.update(payment_method=method["id"], status="requires_confirmation", next_action=None)
    ctx.table("payment_intent").touch(row)
    return row


@route("POST", "/v1/payment_intents/{id}/capture", _CAPTURE)
def capture(ctx: Context, params: Obj, intent_id: str) -> Any:
    row = intent_of(ctx, "payment_intent", intent_id, params)
    if row["status"] != "requires_capture":
        message = f"This PaymentIntent could not be captured because it has a status of {row['status']}."
        raise unexpected("payment_intent", row, message)
    amount = params.get("amount_to_capture") or row["amount_capturable"]
    if amount > row["amount_capturable"]:
        message = (
            f"The requested capture amount is greater than the remaining amount you can capture for "
            f"this charge ({amount})."
        )
        raise invalid(message, code="amount_too_large", param="amount_to_capture")
    if "metadata" in params:
        row["metadata"] = merge_metadata(row["metadata"], params["metadata"])
    charge_row = ctx.get("charge", row["latest_charge"])
    settle(ctx, row, charge_row, amount)
    charge_row["amount_refunded"] = charge_row["amount"] - amount
    record(ctx, "charge.captured", charge_row)
    record(ctx, "payment_intent.succeeded", row)
    return row


@route("POST", "/v1/payment_intents/{id}/cancel", {"cancellation_reason": _REASONS})
def cancel(ctx: Context, params: Obj, intent_id: str) -> Any:
    row = intent_of(ctx, "payment_intent", intent_id, params)
    if row["status"] not in _OPEN and row["status"] != "requires_capture":
        message = f"You cannot cancel this PaymentIntent because it has a status of {row['status']}."
        raise unexpected("payment_intent", row, message)
    if row["status"] == "requires_capture":
        _release(ctx, row)
    row.update(status="canceled", canceled_at=ctx.now, next_action=None, amount_capturable=0)
    row["cancellation_reason"] = params.get("cancellation_reason")
    ctx.table("payment_intent").touch(row)
    record(ctx, "payment_intent.canceled", row)
    return row


def _release(ctx: Context, row: Obj) -> None:
    """An authorisation that is never captured shows as a charge refunded in full."""
    held = ctx.get("charge", row["latest_charge"])
    before = snapshot(held)
    held.update(amount_refunded=held["amount"], refunded=True)
    ctx.table("charge").touch(held)
    record(ctx, "charge.refunded", held, {"amount_refunded": before["amount_refunded"]})
