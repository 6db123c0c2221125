"""Setup intents: a card saved for later without a payment."""

from typing import Any

from sandbox.stripe import shapes
from sandbox.stripe.charging import needs_authentication
from sandbox.stripe.confirming import challenge, choose_types, intent_of, method_for, shown, unexpected
from sandbox.stripe.context import Context
from sandbox.stripe.customers import living
from sandbox.stripe.errors import StripeError, invalid
from sandbox.stripe.events import record, snapshot
from sandbox.stripe.forms import (
    DATED_PAGE,
    Spec,
    anything,
    array,
    boolean,
    choice,
    merge_metadata,
    metadata,
    nested,
    text,
)  # fmt: skip
from sandbox.stripe.listing import page
from sandbox.stripe.payment_methods import DATA, attach_to, behaviour, check_usable, declined_card, resolve
from sandbox.stripe.routing import route
from sandbox.stripe.types import Obj

_AUTOMATIC: Spec = {"enabled": boolean, "allow_redirects": choice("always", "never")}
_UPDATE: Spec = {
    "customer": text,
    "description": text,
    "metadata": metadata,
    "payment_method": text,
    "payment_method_data": nested(DATA),
    "payment_method_options": anything,
    "payment_method_types": array(text),
    "allowed_payment_method_types": array(text),
}
_CREATE: Spec = {
    **_UPDATE,
    "automatic_payment_methods": nested(_AUTOMATIC),
    "confirm": boolean,
    "mandate_data": anything,
    "return_url": text,
    "usage": choice("off_session", "on_session"),
    "use_stripe_sdk": boolean,
}
_CONFIRM: Spec = {
    "client_secret": text,
    "mandate_data": anything,
    "payment_method": text,
    "payment_method_data": nested(DATA),
    "payment_method_options": anything,
    "return_url": text,
    "use_stripe_sdk": boolean,
}
_OPEN = {"requires_payment_method", "requires_confirmation", "requires_action"}


@route("POST", "/v1/setup_intents", _CREATE)
def create(ctx: Context, params: Obj) -> Any:
    row = shapes.setup_intent(ctx.now)
    row["application"] = ctx.application
    if params.get("customer"):
        row["customer"] = living(ctx, params["customer"], "customer")["id"]
    row["usage"] = params.get("usage") or "off_session"
    choose_types(ctx, row, params)
    _assign(row, params)
    method = method_for(ctx, row, params)
    if method is not None:
        check_usable(ctx, method, row["customer"])
        row.update(payment_method=method["id"], status="requires_confirmation")
    if params.get("confirm") and method is None:
        raise _no_method(row)
    ctx.table("setup_intent").add(row)
    record(ctx, "setup_intent.created", row)
    if params.get("confirm") and method is not None:
        _attempt(ctx, row, method, params)
    return row


def _assign(row: Obj, params: Obj) -> None:
    if "description" in params:
        row["description"] = params["description"]
    if "metadata" in params:
        row["metadata"] = merge_metadata(row["metadata"], params["metadata"])


def _no_method(row: Obj) -> StripeError:
    message = (
        "You cannot confirm this SetupIntent because it's missing a payment method. Update the "
        "SetupIntent with a payment "
        "method and then confirm it again."
    )
    return unexpected("setup_intent", row, message)


def _attempt(ctx: Context, row: Obj, method: Obj, params: Obj) -> None:
    if needs_authentication(ctx, method, asked=False):
        row.update(status="requires_action", payment_method=method["id"], last_setup_error=None)
        row["next_action"] = challenge(ctx, row, method, params.get("return_url"))
        _note_attempt(ctx, row, method, "requires_action", None)
        ctx.table("setup_intent").touch(row)
        record(ctx, "setup_intent.requires_action", row)
        return
    _finish(ctx, row, method)


def _note_attempt(ctx: Context, row: Obj, method: Obj, status: str, error: Obj | None) -> None:
    details = {name: method["card"][name] for name in ("brand", "checks", "country", "exp_month", "exp_year")}
    details |= {name: method["card"][name] for name in ("fingerprint", "funding", "last4", "wallet")}
    details |= {"network": method["card"]["brand"], "three_d_secure": None}
    attempt = shapes.setup_attempt(ctx.now, row, method["id"], details, status, error)
    row["latest_attempt"] = ctx.table("setup_attempt").add(attempt)["id"]


def _finish(ctx: Context, row: Obj, method: Obj) -> None:
    kind = behaviour(ctx, method)
    if kind.decline is not None and kind.decline_on_attach:
        failure = declined_card(kind)
        _refuse(ctx, row, method, failure)
        raise failure
    if row["customer"]:
        attach_to(ctx, method, row["customer"])
    ctx.table("payment_method").know(method["id"], set_up=True)
    row.update(status="succeeded", payment_method=method["id"], next_action=None, last_setup_error=None)
    _note_attempt(ctx, row, method, "succeeded", None)
    ctx.table("setup_intent").touch(row)
    record(ctx, "setup_intent.succeeded", row)


def _refuse(ctx: Context, row: Obj, method: Obj, failure: StripeError) -> None:
    error = {**failure.error, "payment_method": snapshot(method)}
    row.update(
        status="requires_payment_method", payment_method=None, next_action=None, last_setup_error=error
    )
    _note_attempt(ctx, row, method, "failed", failure.error.copy())
    ctx.table("setup_intent").touch(row)
    record(ctx, "setup_intent.setup_failed", row)
    failure.error["setup_intent"] = snapshot(row)


def authenticate(ctx: Context, row: Obj, *, succeeded: bool) -> None:
    """The card holder has answered the challenge."""
    if row["status"] != "requires_action":
        raise unexpected("setup_intent", row, "This SetupIntent does not wait for an authentication.")
    method = ctx.get("payment_method", row["payment_method"], "payment_method")
    if succeeded:
        _finish(ctx, row, method)
        return
    message = (
        "We are unable to authenticate your payment method. Please choose a different payment "
        "method and try again."
    )
    failure = invalid(message, code="setup_intent_authentication_failure")
    _refuse(ctx, row, method, failure)
    raise failure


@route("POST", "/v1/setup_intents/{id}/confirm", _CONFIRM, publishable=True)
def confirm(ctx: Context, params: Obj, intent_id: str) -> Any:
    row = intent_of(ctx, "setup_intent", intent_id, params)
    if row["status"] not in _OPEN:
        message = f"You cannot confirm this SetupIntent because it has a status of {row['status']}."
        raise unexpected("setup_intent", row, message)
    method = method_for(ctx, row, params)
    if method is None:
        raise _no_method(row)
    check_usable(ctx, method, row["customer"])
    _attempt(ctx, row, method, params)
    return shown(ctx, row)


@route("GET", "/v1/setup_intents", {**DATED_PAGE, "customer": text, "payment_method": text})
def list_intents(ctx: Context, params: Obj) -> Obj:
    where = {"customer": params["customer"]} if params.get("customer") else {}
    method = params.get("payment_method")
    return page(
        ctx, "setup_intent", params, where=where, keep=lambda row: method in (None, row["payment_method"])
    )


@route("GET", "/v1/setup_intents/{id}", {"client_secret": text}, publishable=True)
def retrieve(ctx: Context, params: Obj, intent_id: str) -> Any:
    return shown(ctx, intent_of(ctx, "setup_intent", intent_id, params))


@route("POST", "/v1/setup_intents/{id}", _UPDATE)
def update(ctx: Context, params: Obj, intent_id: str) -> Any:
    row = intent_of(ctx, "setup_intent", intent_id, params)
    if params.get("payment_method_types") or params.get("allowed_payment_method_types"):
        choose_types(ctx, row, params)
    _assign(row, params)
    if params.get("customer") and params["customer"] != row["customer"]:
        ctx.table("setup_intent").change(row, "customer", living(ctx, params["customer"], "customer")["id"])
    if params.get("payment_method"):
        method = resolve(ctx, params["payment_method"])
        check_usable(ctx, method, row["customer"])
        row.update(payment_method=method["id"], status="requires_confirmation")
    ctx.table("setup_intent").touch(row)
    return row


@route("POST", "/v1/setup_intents/{id}/cancel", {"cancellation_reason": text})
def cancel(ctx: Context, params: Obj, intent_id: str) -> Any:
    row = intent_of(ctx, "setup_intent", intent_id, params)
    if row["status"] not in _OPEN:
        message = f"You cannot cancel this SetupIntent because it has a status of {row['status']}."
        raise unexpected("setup_intent", row, message)
    row.update(status="canceled", next_action=None, cancellation_reason=params.get("cancellation_reason"))
    ctx.table("setup_intent").touch(row)
    record(ctx, "setup_intent.canceled", row)
    return row


@route("GET", "/v1/setup_attempts", {**DATED_PAGE, "setup_intent": text})
def list_attempts(ctx: Context, params: Obj) -> Obj:
    where = {"setup_intent": params["setup_intent"]} if params.get("setup_intent") else {}
    return page(ctx, "setup_attempt", params, where=where)
