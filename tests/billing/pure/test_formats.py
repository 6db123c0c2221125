"""Formats: the same money and days, as each reader writes them."""

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.formats import (
    format_date,
    format_instant,
    format_money,
    format_number,
    format_period,
    format_rate,
    locale_of,
)
from billing.money import EXPONENTS, Money
from billing.periods import Cycle, Period, period, zone

NBSP = "\u00a0"
LOCALES = ["en", "de", "fr", "es", "nl", "ja", "ar", "hi", "pt-BR", "de-CH", "xx"]


@pytest.mark.parametrize(
    ("minor", "currency", "locale", "written"),
    [
        (2490, "USD", "en", "$24.90"),
        (123456750, "EUR", "de", f"1.234.567,50{NBSP}€"),
        (123456750, "INR", "hi", "₹12,34,567.50"),
        (3735, "JPY", "en", "¥3,735"),
        (1234, "KWD", "en", f"KWD{NBSP}1.234"),
        (-2490, "USD", "en", "-$24.90"),
        (1250, "LBP", "en", f"LBP{NBSP}12.50"),
        (99, "RSD", "en-US", f"RSD{NBSP}0.99"),
        (0, "EUR", "nl", f"€{NBSP}0,00"),
    ],
)
def test_money_is_written_as_the_locale_does(minor: int, currency: str, locale: str, written: str) -> None:
    assert format_money(Money(minor, currency), locale) == written


@given(st.integers(-(10**15), 10**15), st.sampled_from(sorted(EXPONENTS)), st.sampled_from(LOCALES))
def test_every_digit_of_an_amount_is_shown(minor: int, currency: str, locale: str) -> None:
    # Symbols hold no digits; so what digits there are, are the amount's.
    shown = "".join(char for char in format_money(Money(minor, currency), locale) if char.isdecimal())
    assert int(shown) == abs(minor)
    assert len(shown) >= EXPONENTS[currency] + 1


@pytest.mark.parametrize(
    ("locale", "written"),
    [("en", "Dec 4, 2026"), ("de", "04.12.2026"), ("en-GB", "4 Dec 2026"), ("nonsense", "Dec 4, 2026")],
)
def test_days_are_written_as_the_locale_does(locale: str, written: str) -> None:
    assert format_date(date(2026, 12, 4), locale) == written


def test_a_period_shows_its_last_day_not_the_day_after() -> None:
    month = period(date(2026, 12, 4), Cycle.MONTHLY, 0)
    assert format_period(month, "en").replace("\u2009", " ") == "Dec 4, 2026 – Jan 3, 2027"
    assert format_period(month, "de").replace("\u2009", " ") == "4. Dez. 2026 – 3. Jan. 2027"
    assert format_period(Period(date(2026, 12, 4), date(2026, 12, 5)), "en") == "Dec 4, 2026"


def test_an_instant_is_shown_in_its_zone() -> None:
    instant = datetime(2026, 12, 31, 23, 30, tzinfo=UTC)
    assert format_instant(instant, zone("Europe/Berlin"), "de") == "01.01.2027, 00:30:00"
    with pytest.raises(ValueError, match="time zone"):
        format_instant(instant.replace(tzinfo=None), zone("Europe/Berlin"), "de")


@pytest.mark.parametrize(
    ("rate", "locale", "written"),
    [
        (190_000, "en", "19%"),
        (190_000, "de", f"19{NBSP}%"),
        (88_750, "en", "8.875%"),
        (88_750, "de", f"8,875{NBSP}%"),
        (0, "en", "0%"),
    ],
)
def test_a_rate_shows_the_decimals_it_has(rate: int, locale: str, written: str) -> None:
    assert format_rate(rate, locale) == written


def test_counts_are_grouped() -> None:
    assert format_number(1234567, "en") == "1,234,567"
    assert format_number(1234567, "de") == "1.234.567"


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("de", "de"),
        ("de-CH", "de_CH"),
        ("de_CH", "de_CH"),
        ("de-XX", "de"),
        ("", "en"),
        ("xx", "en"),
        ("../../etc", "en"),
        ("e" * 999, "en"),
    ],
)
def test_locales_fall_back_to_their_language_then_english(name: str, found: str) -> None:
    assert str(locale_of(name)) == found
