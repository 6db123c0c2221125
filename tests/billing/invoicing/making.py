"""What runs bill: customers, prices and subscriptions, straight into the tables."""

from datetime import UTC, date, datetime
from itertools import count
from typing import Any

from accounts.models import Customer
from billing.models import Price, Product, Subscription, TaxRate

CREATED = datetime(2026, 1, 2, 12, tzinfo=UTC)
_numbers = count(1)


def customer(**changes: Any) -> Customer:
    number = next(_numbers)
    values = {
        "name": f"Kunde {number}",
        "email": f"kunde{number}@customer.example",
        "country": "DE",
        "city": "Berlin",
        "currency": "EUR",
        "locale": "de",
        "created_at": CREATED,
    }
    return Customer.objects.create(**(values | changes))


def price(amount: int = 1000, **changes: Any) -> Price:
    number = next(_numbers)
    tax_class = changes.pop("tax_class", "standard")
    name = changes.pop("name", f"Hosting {number}")
    product = Product.objects.create(
        code=f"hosting-{number}", name=name, tax_class=tax_class, created_at=CREATED
    )
    values = {"currency": "EUR", "cycle": "monthly", "created_at": CREATED}
    return Price.objects.create(product=product, amount=amount, **(values | changes))


def subscription(
    of: Customer | None = None, at: Price | None = None, due: date = date(2026, 12, 1), **changes: Any
) -> Subscription:
    values: dict[str, Any] = {
        "started_on": due,
        "anchored_on": due,
        "next_due_on": due,
        "created_at": CREATED,
    }
    return Subscription.objects.create(customer=of or customer(), price=at or price(), **(values | changes))


def vat(rate_ppm: int = 190_000, country: str = "DE", tax_class: str = "standard") -> TaxRate:
    return TaxRate.objects.create(country=country, tax_class=tax_class, name="USt", rate_ppm=rate_ppm)
