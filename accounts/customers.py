"""Making and changing customers."""

from datetime import datetime
from typing import Any

from django.db import transaction

from accounts.errors import Refused
from accounts.models import Customer
from audit.actions import Action
from audit.actors import Actor
from audit.recording import record

FIELDS = (
    "name", "business_name", "email", "phone", "address_line1", "address_line2", "city", "state",
    "postal_code", "country", "tax_id", "currency", "locale",
)  # fmt: skip
# Where invoices and pay links go, and what is charged: out of reach for who acts as somebody else.
MONEY = {
    "email": "the e-mail address",
    "country": "the country",
    "tax_id": "the tax ID",
    "currency": "the currency",
}


def create_customer(
    *, actor: Actor, now: datetime, external_id: str | None = None, **fields: Any
) -> Customer:
    """Make a customer from validated fields (see `FIELDS`)."""
    customer = Customer(external_id=external_id or None, created_at=now, **fields)
    with transaction.atomic():
        customer.save(force_insert=True)
        record(
            Action.CUSTOMER_CREATED,
            subject=("customer", customer.id),
            actor=actor,
            now=now,
            personal={"after": _values(customer, FIELDS)},
        )
    return customer


def change_customer(customer: Customer, *, actor: Actor, now: datetime, **fields: Any) -> Customer:
    """Change the fields given; issued invoices keep what stood on them. Locks the customer.

    Raises `Refused` when somebody of the platform, acting as somebody else, reaches for `MONEY`.
    """
    with transaction.atomic():
        locked = Customer.objects.select_for_update(of=("self",), no_key=True).get(pk=customer.pk)
        changed = [name for name, value in fields.items() if getattr(locked, name) != value]
        if not changed:
            return locked
        kept = [said for name, said in MONEY.items() if name in changed]
        if kept and (actor.behind_id or actor.behind_label):
            raise Refused(
                f"Whoever helps as somebody else does not change {' and '.join(kept)}. Nothing is saved."
            )
        before = _values(locked, changed)
        for name in changed:
            setattr(locked, name, fields[name])
        locked.save(update_fields=changed)
        record(
            Action.CUSTOMER_CHANGED,
            subject=("customer", locked.id),
            actor=actor,
            now=now,
            personal={"before": before, "after": _values(locked, changed)},
        )
    return locked


def _values(customer: Customer, names: Any) -> dict[str, Any]:
    return {name: getattr(customer, name) for name in names if getattr(customer, name)}
