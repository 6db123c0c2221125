"""What can go wrong at Stripe, by what the caller must do next."""

from billing.stripe_gateway.values import Failure, Intent


class StripeError(Exception):
    """Anything that Stripe did not do as asked; `str()` is fit for the audit log, not for payers."""


class StripeUnavailable(StripeError):
    """No answer, or a fault of Stripe's: whether the request was carried out is unknown. Ask; never guess."""


class StripeBusy(StripeError):
    """Too many requests: this one was not carried out, and may be made again later."""


class StripeRefused(StripeError):
    """A definite no: nothing was carried out. `code` is Stripe's; `status` the HTTP status."""

    def __init__(self, message: str, *, code: str = "", status: int = 0) -> None:
        super().__init__(message)
        self.code = code
        self.status = status


class StripeNoAccess(StripeRefused):
    """Our key is refused or lacks a right: not carried out, and no word on what an earlier request did."""


class NotFound(StripeRefused):
    """There is no such object in this account."""


class NoSuchCustomer(NotFound):
    """The account does not know the customer that was named, or knows it no more: nothing was carried out."""


class IdempotencyConflict(StripeRefused):
    """The key was used before with other parameters: a mistake of ours, for a person to look at."""


class CardDeclined(StripeRefused):
    """The bank said no. `intent` is the payment intent as it then stands, where there is one."""

    def __init__(self, failure: Failure, intent: Intent | None) -> None:
        super().__init__(failure.message, code=failure.code, status=402)
        self.failure = failure
        self.intent = intent


class AuthenticationRequired(CardDeclined):
    """The bank wants the card holder to confirm, who is not there."""


class SignatureRefused(StripeError):
    """The body is not from Stripe, or not for this tenant, or too old."""
