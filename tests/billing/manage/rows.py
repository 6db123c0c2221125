"""Many rows at once, and one of each thing that has a page."""

from datetime import date, datetime, timedelta
from typing import Any

from django.db import transaction

from accounts.models import Contact, Customer, User
from audit.actions import Action
from audit.actors import Actor
from audit.recording import Note, record_many
from billing import drafting, issuing
from billing.models import (
    Invoice,
    InvoiceLine,
    InvoiceRun,
    Payment,
    PaymentMethod,
    Price,
    Product,
    Subscription,
)

LINE = {"description": "Moving house", "amount": 9900}


def draft(customer: Customer, *, actor: Any, now: datetime, **line: Any) -> Invoice:
    """A draft of one line, due in two weeks."""
    return drafting.draft(
        customer, lines=[LINE | line], due_on=now.date() + timedelta(days=14), actor=actor, now=now
    )


def issued(customer: Customer, *, actor: Any, now: datetime, **line: Any) -> Invoice:
    """An open invoice of one line."""
    return issuing.issue(draft(customer, actor=actor, now=now, **line), actor=actor, now=now)


def fill(number: int, *, now: datetime, mark: str = "") -> None:
    """Put `number` of everything into the tenant entered; `mark` tells one filling from another."""
    customers = Customer.objects.bulk_create(
        Customer(
            name=f"Customer {mark}{at:05}",
            email=f"c{at}@many.example",
            country="DE",
            currency="EUR",
            created_at=now,
        )
        for at in range(number)
    )
    products = Product.objects.bulk_create(
        Product(code=f"p-{mark}{at}", name=f"Product {at:05}", created_at=now) for at in range(number)
    )
    prices = Price.objects.bulk_create(
        Price(product=product, currency="EUR", cycle="monthly", amount=100, created_at=now)
        for product in products
    )
    Subscription.objects.bulk_create(
        Subscription(
            customer=customer, price=price, started_on=date(2026, 1, 1), anchored_on=date(2026, 1, 1),
            next_due_on=date(2027, 1, 1), created_at=now,
        )
        for customer, price in zip(customers, prices, strict=True)
    )  # fmt: skip
    _invoices(customers, now=now, mark=mark)
    InvoiceRun.objects.bulk_create(
        InvoiceRun(started_at=now + timedelta(seconds=at), finished_at=now, run_for=date(2026, 12, 7))
        for at in range(number)
    )
    notes = [Note(Action.CUSTOMER_CREATED, "customer", str(customer.pk)) for customer in customers]
    with transaction.atomic():
        record_many(notes, actor=Actor.system("tests"), now=now)


def _invoices(customers: list[Customer], *, now: datetime, mark: str = "") -> None:
    invoices = Invoice.objects.bulk_create(
        Invoice(
            customer=customer, currency="EUR", status="open", number=f"M{mark}-{at:06}", subtotal=100,
            total=100, issued_on=now.date(), issued_at=now, due_on=date(2026, 11, 1), created_at=now,
        )
        for at, customer in enumerate(customers)
    )  # fmt: skip
    InvoiceLine.objects.bulk_create(
        InvoiceLine(
            invoice=invoice, position=1, description="Many", unit_amount=100, net=100, tax=0, gross=100
        )
        for invoice in invoices
    )
    Payment.objects.bulk_create(
        Payment(
            invoice=invoice, customer_id=invoice.customer_id, method="autopay", state="failed", amount=100,
            currency="EUR", created_at=now,
        )
        for invoice in invoices
    )  # fmt: skip


def fill_one(customer: Customer, subscription: Subscription, number: int, *, now: datetime) -> None:
    """Give one customer `number` of everything."""
    _invoices([customer] * number, now=now, mark=str(number))
    Subscription.objects.bulk_create(
        Subscription(
            customer=customer, price=subscription.price, started_on=date(2026, 1, 1),
            anchored_on=date(2026, 1, 1), next_due_on=date(2027, 1, 1), created_at=now,
        )
        for _ in range(number)
    )  # fmt: skip
    users = User.objects.bulk_create(
        User(email=f"u{number}.{at}@many.example", name=f"User {at}", role="contact", created_at=now)
        for at in range(min(number, 20))
    )
    Contact.objects.bulk_create(Contact(user=user, customer=customer, created_at=now) for user in users)
    PaymentMethod.objects.create(
        customer=customer, external_id=f"pm_{number}", brand="visa", last4="4242", saved_at=now
    )
