"""Money, days, rates and numbers as people of one locale write them (CLDR, by Babel).

Unknown locales read English. Presentation only: what comes out is never parsed again.
"""

from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Literal
from zoneinfo import ZoneInfo

from babel import Locale, UnknownLocaleError
from babel.dates import format_date as babel_date
from babel.dates import format_datetime, format_interval
from babel.numbers import NumberPattern, format_decimal, get_currency_symbol, parse_pattern
from babel.numbers import format_percent as babel_percent

from billing.money import EXPONENTS, Money
from billing.periods import Period

_NBSP = "\u00a0"

Length = Literal["short", "medium", "long", "full"]


@lru_cache(maxsize=256)
def locale_of(name: str) -> Locale:
    """Find the locale named `de`, `de-CH` or `pt_BR`; then its language alone; then English."""
    tag = name.replace("_", "-")
    for candidate in (tag, tag.split("-")[0]):
        try:
            return Locale.parse(candidate, sep="-")
        except (ValueError, TypeError, UnknownLocaleError):
            continue
    return Locale("en")


@lru_cache(maxsize=1024)
def _money_pattern(name: str, currency: str) -> NumberPattern:
    """The locale's way to write one currency, in two points better than Babel's own.

    The decimals are those of ISO 4217 (CLDR's would print LBP 12.50 as 13), and a symbol made of letters is
    kept apart from the digits, as CLDR's currencySpacing asks: `KWD 1.234`, not `KWD1.234`.
    """
    locale = locale_of(name)
    pattern = parse_pattern(locale.currency_formats["standard"].pattern)
    pattern.frac_prec = (EXPONENTS[currency], EXPONENTS[currency])
    symbol = get_currency_symbol(currency, locale)
    if symbol[-1].isalpha():
        positive, negative = (f"{text}{_NBSP}" if text.endswith("¤") else text for text in pattern.prefix)
        pattern.prefix = positive, negative
    if symbol[0].isalpha():
        positive, negative = (f"{_NBSP}{text}" if text.startswith("¤") else text for text in pattern.suffix)
        pattern.suffix = positive, negative
    return pattern


def format_money(amount: Money, locale: str) -> str:
    """`$24.90`, `24,90 €`, `￥3,735`: always all of the currency's decimals."""
    pattern = _money_pattern(locale, amount.currency)
    written: str = pattern.apply(
        amount.to_decimal(), locale_of(locale), currency=amount.currency, currency_digits=False
    )
    return written


def format_date(day: date, locale: str, length: Length = "medium") -> str:
    """`Dec 4, 2026`, `04.12.2026`."""
    return babel_date(day, length, locale=locale_of(locale))


def format_period(span: Period, locale: str) -> str:
    """`Dec 4, 2026 – Jan 3, 2027`: from first to last day, both inside; one day alone if it is one."""
    if span.last_day <= span.start:
        return babel_date(span.start, "medium", locale=locale_of(locale))
    return format_interval(span.start, span.last_day, "yMMMd", locale=locale_of(locale))


def format_instant(instant: datetime, tz: ZoneInfo, locale: str, length: Length = "medium") -> str:
    """Date and time in `tz`. Raises ValueError for a time without a zone."""
    if instant.tzinfo is None:
        raise ValueError("an instant needs a time zone; this one has none")
    return format_datetime(instant, length, tzinfo=tz, locale=locale_of(locale))


def format_rate(rate_ppm: int, locale: str) -> str:
    """A tax rate in parts per million: 190_000 is `19%`, in German `19 %`; decimals only where it has any."""
    return babel_percent(Decimal(rate_ppm).scaleb(-6), locale=locale_of(locale), decimal_quantization=False)


def format_number(number: int, locale: str) -> str:
    """A count with the locale's grouping: `12,345`, `12.345`."""
    return format_decimal(number, locale=locale_of(locale))
