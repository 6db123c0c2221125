"""Pricing: what was ordered comes to lines of exact amounts, and strange quantities are refused."""

from datetime import date
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.money import CurrencyMismatch, Money, MoneyError, step
from billing.periods import Cycle, period
from billing.pricing import (
    MAX_DESCRIPTION,
    Document,
    LineKind,
    OneTimeItem,
    PricedLine,
    PricingError,
    RecurringItem,
    check_quantity,
    document,
    parse_quantity,
    price,
)
from billing.stripe_gateway.units import from_stripe, to_stripe
from billing.tax import UNTAXED, TaxRule

DECEMBER = period(date(2026, 12, 4), Cycle.MONTHLY, 0)
VAT = TaxRule(190_000, "VAT")


def hosting(
    *,
    price: int = 2490,
    currency: str = "USD",
    quantity: int = 1,
    fee: Money | None = None,
    name: str = "Hosting L",
) -> RecurringItem:
    return RecurringItem(
        description=name,
        unit_price=Money(price, currency),
        quantity=quantity,
        period=DECEMBER,
        rule=VAT,
        setup_fee=fee,
    )


def test_a_subscription_is_one_line_of_its_period() -> None:
    assert price(hosting(quantity=3)) == (
        PricedLine(LineKind.RECURRING, "Hosting L", Money(2490, "USD"), 3, Money(7470, "USD"), VAT, DECEMBER),
    )


def test_a_setup_fee_is_a_line_of_its_own_charged_once() -> None:
    lines = price(hosting(quantity=3, fee=Money(500, "USD")))
    assert [(line.kind, line.description, line.quantity, line.amount.minor) for line in lines] == [
        (LineKind.RECURRING, "Hosting L", 3, 7470),
        (LineKind.SETUP, "Hosting L – Setup fee", 1, 500),
    ]
    assert lines[1].period == DECEMBER
    assert lines[1].rule == VAT


def test_a_setup_fee_of_nothing_is_no_line() -> None:
    assert len(price(hosting(fee=Money(0, "USD")))) == 1


def test_what_is_sold_once_has_no_period() -> None:
    (line,) = price(OneTimeItem(description="Migration", unit_price=Money(9900, "EUR")))
    assert line == PricedLine(
        LineKind.ITEM, "Migration", Money(9900, "EUR"), 1, Money(9900, "EUR"), UNTAXED, None
    )


@given(st.integers(0, 10**9), st.integers(1, 1_000_000), st.sampled_from(["USD", "JPY", "KWD"]))
def test_an_amount_is_price_times_quantity_exactly(minor: int, quantity: int, currency: str) -> None:
    minor *= step(currency)
    (line,) = price(hosting(price=minor, currency=currency, quantity=quantity))
    assert line.amount == Money(minor * quantity, currency)


@given(
    st.lists(st.tuples(st.integers(0, 10**8), st.integers(1, 99), st.booleans()), min_size=1, max_size=12),
    st.lists(st.integers(0, 300_000), min_size=1, max_size=3),
    st.sampled_from(["KWD", "TND", "MGA", "EUR"]),
)
def test_whatever_is_sold_for_chargeable_prices_can_be_charged_to_the_unit(
    sold: list[tuple[int, int, bool]], rates: list[int], currency: str
) -> None:
    """Lines, groups, document and what Stripe is asked for are one figure, half a step off at most."""
    items = [
        OneTimeItem(
            description="Sold",
            unit_price=Money(minor * step(currency), currency),
            quantity=quantity,
            rule=TaxRule(rates[place % len(rates)], inclusive=inclusive),
        )
        for place, (minor, quantity, inclusive) in enumerate(sold)
    ]
    made = document([line for item in items for line in price(item)])
    gross = sum(line.gross for line in made.totals.lines)
    assert gross == sum(group.gross for group in made.totals.groups) == made.gross.minor
    assert all(line.gross % step(currency) == 0 for line in made.totals.lines)
    assert from_stripe(to_stripe(made.gross), currency.lower()) == made.gross
    for rule, net, tax, _ in made.totals.groups:
        if not rule.inclusive:
            assert abs(tax - Fraction(net * rule.rate_ppm, 1_000_000)) <= Fraction(step(currency), 2)


@pytest.mark.parametrize(("minor", "currency"), [(1234, "KWD"), (5, "TND"), (150, "MGA")])
def test_a_price_that_no_card_can_be_charged_is_refused(minor: int, currency: str) -> None:
    with pytest.raises(MoneyError, match="in steps of"):
        price(hosting(price=minor, currency=currency))


@pytest.mark.parametrize("quantity", [0, -1, 1_000_001, 10**9, 1.0, 0.1, "1", None, True])
def test_a_quantity_is_a_whole_number_from_one_to_a_million(quantity: int) -> None:
    with pytest.raises(PricingError):
        check_quantity(quantity)
    with pytest.raises(PricingError):
        price(hosting(quantity=quantity))


@pytest.mark.parametrize("text", ["1", "20", "1000000"])
def test_a_plain_quantity_is_read(text: str) -> None:
    assert parse_quantity(text) == int(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "0",
        "-1",
        "+1",
        "1.0",
        "0.1",
        "1e3",
        "NaN",
        "٣",
        "１",
        "1_000",
        " 1",
        "1\n",
        "01",
        "1000001",
        "9" * 5000,
    ],
)
def test_a_strange_quantity_is_refused(text: str) -> None:
    with pytest.raises(PricingError) as refusal:
        parse_quantity(text)
    assert len(str(refusal.value)) < 120


def test_a_negative_price_or_fee_is_refused() -> None:
    with pytest.raises(PricingError, match="not negative"):
        price(hosting(price=-1))
    with pytest.raises(PricingError, match="not negative"):
        price(hosting(fee=Money(-1, "USD")))


def test_an_amount_too_large_to_store_is_refused() -> None:
    with pytest.raises(MoneyError):
        price(hosting(price=10**15, quantity=1_000_000))


@pytest.mark.parametrize("name", ["", "   ", "two\nlines", "nul\0", "x" * (MAX_DESCRIPTION + 1)])
def test_a_description_is_one_readable_line(name: str) -> None:
    with pytest.raises(PricingError, match="description"):
        price(hosting(name=name))


@pytest.mark.parametrize("name", ["Хостинг", "ホスティング", "می‌خواهم", "Web hosting, 10 GB (SSD) – €"])
def test_a_description_may_be_in_any_script(name: str) -> None:
    assert price(hosting(name=name))[0].description == name


def test_a_long_description_leaves_room_for_the_fees_label() -> None:
    line = price(hosting(name="x" * MAX_DESCRIPTION, fee=Money(1, "USD")))[1]
    assert len(line.description) == MAX_DESCRIPTION
    assert line.description.endswith("x – Setup fee")


def test_a_fee_in_another_currency_is_refused() -> None:
    with pytest.raises(CurrencyMismatch):
        price(hosting(fee=Money(500, "EUR")))


def test_a_document_has_one_currency_and_its_sums() -> None:
    lines = (*price(hosting(fee=Money(500, "USD"))), *price(hosting(price=995, quantity=2)))
    invoice = document(lines)
    assert isinstance(invoice, Document)
    assert invoice.lines == lines
    assert (invoice.net, invoice.tax, invoice.gross) == (
        Money(4980, "USD"),
        Money(946, "USD"),
        Money(5926, "USD"),
    )
    assert [line.net for line in invoice.totals.lines] == [2490, 500, 1990]


def test_two_currencies_do_not_stand_on_one_document() -> None:
    with pytest.raises(CurrencyMismatch):
        document([*price(hosting()), *price(hosting(currency="EUR"))])


def test_an_empty_document_is_refused() -> None:
    with pytest.raises(PricingError):
        document([])
