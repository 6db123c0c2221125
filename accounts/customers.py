"""Making and changing customers."""

from datetime import datetime
from typing import Any

from django.db import transaction

from accounts.models import Customer
from audit.actions import Action
from audit.actors import Actor
from audit.recording import record

FIELDS = (
    "name", "business_name", "email", "phone", "address_line1", "address_line2", "city", "state",
    "postal_code", "country", "tax_id", "currency", "locale",
)  # fmt: skip


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
    """Change the fields given; issued invoices keep what stood on them. Locks the customer."""
    with transaction.atomic():
        locked = Customer.objects.select_for_update(of=("self",), no_key=True).get(pk=customer.pk)
        changed = [name for name, value in fields.items() if getattr(locked, name) != value]
        if not changed:
            return locked
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
