"""Getting a rehearsal ready to be paid: an account at the stand-in and a card for every customer."""

from collections.abc import Iterator
from datetime import datetime
from typing import Literal

from accounts.models import Customer
from audit.actors import Actor
from billing import cards, connecting
from billing.models import PaymentMethod
from tenants.context import current_tenant

Autopay = Literal["succeed", "decline"]

# Stripe's test cards: one that is charged, one that is saved but declines when it is charged.
CARDS: dict[Autopay, str] = {"succeed": "pm_card_visa", "decline": "pm_card_chargeCustomerFail"}


def connect(*, actor: Actor, now: datetime) -> None:
    """Connect the tenant entered to an account of its own at the stand-in, unless it is connected."""
    if connecting.current() is None:
        name = f"rehearsal{current_tenant().pk.hex}"
        connecting.connect_by_key(f"rk_test_{name}", f"pk_test_{name}", actor=actor, now=now)


def give_cards(outcome: Autopay, *, actor: Actor, now: datetime) -> Iterator[int]:
    """Save a test card with autopay for each customer that has none; yields how many are done."""
    having = PaymentMethod.objects.filter(is_default=True, removed_at__isnull=True).values("customer_id")
    customers = Customer.objects.filter(status=Customer.Status.ACTIVE).exclude(pk__in=having)
    for done, customer in enumerate(list(customers.order_by("created_at", "id")), start=1):
        cards.add_card(customer, CARDS[outcome], autopay=True, actor=actor, now=now)
        yield done
