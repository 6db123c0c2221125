"""What each cell may hold: text in, value out, or `CellError` with the reason for whose file it is. Pure."""

import re
import unicodedata
from datetime import date
from functools import lru_cache
from typing import Final

from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from accounts.places import check_country, check_currency
from billing.importing.reading import shown
from billing.money import Money, MoneyError, check_step
from billing.periods import Cycle, PeriodError
from billing.pricing import PricingError, parse_quantity

_CODE = re.compile(r"[A-Za-z0-9_-]{1,60}")
_PHONE = re.compile(r"\+?[0-9 ()./-]{0,31}")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_HARMFUL: Final = frozenset({"Cc", "Cs", "Co", "Zl", "Zp"})
# They turn the text behind them around: on an invoice, an amount would read backwards.
_TURNING: Final = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
MAX_EXTERNAL_ID: Final = 100
EARLIEST, LATEST = date(1970, 1, 1), date(2199, 12, 31)


class CellError(ValueError):
    """The cell cannot be taken; the message says why."""


def text(value: str, longest: int, *, required: bool = False) -> str:
    """One line of text, taken as it stands: what looks like a formula is data like any other."""
    if required and not any(char.isprintable() and char != " " for char in value):
        raise CellError("is empty")
    if not value.isprintable():
        if any(unicodedata.category(char) in _HARMFUL for char in value):
            raise CellError("holds a control character or line break")
        if not _TURNING.isdisjoint(value):
            raise CellError("holds a character that turns the direction of text")
    if len(value) > longest:
        raise CellError(f"has {len(value)} characters; at most {longest} fit")
    return value


def external_id(value: str) -> str:
    if not value:
        raise CellError("is empty")
    if not value.isprintable():
        raise CellError("holds a character that cannot be seen")
    if len(value) > MAX_EXTERNAL_ID:
        raise CellError(f"has {len(value)} characters; at most {MAX_EXTERNAL_ID} fit")
    return value


def is_external_id(value: str) -> bool:
    return bool(value) and value.isprintable() and len(value) <= MAX_EXTERNAL_ID


def code(value: str) -> str:
    if not _CODE.fullmatch(value) or value.startswith("-"):
        raise CellError(f"{shown(value)} is no product code; use 1 to 60 of A-Z, a-z, 0-9, _ and -")
    return value


def email(value: str) -> str:
    if not value:
        raise CellError("is empty")
    try:
        validate_email(text(value, 254))
    except ValidationError:
        raise CellError(f"{shown(value)} is not an email address") from None
    return value


def phone(value: str) -> str:
    if not _PHONE.fullmatch(value):
        raise CellError(f"{shown(value)} is not a phone number; use digits, spaces and + ( ) . / -")
    return value


@lru_cache(maxsize=1024)
def country(value: str) -> str:
    try:
        return check_country(value)
    except ValidationError:
        raise CellError(f"{shown(value)} is not a country; use an ISO 3166 code like DE or US") from None


def currency(value: str) -> str:
    try:
        return check_currency(value)
    except ValidationError:
        raise CellError(f"{shown(value)} is no currency that we bill in; use a code like EUR") from None


def day(value: str) -> date:
    try:
        found = date.fromisoformat(value) if _DAY.fullmatch(value) else None
    except ValueError:
        found = None
    if found is None:
        raise CellError(f"{shown(value)} is not a day; write it like 2026-12-31")
    if not EARLIEST <= found <= LATEST:
        raise CellError(f"{shown(value)} is not between {EARLIEST} and {LATEST}")
    return found


def cycle(value: str) -> Cycle:
    try:
        found = Cycle.parse(value)
    except PeriodError:
        names = ", ".join(each for each in Cycle if each.recurs)
        raise CellError(f"{shown(value)} is not a billing cycle; use one of {names}") from None
    if not found.recurs:
        raise CellError("a subscription recurs; one-time is no cycle for it")
    return found


def amount(value: str, of: str) -> int:
    """Minor units of the currency `of`, none negative."""
    try:
        money = Money.parse(value, of)
        check_step(money)
    except MoneyError as error:
        raise CellError(str(error)) from error
    if money.minor < 0:
        raise CellError("a price is not negative")
    return money.minor


def quantity(value: str) -> int:
    try:
        return parse_quantity(value)
    except PricingError as error:
        raise CellError(str(error)) from error
