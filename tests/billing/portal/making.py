"""Customers with log-ins, subscriptions and invoices, for the tests of the portal."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from accounts.customers import create_customer
from accounts.models import Customer, User
from accounts.people import add_contact, create_user
from audit.actors import Actor
from billing.models import (
    Invoice,
    InvoiceLine,
    Payment,
    PaymentMethod,
    PaymentProfile,
    Price,
    Product,
    Subscription,
    TaxRate,
)

PASSWORD = "four words of a garden"
NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
TODAY = NOW.date()
ACTOR = Actor.system("tests")


@dataclass(frozen=True)
class Account:
    """A customer and the person who acts for it."""

    customer: Customer
    user: User


def customer(name: str = "Nora Lind", **fields: Any) -> Customer:
    values = {
        "business_name": "Lind & Söhne GmbH", "email": "nora@lind.example",
        "country": "DE", "currency": "EUR",
        "address_line1": "Hafenstraße 12", "city": "Hamburg", "postal_code": "20457",
    } | fields  # fmt: skip
    return create_customer(actor=ACTOR, now=NOW, name=name, **values)


def person(email: str, role: str = User.Role.CONTACT, name: str = "Nora Lind") -> User:
    return create_user(email=email, name=name, role=role, password=PASSWORD, actor=ACTOR, now=NOW)


def account(email: str = "nora@lind.example", **fields: Any) -> Account:
    """A customer with one contact who can log in."""
    made, user = customer(**{"email": email} | fields), person(email)
    add_contact(user, made, actor=ACTOR, now=NOW)
    return Account(made, user)


def price(name: str = "Web hosting M", amount: int = 1400, currency: str = "EUR", **more: Any) -> Price:
    values = {"cycle": "monthly"} | more
    code = name.lower().replace(" ", "-").replace(".", "-")
    product, _ = Product.objects.get_or_create(code=code, defaults={"name": name, "created_at": NOW})
    made, _ = Price.objects.get_or_create(
        product=product, currency=currency, amount=amount, **values, defaults={"created_at": NOW}
    )
    return made


def tax_rate(country: str = "DE", name: str = "VAT", rate_ppm: int = 190_000) -> TaxRate:
    return TaxRate.objects.create(tax_class="standard", country=country, name=name, rate_ppm=rate_ppm)


def subscription(owner: Customer, of: Price, due: date, **more: Any) -> Subscription:
    values = {"started_on": due, "anchored_on": due, "setup_billed": True, "created_at": NOW} | more
    return Subscription.objects.create(customer=owner, price=of, next_due_on=due, **values)


_count = iter(range(1, 10_000_000))


def invoice(
    owner: Customer,
    *,
    due: date,
    lines: tuple[tuple[str, int], ...] = (("Web hosting M", 1400),),
    **more: Any,
) -> Invoice:
    """An issued invoice with 19 % tax on its lines; `issued` days before it is due, 14 unless told."""
    issued_on = due - timedelta(days=more.pop("issued", 14))
    at = datetime(issued_on.year, issued_on.month, issued_on.day, 5, tzinfo=UTC)
    net = sum(amount for _, amount in lines)
    tax = sum(amount * 19 // 100 for _, amount in lines)
    values = {
        "status": Invoice.Status.OPEN, "currency": owner.currency, "number": f"ALPHA-2026-{next(_count):06d}",
        "seller": {"business_name": "Alpha Hosting", "country": "DE"},
        "buyer": {"name": owner.name, "business_name": owner.business_name, "country": owner.country},
        "issued_on": issued_on, "issued_at": at, "created_at": at, "sent_at": at + timedelta(minutes=2),
    } | more  # fmt: skip
    made = Invoice.objects.create(
        customer=owner, due_on=due, subtotal=net, tax=tax, total=net + tax,
        tax_summary=[{"name": "VAT", "rate_ppm": 190_000, "net": net, "tax": tax}], **values,
    )  # fmt: skip
    InvoiceLine.objects.bulk_create(
        InvoiceLine(
            invoice=made, position=at_, description=words, unit_amount=amount, net=amount,
            tax=amount * 19 // 100, gross=amount + amount * 19 // 100, tax_name="VAT", rate_ppm=190_000,
            kind="recurring", period_start=due, period_end=due + timedelta(days=30),
        )
        for at_, (words, amount) in enumerate(lines, 1)
    )  # fmt: skip
    return made


def draft(owner: Customer) -> Invoice:
    return Invoice.objects.create(customer=owner, currency=owner.currency, due_on=TODAY, created_at=NOW)


def pay(of: Invoice, *, card: PaymentMethod | None = None, at: datetime = NOW) -> Payment:
    """Settle the whole invoice."""
    payment = Payment.objects.create(
        invoice=of, customer_id=of.customer_id, method="autopay" if card else "card", state="succeeded",
        amount=of.total, currency=of.currency, payment_method=card, created_at=at, settled_at=at,
    )  # fmt: skip
    Invoice.objects.filter(pk=of.pk).update(status="paid", amount_paid=of.total, paid_at=at)
    of.refresh_from_db()
    return payment


def card(owner: Customer, last4: str = "4242", *, default: bool = True, **more: Any) -> PaymentMethod:
    values = {"brand": "visa", "exp_month": 8, "exp_year": 2029, "saved_at": NOW} | more
    return PaymentMethod.objects.create(
        customer=owner, external_id=f"pm_{next(_count)}", last4=last4, is_default=default, **values
    )


def autopay(owner: Customer, *, on: bool = True) -> PaymentProfile:
    return PaymentProfile.objects.update_or_create(customer=owner, defaults={"autopay": on})[0]
