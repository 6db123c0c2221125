"""From what was agreed (price, quantity, period, setup fee) to the lines of one document in one currency."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, NamedTuple

from billing import money, tax
from billing.money import CurrencyMismatch, Money
from billing.periods import Period
from billing.tax import TaxRule, Totals

MAX_QUANTITY: Final = 1_000_000
MAX_DESCRIPTION: Final = 300

_QUANTITY = re.compile(r"[1-9][0-9]{0,6}")


class PricingError(ValueError):
    """A price, quantity or description that cannot stand on a document."""


class LineKind(StrEnum):
    """Why a line is there. The value is what the database holds."""

    RECURRING = "recurring"
    SETUP = "setup"
    ITEM = "item"


@dataclass(frozen=True, slots=True, kw_only=True)
class RecurringItem:
    """One period of a subscription, to be billed. Prices are net or gross as the rule says.

    `setup_fee` is charged once, whatever the quantity; `setup_label` follows the description on its line.
    """

    description: str
    unit_price: Money
    quantity: int
    period: Period
    rule: TaxRule = tax.UNTAXED
    setup_fee: Money | None = None
    setup_label: str = "Setup fee"


@dataclass(frozen=True, slots=True, kw_only=True)
class OneTimeItem:
    """Something sold once."""

    description: str
    unit_price: Money
    quantity: int = 1
    rule: TaxRule = tax.UNTAXED


class PricedLine(NamedTuple):
    """A line before tax is worked out: `amount` is `unit_price` times `quantity`, never rounded."""

    kind: LineKind
    description: str
    unit_price: Money
    quantity: int
    amount: Money
    rule: TaxRule
    period: Period | None = None


class Document(NamedTuple):
    """Priced lines and what they come to; `totals.lines` runs parallel to `lines`, in units of `currency`."""

    currency: str
    lines: tuple[PricedLine, ...]
    totals: Totals

    @property
    def net(self) -> Money:
        return Money(self.totals.net, self.currency)

    @property
    def tax(self) -> Money:
        return Money(self.totals.tax, self.currency)

    @property
    def gross(self) -> Money:
        return Money(self.totals.gross, self.currency)


def parse_quantity(text: str) -> int:
    """Read a whole number from 1 to 1,000,000 in plain digits; anything else raises PricingError."""
    if not _QUANTITY.fullmatch(text):
        raise PricingError(f"{text[:40]!a} is not a quantity; write a whole number from 1 to {MAX_QUANTITY}")
    return check_quantity(int(text))


def check_quantity(quantity: int) -> int:
    """Give the quantity back if it is an int from 1 to 1,000,000; raises PricingError."""
    if type(quantity) is not int or not 1 <= quantity <= MAX_QUANTITY:
        raise PricingError(f"a quantity is a whole number from 1 to {MAX_QUANTITY}, not {quantity!r}")
    return quantity


def price(item: RecurringItem | OneTimeItem) -> tuple[PricedLine, ...]:
    """Make an item's lines: its own, then its setup fee if it has one above zero.

    Raises PricingError for a bad quantity or description or a negative price, CurrencyMismatch for a setup
    fee in another currency, MoneyError when the amount outgrows what can be stored or cannot be charged.
    """
    if isinstance(item, OneTimeItem):
        return (_line(LineKind.ITEM, item.description, item.unit_price, item.quantity, item.rule),)
    line = _line(LineKind.RECURRING, item.description, item.unit_price, item.quantity, item.rule, item.period)
    fee = item.setup_fee
    if fee is None or not fee:
        return (line,)
    if fee.currency != item.unit_price.currency:
        raise CurrencyMismatch(f"price in {item.unit_price.currency}, setup fee in {fee.currency}")
    label = f"{item.description[: MAX_DESCRIPTION - len(item.setup_label) - 3]} – {item.setup_label}"
    return line, _line(LineKind.SETUP, label, fee, 1, item.rule, item.period)


def document(lines: Sequence[PricedLine]) -> Document:
    """Tax lines as one document. Raises CurrencyMismatch for two currencies, PricingError for no lines."""
    if not lines:
        raise PricingError("a document needs at least one line")
    currency = lines[0].amount.currency
    for line in lines:
        if line.amount.currency != currency:
            raise CurrencyMismatch(f"{currency} and {line.amount.currency} do not stand on one document")
    taxable = [tax.Line(line.amount.minor, line.rule) for line in lines]
    totals = tax.compute(taxable, step=money.step(currency))
    return Document(currency, tuple(lines), totals)


def _line(
    kind: LineKind,
    description: str,
    unit_price: Money,
    quantity: int,
    rule: TaxRule,
    span: Period | None = None,
) -> PricedLine:
    check_quantity(quantity)
    if unit_price.minor < 0:
        raise PricingError(f"a price is not negative: {unit_price}")
    money.check_step(unit_price)
    if not description.strip() or len(description) > MAX_DESCRIPTION:
        raise PricingError(f"a description has 1 to {MAX_DESCRIPTION} characters")
    # isprintable() is quick and also minds what scripts need (joiners), so it only decides who is looked at.
    if not description.isprintable() and any(unicodedata.category(char) == "Cc" for char in description):
        raise PricingError("a description is one line, without control characters")
    return PricedLine(kind, description, unit_price, quantity, unit_price * quantity, rule, span)
