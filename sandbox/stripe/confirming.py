"""Confirmation, shared by payment and setup intents: client secrets, the 3-D Secure challenge, inline card
data."""

from urllib.parse import urlencode

from sandbox.stripe.context import Context
from sandbox.stripe.errors import StripeError, bad_params, invalid, no_such, unauthorised
from sandbox.stripe.payment_methods import build, resolve
from sandbox.stripe.types import TYPES_REMOVED, Obj


def choose_types(ctx: Context, row: Obj, params: Obj) -> None:
    """Which kinds of payment the intent takes: cards here, and whether kinds that redirect might be among
    them."""
    given = params.get("payment_method_types")
    if given and ctx.version >= TYPES_REMOVED:
        message = (
            "The payment_method_types parameter is no longer supported. Use automatic_payment_methods, "
            "excluded_payment_method_types or allowed_payment_method_types instead."
        )
        code = "payment_method_types_no_longer_supported"
        raise bad_params(message, code=code, param="payment_method_types")
    automatic, allowed = params.get("automatic_payment_methods"), params.get("allowed_payment_method_types")
    chosen = given or allowed
    if chosen and automatic and automatic.get("enabled"):
        message = "You may only specify one of automatic_payment_methods and allowed_payment_method_types."
        raise bad_params(message, code="parameter_invalid", param="automatic_payment_methods")
    if chosen and "card" not in chosen:
        raise invalid(f"None of the payment method types {chosen} is enabled here: only card is.")
    row["allowed_payment_method_types"] = allowed or None
    if not chosen and (automatic is None or automatic.get("enabled")):
        redirects = (automatic or {}).get("allow_redirects") or "always"
        row["automatic_payment_methods"] = {"allow_redirects": redirects, "enabled": True}


def intent_of(ctx: Context, kind: str, intent_id: str, params: Obj) -> Obj:
    """The intent; a publishable key sees it only together with its client secret."""
    row = ctx.table(kind).rows.get(intent_id)
    if row is None:
        raise no_such(kind, intent_id, "intent")
    given = params.get("client_secret")
    if given is not None and given != row["client_secret"]:
        message = f"The client_secret provided does not match any associated {kind} on this account."
        raise invalid(message, code=f"{kind}_invalid_parameter", param="client_secret", kept=False)
    if ctx.publishable and given is None:
        raise unauthorised(
            "This API call cannot be made with a publishable API key without the intent's client secret."
        )
    return row


def shown(ctx: Context, row: Obj) -> Obj:
    """What a publishable key may see of an intent."""
    if not ctx.publishable:
        return row
    concealed = (
        "application",
        "application_fee_amount",
        "customer",
        "metadata",
        "on_behalf_of",
        "transfer_data",
    )
    return {name: value for name, value in row.items() if name not in concealed}


def method_for(ctx: Context, intent: Obj, params: Obj) -> Obj | None:
    """The payment method that the request brings, by id or as data, or the one that the intent already
    has."""
    if params.get("payment_method_data"):
        return build(ctx, params["payment_method_data"])
    if params.get("payment_method"):
        return resolve(ctx, params["payment_method"])
    if intent["payment_method"] is not None:
        return ctx.get("payment_method", intent["payment_method"], "payment_method")
    return None


def challenge(ctx: Context, intent: Obj, method: Obj, return_url: str | None) -> Obj:
    """`next_action`: a page of ours when the server said where to return to, else the script's own dialog."""
    query = {"client_secret": intent["client_secret"], "account": ctx.account.id}
    if return_url and not ctx.publishable:
        query["return_url"] = return_url
        url = f"{ctx.base_url}/3ds/{intent['id']}?{urlencode(query)}"
        return {"type": "redirect_to_url", "redirect_to_url": {"return_url": return_url, "url": url}}
    url = f"{ctx.base_url}/3ds/{intent['id']}?{urlencode(query)}"
    return {
        "type": "use_stripe_sdk",
        "use_stripe_sdk": {
            "type": "three_d_secure_redirect",
            "stripe_js": url,
            "source": method["id"],
            "known_frame_issues": "false",
        },
    }


def unexpected(kind: str, intent: Obj, message: str) -> StripeError:
    failure = invalid(message, code=f"{kind}_unexpected_state")
    failure.error[kind] = dict(intent)
    return failure
