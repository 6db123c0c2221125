"""Voiding: an invoice that should not be is taken back whole, and keeps its number."""

from datetime import datetime

from django.db import transaction

from accounts.models import Customer
from audit.actions import Action
from audit.actors import Actor
from audit.recording import record
from billing import ledger, writing
from billing.errors import Refused
from billing.models import Invoice, Payment
from billing.periods import local_date
from tenants.context import current_tenant


def void(invoice: Invoice, *, actor: Actor, now: datetime, reason: str = "") -> Invoice:
    """Void an open invoice on which nothing was paid and nothing is being paid; books the reverse.

    Raises `Refused`. Locks customer, invoice. Periods billed on it stay billed.
    """
    with transaction.atomic():
        Customer.objects.select_for_update(of=("self",), no_key=True).get(pk=invoice.customer_id)
        locked = Invoice.objects.select_for_update(of=("self",), no_key=True).get(pk=invoice.pk)
        _check(locked)
        locked.status, locked.voided_at = Invoice.Status.VOID, now
        locked.save(update_fields=["status", "voided_at"])
        event = record(
            Action.INVOICE_VOIDED,
            subject=("invoice", locked.pk),
            actor=actor,
            now=now,
            before={"status": "open"},
            after={"status": "void"},
            number=locked.number,
            reason=reason,
        )
        entry = writing.issue_entry(
            locked.pk,
            customer=locked.customer_id,
            currency=locked.currency,
            amounts=(-locked.subtotal, -locked.tax, -locked.total),
            audit_event=event,
            verb="voided",
        )
        ledger.book([entry], now=now, on=local_date(now, current_tenant().zone))
    return locked


def _check(invoice: Invoice) -> None:
    if invoice.status == Invoice.Status.DRAFT:
        raise Refused("A draft is not void; delete it.")
    if invoice.status != Invoice.Status.OPEN:
        raise Refused(
            f"This invoice is {invoice.get_status_display().lower()}; only an open one can be voided."
        )
    if invoice.amount_paid:
        raise Refused("Something was paid on this invoice already; refund it instead.")
    if Payment.objects.filter(invoice=invoice, state__in=Payment.IN_FLIGHT).exists():
        raise Refused(
            "A payment for this invoice is on its way. Wait for it, or end it on the invoice's page."
        )
