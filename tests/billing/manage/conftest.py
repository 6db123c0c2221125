"""Browsers of the tenant's people, and things to see on their pages."""

from collections.abc import Callable
from datetime import date, datetime
from typing import Any

import pytest
from django.test import Client

from accounts.models import Customer, User
from accounts.people import create_user
from billing.models import Price, Product, Subscription, TaxRate
from tests.accounts.conftest import people
from tests.logging_in import enter

__all__ = ["people"]

HOST = {"host": "alpha.localhost"}


@pytest.fixture
def person(tenant: Any, actor: Any, now: datetime) -> Callable[..., User]:
    """Make a user of the tenant."""

    def make(role: str) -> User:
        return create_user(
            email=f"{role}@lind.example", name=f"The {role}", role=role, password=None, actor=actor, now=now
        )

    return make


@pytest.fixture
def browse(person: Callable[..., User]) -> Callable[[str], Client]:
    """A browser in which a person of this role is logged in."""

    def make(role: str) -> Client:
        client = Client(headers=HOST)
        enter(client, person(role))
        return client

    return make


@pytest.fixture
def staff(browse: Callable[[str], Client]) -> Client:
    return browse("billing")


@pytest.fixture
def owner(browse: Callable[[str], Client]) -> Client:
    return browse("owner")


@pytest.fixture
def customer(tenant: Any, now: datetime) -> Customer:
    return Customer.objects.create(
        name="Ida Holm", business_name="Holm Boats", email="ida@holm.example", country="DE", currency="EUR",
        city="Kiel", created_at=now,
    )  # fmt: skip


@pytest.fixture
def price(tenant: Any, now: datetime) -> Price:
    """€10.00 a month, €5.00 setup, taxed at 19 % in Germany."""
    TaxRate.objects.create(tax_class="standard", country="DE", name="VAT", rate_ppm=190_000)
    product = Product.objects.create(code="hosting", name="Hosting", created_at=now)
    return Price.objects.create(
        product=product, currency="EUR", cycle="monthly", amount=1000, setup_fee=500, created_at=now
    )


@pytest.fixture
def subscription(customer: Customer, price: Price, now: datetime) -> Subscription:
    """Started on 31 January 2026; its next period starts on 30 November."""
    return Subscription.objects.create(
        customer=customer, price=price, started_on=date(2026, 1, 31), anchored_on=date(2026, 1, 31),
        next_index=10, next_due_on=date(2026, 11, 30), setup_billed=True, created_at=now,
    )  # fmt: skip
