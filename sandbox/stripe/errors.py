"""Errors in Stripe's shape, ready to be answered."""

from sandbox.stripe.types import Obj


class StripeError(Exception):
    """An answer other than 200. `kept` says whether the idempotency layer remembers it as the first
    answer."""

    def __init__(
        self,
        status: int,
        type_: str,
        message: str,
        *,
        code: str | None = None,
        param: str | None = None,
        kept: bool = True,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.kept = kept
        self.error: Obj = {"message": message, "type": type_}
        if code is not None:
            self.error["code"] = code
            self.error["doc_url"] = f"https://stripe.com/docs/error-codes/{code.replace('_', '-')}"
        if param is not None:
            self.error["param"] = param

    def body(self) -> Obj:
        return {"error": self.error}


def invalid(
    message: str, *, code: str | None = None, param: str | None = None, kept: bool = True
) -> StripeError:
    return StripeError(400, "invalid_request_error", message, code=code, param=param, kept=kept)


def bad_params(message: str, *, code: str, param: str) -> StripeError:
    """Refused before the endpoint began: nothing is remembered under the idempotency key."""
    return invalid(message, code=code, param=param, kept=False)


def missing(param: str) -> StripeError:
    return bad_params(f"Missing required param: {param}.", code="parameter_missing", param=param)


def no_such(kind: str, object_id: str, param: str = "id") -> StripeError:
    status = 404 if param in {"id", "intent"} else 400
    message = f"No such {kind}: '{object_id}'"
    return StripeError(status, "invalid_request_error", message, code="resource_missing", param=param)


def unauthorised(message: str) -> StripeError:
    return StripeError(401, "invalid_request_error", message, kept=False)


def forbidden(message: str, code: str | None = None) -> StripeError:
    return StripeError(403, "invalid_request_error", message, code=code, kept=False)


def wrong_route(method: str, path: str) -> StripeError:
    message = (
        f"Unrecognized request URL ({method}: {path}). If you are trying to list objects, remove the "
        f"trailing slash. "
        "If you are trying to retrieve an object, make sure you passed a valid (non-empty) "
        "identifier in your code."
    )
    return StripeError(404, "invalid_request_error", message, kept=False)


def unexpected_state(what: str, message: str) -> StripeError:
    return invalid(message, code=f"{what}_unexpected_state")


def api_error(message: str = "An unknown error occurred") -> StripeError:
    return StripeError(500, "api_error", message)


def rate_limited() -> StripeError:
    message = (
        "Request rate limit exceeded. You can learn more about rate limits here "
        "https://stripe.com/docs/rate-limits."
    )
    return StripeError(429, "invalid_request_error", message, code="rate_limit", kept=False)


def key_in_use(key: str) -> StripeError:
    message = (
        "There is currently another in-progress request using this Idempotent Key (that probably "
        "means you submitted "
        f"twice, and the other request is still going through): {key}. Please try again later."
    )
    return StripeError(409, "idempotency_error", message, code="idempotency_key_in_use", kept=False)


def key_reused(key: str, first: str, path: str) -> StripeError:
    if first != path:
        message = (
            f"Keys for idempotent requests can only be used for the same endpoint they were first used for "
            f"('{first}' vs '{path}'). Try using a key other than '{key}' if you meant to execute a "
            f"different request."
        )
    else:
        message = (
            "Keys for idempotent requests can only be used with the same parameters they were first "
            "used with. "
            f"Try using a key other than '{key}' if you meant to execute a different request."
        )
    return StripeError(400, "idempotency_error", message, kept=False)


def card_error(
    message: str,
    *,
    code: str,
    decline_code: str | None = None,
    charge: str | None = None,
    param: str | None = None,
) -> StripeError:
    failure = StripeError(402, "card_error", message, code=code, param=param)
    if decline_code is not None:
        failure.error["decline_code"] = decline_code
    if charge is not None:
        failure.error["charge"] = charge
    return failure
