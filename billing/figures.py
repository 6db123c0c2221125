"""What the business has come to: figures of the home page, out of ledger and invoices. Reads only."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db import connection
from django.db.models import Count, Exists, F, Q, Sum

from accounts.models import Customer
from billing.models import (
    BillingSettings,
    Invoice,
    Payment,
    Price,
    StripeConnection,
    Subscription,
    TaxRate,
)
from billing.money import Money
from billing.periods import add_months
from privacy.restricting import Processing, any_stopped, stops_sql

MONTHS = 12
FAILED_DAYS = 30

# Revenue as booked, without those who restrict that; and what customers owe at the end of each month, who
# owe it all the same. Voided invoices are booked back.
_BY_MONTH = (
    "SELECT p.currency, date_trunc('month', e.booked_on)::date, p.account, sum(p.amount)"
    " FROM billing_posting p JOIN billing_journalentry e ON e.id = p.entry_id"
    " WHERE (p.account = 'receivable'"
    f" OR p.account = 'revenue' AND NOT {stops_sql(Processing.FIGURES, 'customer', 'e.customer_id')})"
    " GROUP BY 1, 2, 3"
)


@dataclass(frozen=True, slots=True)
class Month:
    """One month of the chart: what was invoiced before tax, and what customers owed at its end."""

    first: date
    revenue: Money
    outstanding: Money


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a chart: minor units."""

    name: str
    values: Sequence[int]


@dataclass(frozen=True, slots=True)
class MonthlyChart:
    """A chart of amounts by month, in the shape that the `chart` tag draws."""

    title: str
    labels: Sequence[str]
    axis: Sequence[str]
    series: Sequence[Row]
    currency: str
    kind: str = "bar"
    label_head: str = "Month"

    def rows(self) -> list[tuple[str, list[int]]]:
        """The same figures as a table: one row a month."""
        return [(label, [row.values[at] for row in self.series]) for at, label in enumerate(self.labels)]


@dataclass(frozen=True, slots=True)
class Owed:
    """Open invoices of one currency."""

    outstanding: Money
    open: int
    overdue: Money
    late: int


@dataclass(frozen=True, slots=True)
class Setup:
    """What a new tenant has done so far."""

    stripe: bool
    business: bool
    tax: bool
    product: bool
    customer: bool
    subscription: bool


def by_month(*, today: date) -> dict[str, list[Month]]:
    """The last twelve months of each currency that was ever booked, the present one last."""
    revenue: dict[str, dict[date, int]] = defaultdict(lambda: defaultdict(int))
    owed: dict[str, dict[date, int]] = defaultdict(lambda: defaultdict(int))
    with connection.cursor() as cursor:
        cursor.execute(_BY_MONTH)
        for currency, month, account, amount in cursor.fetchall():
            if account == "revenue":
                revenue[currency][month] -= int(amount)
            else:
                owed[currency][month] += int(amount)
    months = _months(today)
    return {
        currency: _months_of(currency, months, revenue[currency], owed[currency])
        for currency in sorted({*revenue, *owed})
    }


def _months(today: date) -> list[date]:
    this = today.replace(day=1)
    return [add_months(this, -back) for back in range(MONTHS - 1, -1, -1)]


def _months_of(
    currency: str, months: Sequence[date], revenue: dict[date, int], owed: dict[date, int]
) -> list[Month]:
    rows, left = [], sum(amount for month, amount in owed.items() if month < months[0])
    for month in months:
        left += owed.get(month, 0)
        rows.append(Month(month, Money(revenue.get(month, 0), currency), Money(left, currency)))
    return rows


def leaves_out() -> bool:
    """Tell whether the revenue of some customers is left out, because they restrict that."""
    return any_stopped(Processing.FIGURES, "customer")


def owed(*, today: date) -> dict[str, Owed]:
    """What is open and what is overdue, by currency."""
    late = Q(due_on__lt=today)
    left = F("total") - F("amount_paid")
    rows = (
        Invoice.objects.filter(status=Invoice.Status.OPEN)
        .values_list("currency")
        .annotate(left=Sum(left), n=Count("id"), late=Sum(left, filter=late), n_late=Count("id", filter=late))
        .order_by("currency")
    )
    return {
        currency: Owed(
            Money(int(total or 0), currency), count, Money(int(overdue or 0), currency), late_count
        )
        for currency, total, count, overdue, late_count in rows
    }


def failed_payments(*, now: datetime) -> int:
    """How many invoices are still open after a payment failed within the last 30 days."""
    return (
        Payment.objects.filter(
            created_at__gte=now - timedelta(days=FAILED_DAYS),
            state=Payment.State.FAILED,
            invoice__status=Invoice.Status.OPEN,
        )
        .values("invoice")
        .distinct()
        .count()
    )


def waiting_payments() -> int:
    """How many payments wait for a person."""
    return Payment.objects.filter(state=Payment.State.PARKED).count()


def setup() -> Setup:
    """What of the first steps is done, in one query."""
    connected = StripeConnection.objects.filter(disconnected_at__isnull=True)
    row = (
        BillingSettings.objects.annotate(
            has_stripe=Exists(connected),
            has_tax=Exists(TaxRate.objects.all()),
            has_product=Exists(Price.objects.all()),
            has_customer=Exists(Customer.objects.all()),
            has_subscription=Exists(Subscription.objects.all()),
        )
        .values(
            "address_line1",
            "country",
            "has_stripe",
            "has_tax",
            "has_product",
            "has_customer",
            "has_subscription",
        )
        .get()
    )
    return Setup(
        stripe=row["has_stripe"],
        business=bool(row["address_line1"] and row["country"]),
        tax=row["has_tax"],
        product=row["has_product"],
        customer=row["has_customer"],
        subscription=row["has_subscription"],
    )
