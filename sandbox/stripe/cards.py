"""Stripe's published test cards: what each number and each `pm_card_…` token does."""

from dataclasses import dataclass
from typing import Literal

Authentication = Literal["never", "unless_set_up", "always"]


@dataclass(frozen=True, slots=True)
class Decline:
    code: str
    decline_code: str | None
    message: str
    network_decline_code: str = "05"
    advice: str = "try_again_later"


@dataclass(frozen=True, slots=True)
class TestCard:
    number: str
    tokens: tuple[str, ...]
    brand: str = "visa"
    funding: str = "credit"
    country: str = "US"
    decline: Decline | None = None
    decline_on_attach: bool = True
    authentication: Authentication = "never"
    dispute: str | None = None  # the reason of the dispute that follows a charge


_DECLINED = "Your card was declined."
GENERIC = Decline("card_declined", "generic_decline", _DECLINED)
INSUFFICIENT = Decline("card_declined", "insufficient_funds", "Your card has insufficient funds.", "51")
LOST = Decline("card_declined", "lost_card", _DECLINED, "41", "do_not_try_again")
STOLEN = Decline("card_declined", "stolen_card", _DECLINED, "43", "do_not_try_again")
VELOCITY = Decline(
    "card_declined",
    "card_velocity_exceeded",
    "Your card was declined for making repeated attempts too frequently or exceeding its amount limit.",
    "65",
)
EXPIRED = Decline("expired_card", "expired_card", "Your card has expired.", "54", "do_not_try_again")
BAD_CVC = Decline(
    "incorrect_cvc", "incorrect_cvc", "Your card's security code is incorrect.", "N7", "confirm_card_data"
)
PROCESSING = Decline(
    "processing_error",
    "processing_error",
    "An error occurred while processing your card. Try again in a little bit.",
    "96",
)
FRAUDULENT = Decline("card_declined", "fraudulent", _DECLINED, "59", "do_not_try_again")
NEEDS_AUTHENTICATION = Decline(
    "authentication_required",
    "authentication_required",
    "Your card was declined. This transaction requires authentication.",
    "1A",
    "confirm_card_data",
)

CARDS = (
    TestCard("4242424242424242", ("visa",)),
    TestCard("4000056655665556", ("visa_debit",), funding="debit"),
    TestCard("5555555555554444", ("mastercard",), brand="mastercard"),
    TestCard("5200828282828210", ("mastercard_debit",), brand="mastercard", funding="debit"),
    TestCard("378282246310005", ("amex",), brand="amex"),
    TestCard("6011111111111117", ("discover",), brand="discover"),
    TestCard("3056930009020004", ("diners",), brand="diners"),
    TestCard("3566002020360505", ("jcb",), brand="jcb"),
    TestCard("6200000000000005", ("unionpay",), brand="unionpay"),
    TestCard("4000002760000016", ("de",), country="DE"),
    TestCard("4000008260000000", ("gb",), country="GB"),
    TestCard("4000003920000003", ("jp",), country="JP"),
    TestCard("4000000000000002", ("visa_chargeDeclined", "chargeDeclined"), decline=GENERIC),
    TestCard(
        "4000000000009995",
        ("visa_chargeDeclinedInsufficientFunds", "chargeDeclinedInsufficientFunds"),
        decline=INSUFFICIENT,
    ),
    TestCard("4000000000009987", ("visa_chargeDeclinedLostCard", "chargeDeclinedLostCard"), decline=LOST),
    TestCard(
        "4000000000009979", ("visa_chargeDeclinedStolenCard", "chargeDeclinedStolenCard"), decline=STOLEN
    ),
    TestCard("4000000000006975", ("visa_chargeDeclinedVelocityLimitExceeded",), decline=VELOCITY),
    TestCard("4100000000000019", ("radarBlock",), decline=FRAUDULENT),
    TestCard("4000000000000069", ("chargeDeclinedExpiredCard",), decline=EXPIRED),
    TestCard("4000000000000127", ("chargeDeclinedIncorrectCvc",), decline=BAD_CVC),
    TestCard("4000000000000119", ("chargeDeclinedProcessingError",), decline=PROCESSING),
    TestCard("4000000000000341", ("chargeCustomerFail",), decline=GENERIC, decline_on_attach=False),
    TestCard("4000002500003155", ("authenticationRequiredOnSetup",), authentication="unless_set_up"),
    TestCard("4000002760003184", ("authenticationRequired",), authentication="always"),
    TestCard(
        "4000008260003178",
        ("authenticationRequiredChargeDeclinedInsufficientFunds",),
        decline=INSUFFICIENT,
        decline_on_attach=False,
        authentication="always",
    ),
    TestCard("4000000000000259", ("createDispute",), dispute="fraudulent"),
    TestCard("4000000000002685", ("createDisputeProductNotReceived",), dispute="product_not_received"),
)
BY_NUMBER = {card.number: card for card in CARDS}
BY_TOKEN = {token: card for card in CARDS for token in card.tokens}


def of_token(token: str) -> TestCard | None:
    """The card of `pm_card_visa`, or of the older form `tok_visa`."""
    for prefix in ("pm_card_", "tok_"):
        if token.startswith(prefix):
            return BY_TOKEN.get(token.removeprefix(prefix))
    return None


def passes_luhn(number: str) -> bool:
    total = 0
    for place, letter in enumerate(reversed(number)):
        digit = int(letter) * (1 + place % 2)
        total += digit - 9 if digit > 9 else digit
    return total % 10 == 0


def of_number(number: str) -> TestCard | None:
    """A published card, or an ordinary Visa for any other valid number that begins like a test card."""
    known = BY_NUMBER.get(number)
    if known is None and number.startswith("4") and len(number) == 16 and passes_luhn(number):
        return TestCard(number, ())
    return known
