"""Money: what may be one, what may not, and that nothing is ever lost in rounding or splitting."""

import dataclasses
import pickle
from collections.abc import Callable
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from typing import Any

import pytest
from babel.numbers import get_currency_precision
from hypothesis import given
from hypothesis import strategies as st

from billing.money import (
    EXPONENTS,
    MAX_MINOR,
    CurrencyMismatch,
    Money,
    MoneyError,
    UnknownCurrency,
    allocate,
    exponent,
    round_half_up,
    round_together,
    sum_money,
)

amounts = st.integers(-(10**12), 10**12)
currencies = st.sampled_from(["USD", "EUR", "JPY", "KWD", "BHD", "GBP"])
denominators = st.integers(1, 10**7)


@given(amounts, denominators)
def test_rounding_agrees_with_decimal_half_up(numerator: int, denominator: int) -> None:
    exact = Fraction(numerator, denominator)
    rounded = round_half_up(numerator, denominator)
    assert abs(rounded - exact) <= Fraction(1, 2)
    if 1_000_000 % denominator == 0:  # then Decimal holds the quotient exactly
        expected = (Decimal(numerator) / denominator).quantize(Decimal(1), ROUND_HALF_UP)
        assert rounded == int(expected)


@given(amounts, denominators)
def test_rounding_is_symmetric(numerator: int, denominator: int) -> None:
    assert round_half_up(-numerator, denominator) == -round_half_up(numerator, denominator)


@pytest.mark.parametrize(
    ("numerator", "denominator", "expected"),
    [(5, 2, 3), (-5, 2, -3), (1, 2, 1), (-1, 2, -1), (49, 100, 0), (-49, 100, 0), (7, 1, 7), (0, 9, 0)],
)
def test_halves_go_away_from_zero(numerator: int, denominator: int, expected: int) -> None:
    assert round_half_up(numerator, denominator) == expected


@pytest.mark.parametrize("denominator", [0, -1])
def test_rounding_refuses_a_denominator_that_is_not_positive(denominator: int) -> None:
    with pytest.raises(ValueError, match="positive"):
        round_half_up(1, denominator)


@given(st.lists(amounts, max_size=30), denominators)
def test_numbers_rounded_together_sum_to_the_rounded_sum(numerators: list[int], denominator: int) -> None:
    parts = round_together(numerators, denominator)
    assert sum(parts) == round_half_up(sum(numerators), denominator)
    for numerator, part in zip(numerators, parts, strict=True):
        assert abs(part - Fraction(numerator, denominator)) < 1


@given(st.lists(amounts, max_size=30), denominators)
def test_rounding_together_mirrors(numerators: list[int], denominator: int) -> None:
    mirrored = round_together([-numerator for numerator in numerators], denominator)
    assert mirrored == [-part for part in round_together(numerators, denominator)]


@given(amounts, st.lists(st.integers(0, 10**6), min_size=1, max_size=30).filter(any))
def test_shares_sum_and_are_in_proportion(total: int, weights: list[int]) -> None:
    shares = allocate(total, weights)
    assert sum(shares) == total
    for weight, share in zip(weights, shares, strict=True):
        assert abs(share - Fraction(total * weight, sum(weights))) < 1
        assert weight or share == 0


def test_among_equal_remainders_the_first_gets_the_cent() -> None:
    assert allocate(100, [1, 1, 1]) == [34, 33, 33]
    assert allocate(-100, [1, 1, 1]) == [-34, -33, -33]
    assert allocate(5, [3, 7, 0]) == [2, 3, 0]


@pytest.mark.parametrize("weights", [[], [0, 0], [1, -1], [1.5, 1], [True]])
def test_impossible_weights_are_refused(weights: list[int]) -> None:
    with pytest.raises(MoneyError):
        allocate(10, weights)


@given(amounts, currencies, st.lists(st.integers(1, 1000), min_size=1, max_size=12))
def test_a_split_sums_to_the_whole(minor: int, currency: str, weights: list[int]) -> None:
    whole = Money(minor, currency)
    assert sum_money(whole.split(weights), currency) == whole


@given(amounts, currencies)
def test_what_is_printed_is_parsed_back(minor: int, currency: str) -> None:
    money = Money(minor, currency)
    digits, code = str(money).split()
    assert code == currency
    assert Money.parse(digits, currency) == money
    assert money.to_decimal() == Decimal(minor) / 10 ** exponent(currency)


@given(st.text(max_size=12), currencies)
def test_parsing_anything_gives_money_or_a_money_error(text: str, currency: str) -> None:
    try:
        money = Money.parse(text, currency)
    except MoneyError:
        return
    assert text.isascii()
    assert Decimal(text) == money.to_decimal()


@pytest.mark.parametrize(
    ("text", "currency", "minor"),
    [
        ("24.90", "USD", 2490),
        ("24.9", "USD", 2490),
        ("24", "USD", 2400),
        ("0.05", "EUR", 5),
        ("-3.00", "EUR", -300),
        ("-0", "EUR", 0),
        ("3735", "JPY", 3735),
        ("1.234", "KWD", 1234),
        ("1.2", "BHD", 1200),
        ("0.5", "LBP", 50),
    ],
)
def test_amounts_are_parsed_to_minor_units(text: str, currency: str, minor: int) -> None:
    assert Money.parse(text, currency) == Money(minor, currency)


@pytest.mark.parametrize(
    "text",
    [
        *("", " ", "24,90", "1,000.00", "1 000", "1_000", "+1", "--1", ".5", "5.", "1.2.3", "007", "9" * 40),
        *("1e9", "1E2", "NaN", "Infinity", "0x10", " 24.90", "24.90\n", "24.90 USD", "$24.90"),
        *("٣", "２４", "24.9٠", "−5"),
    ],
)
def test_what_is_no_plain_amount_is_refused(text: str) -> None:
    with pytest.raises(MoneyError):
        Money.parse(text, "USD")


@pytest.mark.parametrize(
    ("text", "currency", "message"),
    [
        ("24.905", "USD", "'24.905' has too many decimals; USD has at most 2 decimals"),
        ("24.900", "USD", "'24.900' has too many decimals; USD has at most 2 decimals"),
        ("3735.0", "JPY", "'3735.0' has too many decimals; JPY has no decimals"),
        ("24,90", "EUR", "'24,90' is not an amount; write digits with a point as decimal mark, like 1234.50"),
        ("24.90", "usd", "'usd' is not a currency in use; expected a code like EUR"),
        ("24.90", "DEM", "'DEM' is not a currency in use; expected a code like EUR"),
    ],
)
def test_a_refusal_says_what_is_wrong(text: str, currency: str, message: str) -> None:
    with pytest.raises(MoneyError) as refusal:
        Money.parse(text, currency)
    assert str(refusal.value) == message


def test_an_error_message_quotes_no_more_than_a_little_and_no_raw_controls() -> None:
    with pytest.raises(MoneyError) as refusal:
        Money.parse("\x1b[31m\u202e" + "x" * 5000, "USD")
    assert str(refusal.value).isprintable()
    assert len(str(refusal.value)) < 160


@given(amounts, amounts, amounts, currencies)
def test_sums_obey_arithmetic(a: int, b: int, c: int, currency: str) -> None:
    x, y, z = Money(a, currency), Money(b, currency), Money(c, currency)
    assert (x + y) + z == x + (y + z)
    assert x + y == y + x
    assert x - y == x + -y
    assert x - x == Money.zero(currency)
    assert x * 3 == x + x + x == 3 * x
    assert abs(x) >= x
    assert (x < y) == (a < b)
    assert (x <= y) == (a <= b)
    assert (x > y) == (a > b)
    assert bool(x) == bool(a)


def test_currencies_do_not_mix() -> None:
    dollars, yen = Money(1, "USD"), Money(1, "JPY")
    for mixed in (
        lambda: dollars + yen,
        lambda: dollars - yen,
        lambda: dollars < yen,
        lambda: dollars <= yen,
        lambda: dollars > yen,
        lambda: dollars >= yen,
        lambda: sum_money([dollars, yen], "USD"),
    ):
        with pytest.raises(CurrencyMismatch):
            mixed()
    assert dollars != yen
    assert Money(0, "USD") != Money(0, "JPY")


@pytest.mark.parametrize("other", [1, 0, 1.5, Decimal("1.5"), "1", None, True])
def test_money_meets_only_money(other: Any) -> None:
    money = Money(100, "USD")
    operations: list[Callable[[], object]] = [
        lambda: money + other,
        lambda: other + money,
        lambda: money - other,
        lambda: money < other,
    ]
    for operation in operations:
        with pytest.raises(TypeError):
            operation()
    assert money != other


@pytest.mark.parametrize("factor", [1.0, Decimal(2), "2", True, None, Fraction(1, 2)])
def test_money_is_multiplied_by_whole_numbers_only(factor: int) -> None:
    with pytest.raises(TypeError):
        _ = Money(100, "USD") * factor


@pytest.mark.parametrize("minor", [1.0, Decimal(1), "1", True, None])
def test_minor_units_are_an_int(minor: int) -> None:
    with pytest.raises(TypeError):
        Money(minor, "USD")


def test_floats_and_bytes_are_not_parsed() -> None:
    for value in (24.9, 24, b"24.90", None, Decimal("24.90")):
        with pytest.raises(TypeError):
            Money.parse(value, "USD")  # type: ignore[arg-type]


@pytest.mark.parametrize("currency", ["", "usd", "US", "USDX", "XXX", "DEM", "BTC", None, 840, "US\n"])
def test_unknown_currencies_are_refused(currency: str) -> None:
    with pytest.raises(UnknownCurrency):
        Money(1, currency)


def test_an_amount_that_could_not_be_stored_is_refused() -> None:
    assert Money(MAX_MINOR, "USD").minor == 2**63 - 1
    with pytest.raises(MoneyError):
        Money(MAX_MINOR, "USD") + Money(1, "USD")
    with pytest.raises(MoneyError):
        Money(10**10, "USD") * 10**10
    with pytest.raises(MoneyError):
        Money.parse("99999999999999999.99", "USD") + Money.parse("9" * 17, "USD")


def test_money_is_frozen_hashable_and_travels() -> None:
    money = Money(2490, "USD")
    with pytest.raises(dataclasses.FrozenInstanceError):
        money.minor = 1  # type: ignore[misc]
    assert not hasattr(money, "__dict__")
    assert {money: 1}[Money(2490, "USD")] == 1
    assert pickle.loads(pickle.dumps(money)) == money
    assert str(Money(-5, "USD")) == "-0.05 USD"
    assert str(Money(-1234, "KWD")) == "-1.234 KWD"
    assert str(Money(-7, "JPY")) == "-7 JPY"


def test_a_fraction_of_money_is_rounded_once() -> None:
    assert Money(1000, "USD").scaled(10, 31) == Money(323, "USD")
    assert Money(-1000, "USD").scaled(10, 31) == Money(-323, "USD")
    assert Money(5, "JPY").scaled(1, 2) == Money(3, "JPY")


def test_decimals_follow_iso_4217_where_cldr_writes_fewer() -> None:
    assert {code: exponent(code) for code in ("USD", "JPY", "KRW", "KWD", "BHD", "TND", "ISK", "UGX")} == {
        "USD": 2, "JPY": 0, "KRW": 0, "KWD": 3, "BHD": 3, "TND": 3, "ISK": 0, "UGX": 0,
    }  # fmt: skip
    differing = {code for code, decimals in EXPONENTS.items() if decimals != get_currency_precision(code)}
    assert differing == {
        "AFN", "ALL", "IQD", "IRR", "KPW", "LAK", "LBP", "MGA", "MMK", "RSD", "SOS", "SYP", "YER",
    }  # fmt: skip
    assert all(
        decimals == (3 if code == "IQD" else 2) for code, decimals in EXPONENTS.items() if code in differing
    )


def test_an_empty_sum_is_zero_of_its_currency() -> None:
    assert sum_money([], "JPY") == Money(0, "JPY")
    assert not Money.zero("JPY")
