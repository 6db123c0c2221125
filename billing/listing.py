"""The lists that a tenant's staff work with: searched, narrowed, read a page at a time. Reads only.

Each list costs a fixed number of queries, whatever it holds.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from django.db.models import Count, Exists, F, OuterRef, Prefetch, Q, QuerySet, Sum

from accounts.models import Customer
from billing import numbering
from billing.models import (
    Dispute,
    Invoice,
    InvoiceLine,
    InvoiceRun,
    NumberSeries,
    Payment,
    Posting,
    Price,
    Product,
    Subscription,
)
from billing.models.ledger import Account
from billing.money import Money
from billing.paging import Order, Place, Slice, read
from billing.periods import Period

NEWEST = Order("id", descending=True)
BY_NAME = Order("name")
INVOICES_NEWEST = Order("created_at", descending=True)
FOUND_CUSTOMERS = 20
# A list's sums are taken over so many invoices at most: no page goes through them all.
SUMMED = 5_000

# What no list of states holds: words of the lists themselves.
MORE_STATES = OVERDUE, FAILED, WAITING = "overdue", "failed", "waiting"
_PAYMENT_STATES = {FAILED: Payment.State.FAILED, WAITING: Payment.State.PARKED}


@dataclass(frozen=True, slots=True)
class CustomerRow:
    """A customer in the list: what it owes, and how many subscriptions of it are running."""

    customer: Customer
    due: list[Money]
    running: int


@dataclass(frozen=True, slots=True)
class InvoiceFilter:
    """What an invoice list is narrowed to; empty fields narrow nothing. `status`: also MORE_STATES."""

    search: str = ""
    status: str = ""
    currency: str = ""
    due_from: date | None = None
    due_to: date | None = None
    customer: UUID | None = None


@dataclass(frozen=True, slots=True)
class CurrencySum:
    """What the invoices of a list come to in one currency."""

    count: int
    total: Money
    unpaid: Money


@dataclass(frozen=True, slots=True)
class SubscriptionFilter:
    """What a subscription list is narrowed to; empty fields narrow nothing."""

    search: str = ""
    status: str = ""
    cycle: str = ""
    customer: UUID | None = None


@dataclass(frozen=True, slots=True)
class PaymentRow:
    """A payment as a list shows it."""

    payment: Payment
    refunded: Money
    disputed: bool


def customers(*, search: str, status: str, newest: bool, place: Place) -> Slice[CustomerRow]:
    """Customers by name, or the newest first."""
    rows = Customer.objects.filter(matching_customers(search))
    if status:
        rows = rows.filter(status=status)
    page = read(rows, NEWEST if newest else BY_NAME, place)
    ids = [customer.pk for customer in page.rows]
    due, running = balances(ids), running_subscriptions(ids)
    return Slice(
        [
            CustomerRow(customer, due.get(customer.pk, []), running.get(customer.pk, 0))
            for customer in page.rows
        ],
        page.previous,
        page.next,
    )


def find_customers(search: str) -> list[Customer]:
    """Return the first customers by name that match, to choose one from."""
    rows = Customer.objects.filter(matching_customers(search), status=Customer.Status.ACTIVE)
    return list(rows.order_by("name", "id")[:FOUND_CUSTOMERS])


def matching_customers(search: str, prefix: str = "") -> Q:
    """Every word stands somewhere in the name, business, address, or id from elsewhere."""
    names = ("name", "business_name", "email", "external_id")
    wanted = Q()
    for word in search.replace("\0", "").split()[:6]:
        either = Q()
        for name in names:
            either |= Q(**{f"{prefix}{name}__icontains": word})
        wanted &= either
    return wanted


def balances(customers: Iterable[UUID]) -> dict[UUID, list[Money]]:
    """What these customers owe on open invoices, by currency."""
    rows = (
        Invoice.objects.filter(customer__in=list(customers), status=Invoice.Status.OPEN)
        .values_list("customer_id", "currency")
        .annotate(due=Sum(F("total") - F("amount_paid")))
        .order_by("customer_id", "currency")
    )
    owed: dict[UUID, list[Money]] = defaultdict(list)
    for customer, currency, due in rows:
        owed[customer].append(Money(int(due), currency))
    return owed


def credit_of(customer: Customer) -> list[Money]:
    """What has come in from the customer beyond what was due, by currency."""
    rows = (
        Posting.objects.filter(account=Account.CREDIT, entry__customer=customer)
        .values_list("currency")
        .annotate(sum=Sum("amount"))
        .order_by("currency")
    )
    return [Money(-int(amount), currency) for currency, amount in rows if amount]


def running_subscriptions(customers: Iterable[UUID]) -> dict[UUID, int]:
    """How many active subscriptions these customers have."""
    rows = Subscription.objects.filter(customer__in=list(customers), status=Subscription.Status.ACTIVE)
    return dict(rows.values_list("customer_id").annotate(n=Count("id")).order_by())


def next_due_of(customer: Customer) -> date | None:
    """The next day on which something falls due for the customer."""
    rows = Subscription.objects.filter(customer=customer, status=Subscription.Status.ACTIVE)
    return rows.order_by("next_due_on").values_list("next_due_on", flat=True).first()


def subscriptions(wanted: SubscriptionFilter, place: Place) -> Slice[Subscription]:
    """Subscriptions with customer, price and product, the newest first."""
    rows = Subscription.objects.select_related("customer", "price__product")
    if wanted.status:
        rows = rows.filter(status=wanted.status)
    if wanted.cycle:
        rows = rows.filter(price__cycle=wanted.cycle)
    if wanted.customer:
        rows = rows.filter(customer=wanted.customer)
    for word in wanted.search.replace("\0", "").split()[:6]:
        rows = rows.filter(
            Q(description__icontains=word)
            | Q(external_id__icontains=word)
            | Q(price__product__name__icontains=word)
            | Q(customer__in=Customer.objects.filter(matching_customers(word)).values("pk"))
        )
    return read(rows, NEWEST, place)


def invoices(wanted: InvoiceFilter, place: Place, *, today: date) -> Slice[Invoice]:
    """Invoices with their customers, the newest first."""
    rows = _invoices(wanted, today).select_related("customer").defer("seller", "buyer", "tax_summary", "note")
    return read(rows, INVOICES_NEWEST, place)


def invoices_of(customer: Customer, *, limit: int) -> list[Invoice]:
    """A customer's last invoices, drafts among them."""
    rows = Invoice.objects.filter(customer=customer).defer("seller", "buyer", "tax_summary", "note")
    return list(rows.order_by("-created_at", "-id")[:limit])


def invoice_sums(wanted: InvoiceFilter, *, today: date) -> list[CurrencySum] | None:
    """What all the invoices of a list come to, by currency; void ones count, but for no money.

    None of a list too long to be summed for a page: it has to be narrowed first.
    """
    rows = _invoices(wanted, today).values_list("currency", "status", "total", "amount_paid")[: SUMMED + 1]
    counts: dict[str, int] = defaultdict(int)
    totals: dict[str, int] = defaultdict(int)
    unpaid: dict[str, int] = defaultdict(int)
    for currency, status, total, paid in rows:
        counts[currency] += 1
        totals[currency] += 0 if status == Invoice.Status.VOID else total
        unpaid[currency] += total - paid if status == Invoice.Status.OPEN else 0
    if sum(counts.values()) > SUMMED:
        return None
    return [
        CurrencySum(counts[each], Money(totals[each], each), Money(unpaid[each], each))
        for each in sorted(counts)
    ]


def _invoices(wanted: InvoiceFilter, today: date) -> QuerySet[Invoice]:
    rows = Invoice.objects.all()
    if wanted.customer:
        rows = rows.filter(customer=wanted.customer)
    if wanted.status == OVERDUE:
        rows = rows.filter(status=Invoice.Status.OPEN, due_on__lt=today)
    elif state := _PAYMENT_STATES.get(wanted.status):
        tried = Payment.objects.filter(invoice=OuterRef("pk"), state=state)
        rows = rows.filter(Exists(tried), status=Invoice.Status.OPEN)
    elif wanted.status:
        rows = rows.filter(status=wanted.status)
    if wanted.currency:
        rows = rows.filter(currency=wanted.currency)
    if wanted.due_from:
        rows = rows.filter(due_on__gte=wanted.due_from)
    if wanted.due_to:
        rows = rows.filter(due_on__lte=wanted.due_to)
    if search := wanted.search.replace("\0", "").strip():
        of_customers = Customer.objects.filter(matching_customers(search)).values("pk")
        rows = rows.filter(Q(number__icontains=search) | Q(customer__in=of_customers))
    return rows


def products(*, search: str, active: str, place: Place) -> Slice[Product]:
    """Products by name, each with its prices."""
    prices = Price.objects.order_by("-is_active", "currency", "amount")
    rows = Product.objects.prefetch_related(Prefetch("prices", queryset=prices))
    if active:
        rows = rows.filter(is_active=active == "active")
    for word in search.replace("\0", "").split()[:6]:
        rows = rows.filter(Q(name__icontains=word) | Q(code__icontains=word))
    return read(rows, BY_NAME, place)


def prices_of(product: Product) -> list[tuple[Price, int]]:
    """A product's prices, each with the number of its running subscriptions."""
    running = Q(subscriptions__status=Subscription.Status.ACTIVE)
    rows = product.prices.annotate(running=Count("subscriptions", filter=running))
    ordered = rows.order_by("-is_active", "currency", "cycle", "amount")
    return [(price, price.running) for price in ordered]


def offered_prices(currency: str) -> list[Price]:
    """The prices that a new subscription may have: recurring, in use, those of `currency` first."""
    rows = Price.objects.filter(is_active=True, product__is_active=True).exclude(cycle="one_time")
    found = rows.select_related("product").order_by("product__name", "product_id", "currency", "amount")
    return sorted(found, key=lambda price: price.currency != currency)


def billed_lines(subscription: Subscription, *, limit: int = 12) -> list[tuple[InvoiceLine, Period | None]]:
    """What was billed for a subscription, with the invoices, the last first."""
    rows = InvoiceLine.objects.filter(subscription=subscription).select_related("invoice")
    return [(line, span_of(line)) for line in rows.order_by("-period_start", "kind")[:limit]]


def span_of(line: InvoiceLine) -> Period | None:
    """The period that a line pays for, if any."""
    if line.period_start is None or line.period_end is None:
        return None
    return Period(line.period_start, line.period_end)


def runs(place: Place) -> Slice[InvoiceRun]:
    """Invoice runs, the last first."""
    return read(InvoiceRun.objects.all(), Order("started_at", descending=True), place)


def payments_of(customer: Customer, *, limit: int = 10) -> list[PaymentRow]:
    """A customer's last payments."""
    return _payment_rows(Payment.objects.filter(customer=customer).select_related("invoice"), limit)


def payments_for(invoice: Invoice) -> list[PaymentRow]:
    """All payments of an invoice, the last first."""
    return _payment_rows(Payment.objects.filter(invoice=invoice).select_related("payment_method"), 100)


def _payment_rows(rows: QuerySet[Payment], limit: int) -> list[PaymentRow]:
    found = rows.annotate(
        refunded=Sum("refunds__amount", filter=Q(refunds__failed_at__isnull=True)),
        disputed=Exists(Dispute.objects.filter(payment=OuterRef("pk"))),
    ).order_by("-created_at", "-id")[:limit]
    return [
        PaymentRow(each, Money(int(each.refunded or 0), each.currency), bool(each.disputed)) for each in found
    ]


def currencies_in_use(default: str) -> list[str]:
    """The currencies that prices or customers have, the tenant's own first."""
    used = Price.objects.values_list("currency").union(Customer.objects.values_list("currency"))
    return [default, *sorted(code for (code,) in used if code != default)]


def next_number(template: str, prefix: str, on: date) -> str:
    """The number that the next invoice gets, if nothing else is issued before. Raises NumberingError."""
    key = numbering.series_key(template, prefix, on)
    last = NumberSeries.objects.filter(pk=key).values_list("last", flat=True).first() or 0
    return numbering.render(template, prefix, on, last + 1)
