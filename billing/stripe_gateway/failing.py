"""From the SDK's errors to ours: what was carried out for certain, what was not, and what nobody knows."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import stripe

from billing.stripe_gateway import reading
from billing.stripe_gateway.errors import (
    AuthenticationRequired,
    CardDeclined,
    IdempotencyConflict,
    NoSuchCustomer,
    NotFound,
    StripeBusy,
    StripeError,
    StripeNoAccess,
    StripeRefused,
    StripeUnavailable,
)
from billing.stripe_gateway.values import Failure


@contextmanager
def translated() -> Iterator[None]:
    """Raise our errors for the SDK's."""
    try:
        yield
    except stripe.StripeError as error:
        raise _translate(error) from None


def _translate(error: stripe.StripeError) -> StripeError:
    message = (error.user_message or type(error).__name__)[:400]
    code, status = error.code or "", error.http_status or 0
    match error:
        case stripe.CardError():
            return _declined(error)
        case stripe.RateLimitError():
            return StripeBusy(message)
        case stripe.IdempotencyError():
            # Another request with this key is under way: what comes of it is to be asked.
            in_use = status == 409 or "in_use" in _detail(error).get("code", "")
            return StripeUnavailable(message) if in_use else IdempotencyConflict(message, status=status)
        case stripe.AuthenticationError() | stripe.PermissionError():
            return StripeNoAccess(message, code=code, status=status)
        case stripe.InvalidRequestError() if status in {401, 403}:
            return StripeNoAccess(message, code=code, status=status)
        case stripe.InvalidRequestError() if code == "resource_missing" and error.param == "customer":
            return NoSuchCustomer(message, code=code, status=status)
        case stripe.InvalidRequestError() if status == 404 or code == "resource_missing":
            return NotFound(message, code=code or "resource_missing", status=status)
        case stripe.InvalidRequestError():
            return StripeRefused(message, code=code, status=status)
        case stripe.oauth_error.OAuthError():
            return StripeRefused(str(error)[:400], code=code, status=status)
        case _:
            return StripeUnavailable(message)


def _declined(error: stripe.StripeError) -> CardDeclined:
    detail = _detail(error)
    failure = reading.failure(detail) or Failure("card_declined", "card_declined", "")
    row = detail.get("payment_intent")
    intent = reading.intent(row) if row else None
    needs_holder = "authentication_required" in {failure.code, failure.reason}
    return (AuthenticationRequired if needs_holder else CardDeclined)(failure, intent)


def _detail(error: stripe.StripeError) -> dict[str, Any]:
    body = error.json_body
    detail = body.get("error") if isinstance(body, dict) else None
    return detail if isinstance(detail, dict) else {}
