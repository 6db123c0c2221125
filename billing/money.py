"""Amounts of money as whole minor units of one currency, and the only way they are ever rounded.

An amount that does not divide evenly is rounded half away from zero, once; parts of an amount are made to
sum to it by the largest remainder. Nothing here, or built on this, knows a float.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from babel.core import get_global

# What a PostgreSQL bigint holds: an amount that could not be stored must not exist.
MAX_MINOR: Final = 2**63 - 1

# The decimals of ISO 4217. Babel's own figures (CLDR) say how a currency is *written*, and give 0 for some
# that ISO, banks and card schemes count in hundredths or thousandths (LBP, RSD, IQD …): a factor of 100 off.
_NO_DECIMALS = frozenset({
    "BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW",
    "PYG", "RWF", "UGX", "VND", "VUV", "XAF", "XOF", "XPF",
})  # fmt: skip
_THREE_DECIMALS = frozenset({"BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"})

# Cards are charged in whole tens where a currency has three decimals, and in whole ariary.
_STEPS: Final = dict.fromkeys(_THREE_DECIMALS, 10) | {"MGA": 100}

_AMOUNT = re.compile(r"(-?)(0|[1-9][0-9]{0,18})(?:\.([0-9]+))?")


class MoneyError(ValueError):
    """An amount that cannot be: malformed, too large, or split in an impossible way."""


class UnknownCurrency(MoneyError):
    """A code that is no currency in use (ISO 4217, three capital letters)."""


class CurrencyMismatch(MoneyError):
    """Two currencies met in one sum or comparison."""


def _exponents() -> dict[str, int]:
    """Decimals by code, for every currency that is legal tender somewhere today."""
    in_use = {
        code
        for periods in get_global("territory_currencies").values()
        for code, _since, until, is_tender in periods
        if is_tender and until is None
    }
    return {
        code: 0 if code in _NO_DECIMALS else 3 if code in _THREE_DECIMALS else 2 for code in sorted(in_use)
    }


EXPONENTS: Final = _exponents()


def exponent(currency: str) -> int:
    """Say how many decimals `currency` has: 0, 2 or 3. Raises UnknownCurrency."""
    try:
        return EXPONENTS[currency]
    except (KeyError, TypeError):
        raise UnknownCurrency(
            f"{_shown(currency)} is not a currency in use; expected a code like EUR"
        ) from None


def step(currency: str) -> int:
    """The smallest amount in which `currency` is charged, in minor units: 1, where cards take every unit."""
    return _STEPS.get(currency, 1)


def check_step(amount: "Money") -> None:
    """Raise MoneyError for a price whose multiples no card could be charged."""
    smallest = step(amount.currency)
    if amount.minor % smallest:
        raise MoneyError(
            f"{amount.currency} is charged in steps of {Money(smallest, amount.currency)._digits()};"
            f" {amount._digits()} is none"
        )


def round_half_up(numerator: int, denominator: int) -> int:
    """Divide and round to the nearest whole number, halves away from zero: 5/2 → 3, -5/2 → -3.

    The one rounding function. `denominator` must be positive.
    """
    if denominator <= 0:
        raise ValueError(f"the denominator must be positive, not {denominator}")
    if numerator < 0:
        return -((2 * -numerator + denominator) // (2 * denominator))
    return (2 * numerator + denominator) // (2 * denominator)


def round_together(numerators: Sequence[int], denominator: int) -> list[int]:
    """Round every n/denominator so that the results sum to the rounded sum, by the largest remainder.

    Each result is the floor or the ceiling of its exact value; among equal remainders the first wins, and
    negating every numerator negates every result, so that a credit note mirrors its invoice.
    """
    total = sum(numerators)
    if total < 0 or (total == 0 and next((n for n in numerators if n), 0) < 0):
        return [-part for part in round_together([-n for n in numerators], denominator)]
    target = round_half_up(total, denominator)
    parts, remainders = [], []
    for numerator in numerators:
        part, remainder = divmod(numerator, denominator)
        parts.append(part)
        remainders.append(remainder)
    missing = target - sum(parts)
    if missing:
        by_remainder = sorted(
            range(len(parts)), key=remainders.__getitem__, reverse=True
        )  # stable: first wins
        for index in by_remainder[:missing]:
            parts[index] += 1
    return parts


def allocate(total: int, weights: Sequence[int]) -> list[int]:
    """Share `total` in proportion to `weights`; the shares always sum to it, and a weight of 0 gets 0.

    Raises MoneyError for no weights, a negative one, or none above zero.
    """
    if not weights or any(type(weight) is not int or weight < 0 for weight in weights):
        raise MoneyError("weights must be whole numbers, none negative, at least one")
    weight_sum = sum(weights)
    if weight_sum == 0:
        raise MoneyError("at least one weight must be above zero")
    return round_together([total * weight for weight in weights], weight_sum)


@dataclass(frozen=True, slots=True)
class Money:
    """An amount in minor units (cents; yen; fils) of one currency. `Money(2490, "USD")` is 24.90 dollars.

    Sums and comparisons of two currencies raise CurrencyMismatch; floats and Decimals raise TypeError.
    """

    minor: int
    currency: str

    def __post_init__(self) -> None:
        if type(self.minor) is not int:
            raise TypeError(f"minor units are an int, not {type(self.minor).__name__}")
        if self.currency not in EXPONENTS:
            exponent(self.currency)
        if not -MAX_MINOR <= self.minor <= MAX_MINOR:
            raise MoneyError(f"an amount of {self.minor} minor units is too large")

    @classmethod
    def zero(cls, currency: str) -> "Money":
        return cls(0, currency)

    @classmethod
    def parse(cls, text: str, currency: str) -> "Money":
        """Read an amount in major units: plain digits, a point, at most the currency's decimals.

        `"24.90"`, `"24.9"`, `"24"` and `"-3.00"` are amounts. Everything else raises MoneyError with a
        message for the person who typed it: commas, signs, spaces, exponents, NaN, other scripts' digits.
        """
        if not isinstance(text, str):
            raise TypeError(f"an amount is parsed from text, not {type(text).__name__}")
        decimals = exponent(currency)
        match = _AMOUNT.fullmatch(text)
        if match is None:
            raise MoneyError(
                f"{_shown(text)} is not an amount; write digits with a point as decimal mark, like "
                f"{Money(123450, currency)._digits()}"
            )
        sign, whole, fraction = match.group(1), match.group(2), match.group(3) or ""
        if len(fraction) > decimals:
            allowed = f"at most {decimals} decimals" if decimals else "no decimals"
            raise MoneyError(f"{_shown(text)} has too many decimals; {currency} has {allowed}")
        minor = int(whole + fraction.ljust(decimals, "0"))
        return cls(-minor if sign else minor, currency)

    def to_decimal(self) -> Decimal:
        """Give the amount in major units with all its decimals, for display and exchange, not for sums."""
        return Decimal(self._digits())

    def __str__(self) -> str:
        """`24.90 USD`: for logs, CSV and the audit record; people read `billing.formats`."""
        return f"{self._digits()} {self.currency}"

    def _digits(self) -> str:
        decimals = EXPONENTS[self.currency]
        if not decimals:
            return str(self.minor)
        whole, fraction = divmod(abs(self.minor), 10**decimals)
        return f"{'-' if self.minor < 0 else ''}{whole}.{fraction:0{decimals}d}"

    def __bool__(self) -> bool:
        return self.minor != 0

    def __neg__(self) -> "Money":
        return Money(-self.minor, self.currency)

    def __abs__(self) -> "Money":
        return Money(abs(self.minor), self.currency)

    def __add__(self, other: "Money") -> "Money":
        return Money(self.minor + self._same(other), self.currency)

    def __sub__(self, other: "Money") -> "Money":
        return Money(self.minor - self._same(other), self.currency)

    def __mul__(self, factor: int) -> "Money":
        if type(factor) is not int:
            raise TypeError(f"money is multiplied by an int, not {type(factor).__name__}; see Money.scaled")
        return Money(self.minor * factor, self.currency)

    __rmul__ = __mul__

    def __lt__(self, other: "Money") -> bool:
        return self.minor < self._same(other)

    def __le__(self, other: "Money") -> bool:
        return self.minor <= self._same(other)

    def __gt__(self, other: "Money") -> bool:
        return self.minor > self._same(other)

    def __ge__(self, other: "Money") -> bool:
        return self.minor >= self._same(other)

    def _same(self, other: "Money") -> int:
        """The other's minor units, once it is money of this currency."""
        if not isinstance(other, Money):
            raise TypeError(f"money meets only money, not {type(other).__name__}")
        if other.currency != self.currency:
            raise CurrencyMismatch(f"{self.currency} and {other.currency} do not mix")
        return other.minor

    def scaled(self, numerator: int, denominator: int) -> "Money":
        """Take a fraction, rounded once: `price.scaled(days_used, days_in_period)`."""
        return Money(round_half_up(self.minor * numerator, denominator), self.currency)

    def split(self, weights: Sequence[int]) -> tuple["Money", ...]:
        """Share in proportion to whole-number weights; the shares always sum to the whole. See `allocate`."""
        return tuple(Money(share, self.currency) for share in allocate(self.minor, weights))


def sum_money(amounts: Iterable[Money], currency: str) -> Money:
    """Add up amounts of one currency; nothing to add is zero of it."""
    total = Money.zero(currency)
    for amount in amounts:
        total = total + amount
    return total


def _shown(value: object) -> str:
    """What was given, short enough to stand in an error message and without control characters."""
    shown = ascii(value)
    return shown if len(shown) <= 40 else shown[:39] + "…"
