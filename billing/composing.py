"""What a customer is to be billed now: due subscriptions in, documents and next dates out. Pure."""

from collections.abc import Sequence
from datetime import date
from typing import Final, NamedTuple
from uuid import UUID

from billing import tax
from billing.money import MAX_MINOR, Money, MoneyError, step
from billing.periods import Cycle, PeriodError, period
from billing.pricing import PricedLine, PricingError, RecurringItem, price
from billing.tax import TaxTable, Totals

# More periods than this for one subscription at once is a mistake in its dates, not a debt.
MAX_PERIODS: Final = 15
# A document of more lines goes on as a second one; positions are small integers.
MAX_LINES: Final = 10_000


class Due(NamedTuple):
    """A subscription with something to bill, and the price it is billed at (minor units of `currency`)."""

    subscription: UUID
    customer: UUID
    description: str
    quantity: int
    anchored_on: date
    next_index: int
    setup_billed: bool
    cycle: str
    currency: str
    amount: int
    setup_fee: int
    tax_inclusive: bool
    tax_class: str


class Charge(NamedTuple):
    """One line to be written: where it comes from, and what it says."""

    subscription: UUID
    tax_class: str
    line: PricedLine


class Bill(NamedTuple):
    """What falls due for one customer on one day in one currency."""

    day: date
    currency: str
    charges: Sequence[Charge]
    totals: Totals


class Advance(NamedTuple):
    """Where a subscription stands once its due periods are billed."""

    subscription: UUID
    next_index: int
    next_due_on: date
    setup_billed: bool


class Parked(NamedTuple):
    """A subscription that cannot be billed and waits for a person, and why."""

    subscription: UUID
    reason: str


class Composition(NamedTuple):
    """All that a run does for one customer."""

    bills: Sequence[Bill]
    advances: Sequence[Advance]
    parked: Sequence[Parked]


def compose(dues: Sequence[Due], *, country: str, rates: TaxTable, until: date) -> Composition:
    """Bill every period of one customer's subscriptions that starts up to and including the day `until`.

    Each day and currency makes one bill. A subscription that would bill more than MAX_PERIODS, or whose price
    makes no line, is parked and the others are billed; amounts beyond what can be stored park them all.
    """
    groups: dict[tuple[date, str], list[Charge]] = {}
    advances: list[Advance] = []
    parked: list[Parked] = []
    for due in dues:
        try:
            charges, advance = _charges(due, country, rates, until)
        except (PeriodError, PricingError, MoneyError) as error:
            parked.append(Parked(due.subscription, str(error)[:200]))
            continue
        for charge in charges:
            span = charge.line.period
            assert span is not None
            groups.setdefault((span.start, due.currency), []).append(charge)
        advances.append(advance)
    bills = [
        _bill(day, currency, charges[start : start + MAX_LINES])
        for (day, currency), charges in sorted(groups.items())
        for start in range(0, len(charges), MAX_LINES)
    ]
    if any(bill.totals.gross > MAX_MINOR for bill in bills):
        reason = "the invoice's total is larger than can be stored"
        return Composition((), (), [*parked, *(Parked(each.subscription, reason) for each in advances)])
    return Composition(bills, advances, parked)


def _charges(due: Due, country: str, rates: TaxTable, until: date) -> tuple[list[Charge], Advance]:
    cycle = Cycle(due.cycle)
    rule = rates.rule_for(due.tax_class, country, inclusive=due.tax_inclusive)
    unit_price = Money(due.amount, due.currency)
    setup_fee = None if due.setup_billed or not due.setup_fee else Money(due.setup_fee, due.currency)
    charges: list[Charge] = []
    index = due.next_index
    span = period(due.anchored_on, cycle, index)
    while span.start <= until:
        if index - due.next_index >= MAX_PERIODS:
            raise PeriodError(
                f"more than {MAX_PERIODS} periods would be billed at once, from "
                f"{period(due.anchored_on, cycle, due.next_index).start.isoformat()} on"
            )
        item = RecurringItem(
            description=due.description,
            unit_price=unit_price,
            quantity=due.quantity,
            period=span,
            rule=rule,
            setup_fee=setup_fee,
        )
        charges.extend([Charge(due.subscription, due.tax_class, line) for line in price(item)])
        setup_fee = None
        index += 1
        span = period(due.anchored_on, cycle, index)
    return charges, Advance(due.subscription, index, span.start, due.setup_billed or bool(charges))


def _bill(day: date, currency: str, charges: Sequence[Charge]) -> Bill:
    taxable = [tax.Line(charge.line.amount.minor, charge.line.rule) for charge in charges]
    totals = tax.compute(taxable, step=step(currency))
    return Bill(day, currency, charges, totals)
