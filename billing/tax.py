"""Tax on the lines of one document, in whole minor units of the document's one currency.

The rounding rule: the tax of a rate is computed once, on the sum of all lines that bear it, rounded half away
from zero; lines share it by the largest remainder. So lines, rates and document always say the same figure.
Where cards are charged in steps of several units only, tax that comes on top is rounded to such steps: what
is to be paid can be charged then, to the unit.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from billing.money import round_half_up, round_together

ONE: Final = 1_000_000  # a rate of 100 %, in parts per million

_PERCENT = re.compile(r"(0|[1-9][0-9]{0,2})(?:\.([0-9]{1,4}))?")
_COUNTRY = re.compile(r"[A-Z]{2}")


class TaxError(ValueError):
    """A rate, a rule or an amount that cannot be taxed."""


@dataclass(frozen=True, slots=True)
class TaxRule:
    """One rate: `rate_ppm` in parts per million (19 % = 190_000), the name it is printed under.

    `inclusive`: the lines' amounts contain the tax already. Equal rules are one group on the document.
    """

    rate_ppm: int
    name: str = ""
    inclusive: bool = False

    def __post_init__(self) -> None:
        if type(self.rate_ppm) is not int or not 0 <= self.rate_ppm <= ONE:
            raise TaxError(f"a tax rate is 0 to {ONE} parts per million, not {self.rate_ppm!r}")

    @property
    def percent(self) -> str:
        """The rate as plain digits: `19`, `8.875`, `0`."""
        whole, fraction = divmod(self.rate_ppm, 10_000)
        return f"{whole}.{fraction:04d}".rstrip("0").rstrip(".") if fraction else str(whole)


UNTAXED: Final = TaxRule(0)


def parse_percent(text: str) -> int:
    """Read a rate in percent (`19`, `8.875`) as parts per million; 0 to 100, at most 4 decimals."""
    match = _PERCENT.fullmatch(text)
    rate = int(match.group(1) + (match.group(2) or "").ljust(4, "0")) if match else ONE + 1
    if rate > ONE:
        raise TaxError(f"{text[:40]!a} is not a rate in percent; write 0 to 100 with a point, like 8.875")
    return rate


class TaxTable:
    """The rates that a tenant charges, by tax class and customer's country. No rate means no tax."""

    def __init__(self, rates: Iterable[tuple[str, str, int, str]]) -> None:
        """Take rows of (tax class, ISO country, rate in ppm, name). Raises TaxError, for doubles too."""
        self._rules: dict[tuple[str, str, bool], TaxRule] = {}
        for tax_class, country, rate_ppm, name in rates:
            if not _COUNTRY.fullmatch(country):
                raise TaxError(f"{country[:40]!a} is not a country; expected two capital letters")
            if (tax_class, country, False) in self._rules:
                raise TaxError(f"two rates for {tax_class} in {country}")
            for inclusive in (False, True):
                self._rules[tax_class, country, inclusive] = TaxRule(rate_ppm, name, inclusive)

    def rule_for(self, tax_class: str, country: str, *, inclusive: bool) -> TaxRule:
        """Find the rule for a line; without a rate it is `UNTAXED`, whose net, gross and amount are one."""
        return self._rules.get((tax_class, country, inclusive), UNTAXED)


class Line(NamedTuple):
    """What is to be taxed, in minor units: before tax, or with it by an inclusive rule. May be negative."""

    amount: int
    rule: TaxRule


class TaxedLine(NamedTuple):
    """A line's amounts in minor units; `net + tax == gross`."""

    net: int
    tax: int
    gross: int
    rule: TaxRule


class TaxGroup(NamedTuple):
    """What one rule comes to over the whole document, in minor units; the sum of its lines."""

    rule: TaxRule
    net: int
    tax: int
    gross: int


class Totals(NamedTuple):
    """A taxed document: lines in the order given, groups in the order met, and their common sums."""

    lines: tuple[TaxedLine, ...]
    groups: tuple[TaxGroup, ...]
    net: int
    tax: int
    gross: int


def compute(lines: Sequence[Line], *, step: int = 1) -> Totals:
    """Tax a document. All amounts are of one currency, which the caller keeps (`pricing.Document` does).

    `step` is the currency's smallest chargeable amount (`money.step`): of amounts that are multiples of it,
    every gross is one.
    Lines, groups and totals always sum to each other, and the negated document to the negated totals.
    """
    if len(lines) == 1:
        return _compute_one(lines[0], step)
    positions: dict[TaxRule, list[int]] = {}
    for position, line in enumerate(lines):
        positions.setdefault(line.rule, []).append(position)
    taxed: dict[int, TaxedLine] = {}
    groups = []
    for rule, members in positions.items():
        members_taxed = _tax_group(rule, [_checked(lines[position].amount) for position in members], step)
        taxed.update(zip(members, members_taxed, strict=True))
        groups.append(TaxGroup(rule, *_sums(members_taxed)))
    in_order = tuple(taxed[position] for position in range(len(lines)))
    return Totals(in_order, tuple(groups), *_sums(in_order))


def _compute_one(line: Line, step: int) -> Totals:
    """A document of one line, the common case of an invoice run: nothing to share out."""
    amount, rule = _checked(line.amount), line.rule
    rate = rule.rate_ppm
    if rule.inclusive:
        tax = round_half_up(amount * rate, ONE + rate)
        net, gross = amount - tax, amount
    else:
        tax = round_half_up(amount * rate, ONE * step) * step
        net, gross = amount, amount + tax
    return Totals((TaxedLine(net, tax, gross, rule),), (TaxGroup(rule, net, tax, gross),), net, tax, gross)


def _tax_group(rule: TaxRule, amounts: list[int], step: int) -> list[TaxedLine]:
    """Tax the lines of one rule: rounded together, so that they share the group's tax to the last unit."""
    rate = rule.rate_ppm
    numerators = [amount * rate for amount in amounts]
    if rule.inclusive:
        taxes = round_together(numerators, ONE + rate)
        return [
            TaxedLine(amount - tax, tax, amount, rule) for amount, tax in zip(amounts, taxes, strict=True)
        ]
    taxes = [tax * step for tax in round_together(numerators, ONE * step)]
    return [TaxedLine(amount, tax, amount + tax, rule) for amount, tax in zip(amounts, taxes, strict=True)]


def _sums(lines: Sequence[TaxedLine]) -> tuple[int, int, int]:
    net, tax = sum(line.net for line in lines), sum(line.tax for line in lines)
    return net, tax, net + tax


def _checked(amount: int) -> int:
    if type(amount) is not int:
        raise TaxError(f"an amount is an int of minor units, not {type(amount).__name__}")
    return amount


def by_rate(groups: Iterable[TaxGroup]) -> list[TaxGroup]:
    """Merge groups that differ only in being inclusive: the summary printed under an invoice.

    The merged rule is the exclusive one.
    """
    merged: dict[TaxRule, TaxGroup] = {}
    for group in groups:
        rule = TaxRule(group.rule.rate_ppm, group.rule.name)
        net, tax = group.net, group.tax
        if (known := merged.get(rule)) is not None:
            net, tax = net + known.net, tax + known.tax
        merged[rule] = TaxGroup(rule, net, tax, net + tax)
    return list(merged.values())
