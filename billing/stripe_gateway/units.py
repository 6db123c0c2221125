"""Between our minor units (ISO 4217) and the units in which Stripe counts a currency: pure."""

from typing import Final

from billing.money import Money, exponent, round_half_up, step
from billing.stripe_gateway.errors import StripeRefused

# Where Stripe counts otherwise than ISO: krona and shilling in hundredths, always of a whole; ariary whole.
_DECIMALS: Final = {"ISK": 2, "UGX": 2, "MGA": 0}


def to_stripe(amount: Money) -> int:
    """Return what Stripe is asked to charge; raises `StripeRefused` for an amount that it cannot charge."""
    ours = exponent(amount.currency)
    theirs = _DECIMALS.get(amount.currency, ours)
    if amount.minor % step(amount.currency):
        smallest = Money(step(amount.currency), amount.currency)
        raise StripeRefused(f"Stripe charges {amount.currency} in steps of {smallest}: {amount} cannot be.")
    charged: int = amount.minor * 10 ** max(theirs - ours, 0) // 10 ** max(ours - theirs, 0)
    return charged


def from_stripe(amount: int, currency: str) -> Money:
    """Return what Stripe says, rounded once where it counts finer than the currency (as a fee may be)."""
    code = currency.upper()
    ours = exponent(code)
    theirs = _DECIMALS.get(code, ours)
    return Money(round_half_up(amount * 10 ** max(ours - theirs, 0), 10 ** max(theirs - ours, 0)), code)
