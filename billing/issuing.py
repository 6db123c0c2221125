"""Issuing a draft: from here on it has a number, both parties as they are, and never changes."""

from datetime import datetime

from django.db import transaction

from accounts.models import Customer
from audit.actions import Action
from audit.actors import Actor
from audit.recording import record
from billing import drafting, ledger, scheduling, series, writing
from billing.errors import Refused
from billing.models import BillingSettings, Invoice
from billing.periods import local_date
from billing.series import Drawn
from billing.snapshots import BUYER_FIELDS, party, seller_of
from tenants.context import current_tenant
from tenants.jobs import enqueue


def issue(invoice: Invoice, *, actor: Actor, now: datetime) -> Invoice:
    """Issue the draft, taxed by the rates of now, book it and have it mailed; one of nothing is paid at once.

    Raises `Refused`. Locks customer, invoice, number series.
    """
    with transaction.atomic():
        locked = drafting.lock_draft(invoice.pk)
        if locked.customer.status != Customer.Status.ACTIVE:
            raise Refused("This customer's account is closed. Discard the draft.")
        settings = BillingSettings.objects.defer("logo").get()
        tenant = current_tenant()
        lines = drafting.lines_of(locked)
        document = drafting.price_lines(locked, lines)
        drafting.fill(locked, document)
        drafting.write_lines(locked, lines, document)
        today = local_date(now, tenant.zone)
        locked.status = Invoice.Status.OPEN
        drawn = series.draw(settings, count=1, on=today)[0]
        locked.number = drawn.number
        locked.seller = seller_of(settings, tenant.name)
        locked.buyer = party(locked.customer, BUYER_FIELDS)
        locked.locale = locked.customer.locale
        locked.note = locked.note or settings.invoice_note
        locked.issued_on, locked.issued_at, locked.due_on = today, now, max(locked.due_on, today)
        locked.save()
        _book(locked, drawn, actor=actor, now=now)
        if not locked.total:
            writing.settle_those_of_nothing([(locked.pk, drawn.number)], actor=actor, now=now)
        enqueue("billing.mail_invoice", key=f"mail:{locked.pk}", invoice_id=str(locked.pk))
        scheduling.collect_today(Invoice.objects.filter(pk=locked.pk), today=today)
    locked.refresh_from_db()
    return locked


def _book(invoice: Invoice, drawn: Drawn, *, actor: Actor, now: datetime) -> None:
    details = writing.issue_details(
        drawn, customer=invoice.customer_id, total=invoice.total, currency=invoice.currency
    )
    event = record(Action.INVOICE_ISSUED, subject=("invoice", invoice.pk), actor=actor, now=now, **details)
    entry = writing.issue_entry(
        invoice.pk,
        customer=invoice.customer_id,
        currency=invoice.currency,
        amounts=(invoice.subtotal, invoice.tax, invoice.total),
        audit_event=event,
    )
    assert invoice.issued_on is not None
    ledger.book([entry], now=now, on=invoice.issued_on)
