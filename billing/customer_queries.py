"""What one customer may see of its own: every read here is scoped by the customer, drafts never show."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from django.db.models import Count, Exists, F, Min, Q, QuerySet, Sum

from accounts.models import Contact, Customer, User
from billing import scheduling
from billing.composing import Bill, Due, compose
from billing.models import (
    Dispute,
    Invoice,
    InvoiceLine,
    Payment,
    PaymentMethod,
    PaymentProfile,
    Refund,
    StripeConnection,
    Subscription,
    TaxRate,
)
from billing.money import Money
from billing.paging import Order, Place, Slice, read
from billing.periods import Period
from billing.tax import TaxTable

OVERDUE = "overdue"
STATUSES = (Invoice.Status.OPEN, Invoice.Status.PAID, Invoice.Status.VOID)
NEWEST = Order("created_at", descending=True)


@dataclass(frozen=True, slots=True)
class Balance:
    """What is due in one currency: how many invoices, since when, and the one that is due first."""

    amount: Money
    invoices: int
    oldest_due_on: date
    overdue: Money


@dataclass(frozen=True, slots=True)
class Renewal:
    """What will be billed on one day in one currency, tax included."""

    day: date
    amount: Money
    names: Sequence[str]


@dataclass(frozen=True, slots=True)
class Autopay:
    """Whether the customer chose autopay, and why nothing is charged for now ("" if it is)."""

    on: bool = False
    paused_reason: str = ""

    @property
    def charges(self) -> bool:
        return self.on and not self.paused_reason


@dataclass(frozen=True, slots=True)
class Charge:
    """What autopay charges on a day; `invoice` if it is written already."""

    day: date
    amount: Money
    invoice: Invoice | None = None


@dataclass(frozen=True, slots=True)
class InvoiceFilter:
    """What the invoice list is narrowed to; empty fields narrow nothing. `status` may be `overdue`."""

    search: str = ""
    status: str = ""
    year: int | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """A line of an invoice with the days that it pays for."""

    row: InvoiceLine
    amount: Money
    unit_price: Money
    period: Period | None


@dataclass(frozen=True, slots=True)
class Tax:
    """The tax of one rate on an invoice."""

    name: str
    rate_ppm: int
    amount: Money


@dataclass(frozen=True, slots=True)
class Happening:
    """One entry of an invoice's timeline."""

    at: datetime
    words: str
    tone: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True)
class InvoiceView:
    """An invoice with everything that its page shows."""

    invoice: Invoice
    lines: Sequence[Line]
    taxes: Sequence[Tax]
    payments: Sequence[Payment]
    refunds: Sequence[Refund]
    timeline: Sequence[Happening]
    in_flight: Payment | None


def contacts_as(user: User) -> list[Contact]:
    """As which contacts the user may act, by their customers' names; each knows this very user."""
    rows = list(Contact.objects.filter(user=user).select_related("customer"))
    for each in rows:
        each.user = user
    return sorted(rows, key=lambda each: (str(each.customer).lower(), each.customer_id))


def balances(customer: Customer, *, today: date) -> list[Balance]:
    """What the customer owes on open invoices, by currency, that due first at the top."""
    left, is_late = F("total") - F("amount_paid"), Q(due_on__lt=today)
    rows = (
        _open(customer)
        .values_list("currency")
        .annotate(due=Sum(left), number=Count("id"), oldest=Min("due_on"), late=Sum(left, filter=is_late))
    )
    found = [
        Balance(Money(int(due), currency), count, oldest, Money(int(late or 0), currency))
        for currency, due, count, oldest, late in rows
    ]
    return sorted(found, key=lambda each: (each.oldest_due_on, each.amount.currency))


def first_due(customer: Customer, *, limit: int) -> list[Invoice]:
    """The open invoices, that due first at the top."""
    return list(_open(customer).order_by("due_on", "created_at", "id")[:limit])


def recent(customer: Customer, *, limit: int) -> list[Invoice]:
    """The newest invoices."""
    return list(_issued(customer).order_by(*NEWEST.names())[:limit])


def renewals(customer: Customer, *, limit: int) -> list[Renewal]:
    """What is billed next, priced and taxed by the code that will bill it."""
    if customer.status != Customer.Status.ACTIVE:
        return []
    running = Subscription.objects.filter(customer=customer, status=Subscription.Status.ACTIVE)
    keys = running.values_list("next_due_on", "price__currency").distinct()
    firsts = sorted(keys.order_by("next_due_on", "price__currency")[:limit])
    wanted = Q(pk__in=[])
    for day, currency in firsts:
        wanted |= Q(next_due_on=day, price__currency=currency)
    groups: dict[tuple[date, str], list[Due]] = defaultdict(list)
    for each in running.filter(wanted).select_related("price__product").order_by("id"):
        assert each.next_due_on is not None
        groups[each.next_due_on, each.price.currency].append(_due(each))
    rows = TaxRate.objects.filter(country=customer.country)
    rates = TaxTable(rows.values_list("tax_class", "country", "rate_ppm", "name"))
    return [
        _renewal(bill)
        for (day, _), dues in sorted(groups.items())
        for bill in compose(dues, country=customer.country, rates=rates, until=day).bills
    ]


def invoices(customer: Customer, wanted: InvoiceFilter, place: Place, *, today: date) -> Slice[Invoice]:
    """One page of the customer's invoices, the newest first."""
    rows = _issued(customer).defer("seller", "buyer", "tax_summary", "note")
    if wanted.status == OVERDUE:
        rows = rows.filter(status=Invoice.Status.OPEN, due_on__lt=today)
    elif wanted.status:
        rows = rows.filter(status=wanted.status)
    if wanted.year:
        rows = rows.filter(issued_on__year=wanted.year)
    if search := wanted.search.replace("\0", "").strip():
        rows = rows.filter(number__icontains=search)
    return read(rows, NEWEST, place)


def counts(customer: Customer, *, today: date) -> dict[str, int]:
    """How many invoices there are of each status, overdue ones and all ("") besides."""
    late = Q(status=Invoice.Status.OPEN, due_on__lt=today)
    each = {str(status): Count("id", filter=Q(status=status)) for status in STATUSES}
    row = _issued(customer).aggregate(all=Count("id"), overdue=Count("id", filter=late), **each)
    return {"" if name == "all" else name: int(number) for name, number in row.items()}


def years(customer: Customer) -> list[int]:
    """The years in which the customer was billed, the last first."""
    return [day.year for day in _issued(customer).dates("issued_on", "year", order="DESC")]


def invoice(customer: Customer, invoice_id: UUID) -> Invoice:
    """One issued invoice of the customer; raises `Invoice.DoesNotExist`."""
    return _issued(customer).get(pk=invoice_id)


def invoice_view(customer: Customer, invoice_id: UUID) -> InvoiceView:
    """One issued invoice of the customer with all that belongs to it; raises `Invoice.DoesNotExist`."""
    found = invoice(customer, invoice_id)
    payments = list(
        Payment.objects.filter(invoice=found).select_related("payment_method").order_by("-created_at", "-id")
    )
    refunds = list(Refund.objects.filter(payment__invoice=found).order_by("-created_at", "-id"))
    disputes = list(Dispute.objects.filter(payment__invoice=found).order_by("-opened_at", "-id"))
    return InvoiceView(
        invoice=found,
        lines=[_line(row, found.currency) for row in found.lines.all()],
        taxes=[
            Tax(each["name"], each["rate_ppm"], Money(each["tax"], found.currency))
            for each in found.tax_summary
            if each["rate_ppm"]
        ],
        payments=payments,
        refunds=refunds,
        timeline=_timeline(found, payments, refunds, disputes),
        in_flight=next((each for each in payments if each.state in Payment.IN_FLIGHT), None),
    )


def cards(customer: Customer) -> list[PaymentMethod]:
    """The saved cards, the default one first."""
    rows = PaymentMethod.objects.filter(customer=customer, removed_at__isnull=True)
    return list(rows.order_by("-is_default", "-saved_at", "-id"))


def card(customer: Customer, card_id: UUID) -> PaymentMethod:
    """One saved card of the customer; raises `PaymentMethod.DoesNotExist`."""
    return PaymentMethod.objects.get(pk=card_id, customer=customer, removed_at__isnull=True)


def default_card(customer: Customer) -> PaymentMethod | None:
    """The card that autopay charges."""
    return PaymentMethod.objects.filter(customer=customer, is_default=True, removed_at__isnull=True).first()


def autopay_of(customer: Customer) -> Autopay:
    """Whether the default card is charged by itself, and why not for now."""
    row = PaymentProfile.objects.filter(customer=customer).values_list("autopay", "paused_reason").first()
    return Autopay(*row) if row else Autopay()


def next_charge(customer: Customer, *, today: date) -> Charge | None:
    """What autopay charges next: an invoice that it has not tried, or what is billed before it falls due."""
    rows = _open(customer).filter(~Exists(scheduling.tried(today)), total__gt=0, collection_paused=False)
    first = rows.order_by("due_on", "created_at", "id").first()
    found = [Charge(max(first.due_on, today), first.amount_due, first)] if first else []
    found += [Charge(max(each.day, today), each.amount) for each in renewals(customer, limit=1)]
    return min(found, key=lambda each: each.day, default=None)


def takes_cards() -> bool:
    """Whether the business can be paid by card at all."""
    return StripeConnection.objects.filter(disconnected_at__isnull=True).exists()


def _issued(customer: Customer) -> QuerySet[Invoice]:
    return Invoice.objects.filter(customer=customer).exclude(status=Invoice.Status.DRAFT)


def _open(customer: Customer) -> QuerySet[Invoice]:
    return Invoice.objects.filter(customer=customer, status=Invoice.Status.OPEN)


def _due(each: Subscription) -> Due:
    price = each.price
    return Due(
        subscription=each.pk,
        customer=each.customer_id,
        description=each.description or price.product.name,
        quantity=each.quantity,
        anchored_on=each.anchored_on,
        next_index=each.next_index,
        setup_billed=each.setup_billed,
        cycle=price.cycle,
        currency=price.currency,
        amount=price.amount,
        setup_fee=price.setup_fee,
        tax_inclusive=price.tax_inclusive,
        tax_class=price.product.tax_class,
    )


def _renewal(bill: Bill) -> Renewal:
    names = [charge.line.description for charge in bill.charges]
    return Renewal(bill.day, Money(bill.totals.gross, bill.currency), names)


def _line(row: InvoiceLine, currency: str) -> Line:
    span = Period(row.period_start, row.period_end) if row.period_start and row.period_end else None
    amount = row.gross if row.tax_inclusive else row.net
    return Line(row, Money(amount, currency), Money(row.unit_amount, currency), span)


def _timeline(
    of: Invoice, payments: Iterable[Payment], refunds: Iterable[Refund], disputes: Iterable[Dispute]
) -> list[Happening]:
    """What happened to the invoice, the last first."""
    found: list[Happening] = []
    if of.issued_at:
        found.append(Happening(of.issued_at, "Issued"))
    if of.sent_at:
        found.append(Happening(of.sent_at, "Sent by mail"))
    for payment in payments:
        at = payment.settled_at or payment.created_at
        if payment.state == Payment.State.SUCCEEDED:
            found.append(Happening(at, "Payment received", "good", said_of(payment)))
        elif payment.state == Payment.State.FAILED:
            found.append(Happening(at, "Payment failed", "bad", payment.failure_message))
    found.extend(Happening(each.created_at, "Refunded", "info") for each in refunds)
    found.extend(Happening(each.opened_at, "Payment disputed", "warn") for each in disputes)
    if of.voided_at:
        found.append(Happening(of.voided_at, "Voided", detail="Nothing is to be paid for it."))
    return sorted(found, key=lambda each: each.at, reverse=True)


def said_of(payment: Payment) -> str:
    """How it was paid: the card as its owner knows it, or the way."""
    method = payment.payment_method
    if method is not None and method.last4:
        return f"{brand_name(method.brand)} •••• {method.last4}"
    return "Recorded by hand" if payment.method == Payment.Method.MANUAL else "Card"


def brand_name(brand: str) -> str:
    """A card's brand as it is written."""
    names = {"visa": "Visa", "mastercard": "Mastercard", "amex": "American Express", "jcb": "JCB"}
    names |= {"unionpay": "UnionPay", "diners": "Diners Club", "discover": "Discover"}
    return names.get(brand, brand.replace("_", " ").title() or "Card")
