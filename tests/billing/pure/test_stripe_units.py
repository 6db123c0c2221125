"""What Stripe is asked for is what the invoice says, in every currency."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.money import EXPONENTS, Money
from billing.stripe_gateway import StripeRefused, reading
from billing.stripe_gateway.units import from_stripe, to_stripe


@pytest.mark.parametrize(
    ("minor", "currency", "asked"),
    [
        (1, "ISK", 100),
        (2500, "UGX", 250000),
        (500, "JPY", 500),
        (2490, "USD", 2490),
        (12340, "KWD", 12340),
        (50000, "MGA", 500),
    ],
)
def test_an_amount_goes_in_stripes_units_and_comes_back(minor: int, currency: str, asked: int) -> None:
    assert to_stripe(Money(minor, currency)) == asked
    assert from_stripe(asked, currency.lower()) == Money(minor, currency)


@pytest.mark.parametrize(("minor", "currency"), [(12345, "KWD"), (1, "TND"), (50001, "MGA")])
def test_an_amount_that_stripe_cannot_charge_is_refused_before_the_call(minor: int, currency: str) -> None:
    with pytest.raises(StripeRefused, match="in steps of"):
        to_stripe(Money(minor, currency))


@given(st.integers(0, 10**9), st.sampled_from(sorted(EXPONENTS)))
def test_whatever_is_asked_comes_back_the_same(whole: int, currency: str) -> None:
    amount = Money(whole * 100, currency)
    assert from_stripe(to_stripe(amount), currency.lower()) == amount


def test_what_was_received_and_refunded_is_read_in_our_units() -> None:
    intent = reading.intent(
        {"id": "pi_1", "status": "succeeded", "amount": 250000, "amount_received": 250000, "currency": "isk"}
    )
    assert (intent.amount.minor, intent.received) == (2500, 2500)
    charge = reading.charge({"id": "ch_1", "amount": 250000, "amount_refunded": 100000, "currency": "isk"})
    assert (charge.amount.minor, charge.refunded) == (2500, 1000)
