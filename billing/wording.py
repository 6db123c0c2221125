"""The one language of a document: its labels, and its amounts, days and rates in a locale that fits them."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import lru_cache

from babel import Locale, UnknownLocaleError
from babel.numbers import format_decimal

from billing import formats
from billing.labels import LANGUAGES, Labels, labels_for
from billing.money import Money
from billing.periods import Period

INTERNATIONAL_ENGLISH = "en-001"


@lru_cache(maxsize=256)
def locale_to_write(name: str) -> str:
    """The locale named, or its country's English where its language has no labels here.

    A page speaks one language; a Hebrew date in an English sentence would stand in the wrong order besides.
    """
    tag = name.replace("_", "-")
    language, _, rest = tag.partition("-")
    if language.lower() in LANGUAGES:
        return tag
    territory = rest.split("-")[-1].upper()
    try:
        return f"en-{territory}" if territory and Locale.parse(f"en_{territory}") else INTERNATIONAL_ENGLISH
    except (ValueError, UnknownLocaleError):
        return INTERNATIONAL_ENGLISH


@dataclass(frozen=True, slots=True)
class Wording:
    """Says values in `locale`; `labels` are the words around them."""

    locale: str
    labels: Labels

    @classmethod
    def of(cls, locale: str) -> "Wording":
        return cls(locale_to_write(locale), labels_for(locale))

    def money(self, value: Money) -> str:
        return formats.format_money(value, self.locale)

    def day(self, value: date) -> str:
        return formats.format_date(value, self.locale, "long")

    def short_day(self, value: date) -> str:
        return formats.format_date(value, self.locale)

    def period(self, value: Period | None) -> str:
        return formats.format_period(value, self.locale) if value is not None else ""

    def number(self, value: Decimal) -> str:
        return format_decimal(value, locale=formats.locale_of(self.locale), decimal_quantization=False)

    def rate(self, rate_ppm: int) -> str:
        return formats.format_rate(rate_ppm, self.locale)
