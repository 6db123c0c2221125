"""What a subscription will bill: its next periods with the amounts that the run would write. Reads only."""

from dataclasses import dataclass
from datetime import date, timedelta

from billing.models import Price, Subscription, TaxRate
from billing.money import Money, MoneyError
from billing.periods import Cycle, Period, PeriodError, period
from billing.pricing import Document, PricingError, RecurringItem, document, price
from billing.tax import TaxTable

PERIODS = 6


@dataclass(frozen=True, slots=True)
class Upcoming:
    """One period to come: when it is billed, what it covers, what it comes to."""

    billed_on: date
    period: Period
    net: Money
    tax: Money
    gross: Money
    with_setup: bool


def upcoming(subscription: Subscription, *, days_ahead: int, today: date) -> list[Upcoming]:
    """The next periods of a subscription (loaded with customer, price, product); none unless it is active."""
    if subscription.status != Subscription.Status.ACTIVE:
        return []
    rates = TaxTable(TaxRate.objects.values_list("tax_class", "country", "rate_ppm", "name"))
    rows: list[Upcoming] = []
    for index in range(subscription.next_index, subscription.next_index + PERIODS):
        try:
            span = period(subscription.anchored_on, Cycle(subscription.price.cycle), index)
            with_setup = not rows and not subscription.setup_billed and subscription.price.setup_fee > 0
            bill = _bill(subscription, span, rates, with_setup=with_setup)
        except (PeriodError, PricingError, MoneyError):
            break
        billed_on = max(span.start - timedelta(days=days_ahead), today)
        rows.append(Upcoming(billed_on, span, bill.net, bill.tax, bill.gross, with_setup))
    return rows


def _bill(subscription: Subscription, span: Period, rates: TaxTable, *, with_setup: bool) -> Document:
    at: Price = subscription.price
    rule = rates.rule_for(at.product.tax_class, subscription.customer.country, inclusive=at.tax_inclusive)
    item = RecurringItem(
        description=subscription.description or at.product.name,
        unit_price=at.money,
        quantity=subscription.quantity,
        period=span,
        rule=rule,
        setup_fee=Money(at.setup_fee, at.currency) if with_setup else None,
    )
    return document(price(item))
