"""Drafts: invoices being written by hand, free to change until they are issued."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from accounts.models import Customer
from audit.actions import Action
from audit.actors import Actor
from audit.recording import record
from billing import pricing
from billing.errors import Refused
from billing.models import Invoice, InvoiceLine, TaxRate
from billing.money import Money, MoneyError
from billing.pricing import Document, OneTimeItem, PricingError
from billing.snapshots import tax_summary
from billing.tax import TaxTable

MAX_LINES = 1_000


def draft(
    customer: Customer,
    *,
    lines: Sequence[Mapping[str, Any]],
    due_on: date,
    actor: Actor,
    now: datetime,
    note: str = "",
    currency: str | None = None,
) -> Invoice:
    """Write a draft. A line says `description` and `amount` (minor units of one), and may say `quantity`,
    `tax_class` and `tax_inclusive`.

    Raises `Refused`. Locks the customer.
    """
    with transaction.atomic():
        locked = Customer.objects.select_for_update(of=("self",), no_key=True).get(pk=customer.pk)
        if locked.status != Customer.Status.ACTIVE:
            raise Refused("This customer's account is closed.")
        invoice = Invoice(
            customer=locked,
            currency=currency or locked.currency,
            locale=locked.locale,
            due_on=due_on,
            note=note,
            created_at=now,
        )
        document = price_lines(invoice, lines)
        fill(invoice, document)
        invoice.save(force_insert=True)
        write_lines(invoice, lines, document)
        subject = ("invoice", invoice.pk)
        record(Action.INVOICE_DRAFTED, subject=subject, actor=actor, now=now, after=_shown(invoice))
    return invoice


def change_draft(
    invoice: Invoice,
    *,
    lines: Sequence[Mapping[str, Any]],
    due_on: date,
    actor: Actor,
    now: datetime,
    note: str = "",
) -> Invoice:
    """Write the draft anew; lines are as in `draft`. Raises `Refused`, also when it is issued already."""
    with transaction.atomic():
        locked = lock_draft(invoice.pk)
        before = _shown(locked)
        locked.due_on, locked.note = due_on, note
        document = price_lines(locked, lines)
        fill(locked, document)
        locked.save(update_fields=["due_on", "note", "subtotal", "tax", "total", "tax_summary"])
        write_lines(locked, lines, document)
        subject, after = ("invoice", locked.pk), _shown(locked)
        record(
            Action.INVOICE_DRAFT_CHANGED, subject=subject, actor=actor, now=now, before=before, after=after
        )
    return locked


def delete_draft(invoice: Invoice, *, actor: Actor, now: datetime) -> None:
    """Throw the draft away. Raises `Refused` when it is issued already."""
    with transaction.atomic():
        locked = lock_draft(invoice.pk)
        before = _shown(locked)
        InvoiceLine.objects.filter(invoice=locked).delete()
        Invoice.objects.filter(pk=locked.pk).delete()
        subject = ("invoice", invoice.pk)
        record(Action.INVOICE_DRAFT_DELETED, subject=subject, actor=actor, now=now, before=before)


def lock_draft(invoice_id: UUID) -> Invoice:
    """Lock the customer, then its draft, and return the draft with its customer; raises `Refused`."""
    customer_id = Invoice.objects.values_list("customer_id", flat=True).filter(pk=invoice_id).first()
    if customer_id is None:
        raise Refused("This draft is gone.")
    customer = Customer.objects.select_for_update(of=("self",), no_key=True).get(pk=customer_id)
    invoice = Invoice.objects.select_for_update(of=("self",), no_key=True).filter(pk=invoice_id).first()
    if invoice is None:
        raise Refused("This draft is gone.")
    if invoice.status != Invoice.Status.DRAFT:
        raise Refused("An issued invoice never changes. Void it and write a new one.")
    invoice.customer = customer
    return invoice


def price_lines(invoice: Invoice, lines: Sequence[Mapping[str, Any]]) -> Document:
    """Price and tax lines by today's rates for the invoice's customer; raises `Refused`."""
    if not 1 <= len(lines) <= MAX_LINES:
        raise Refused(f"An invoice has 1 to {MAX_LINES} lines.")
    rates = TaxTable(TaxRate.objects.values_list("tax_class", "country", "rate_ppm", "name"))
    country = invoice.customer.country
    try:
        items = [
            OneTimeItem(
                description=line["description"],
                unit_price=Money(line["amount"], invoice.currency),
                quantity=line.get("quantity", 1),
                rule=rates.rule_for(
                    line.get("tax_class", "standard"), country, inclusive=line.get("tax_inclusive", False)
                ),
            )
            for line in lines
        ]
        document = pricing.document([priced for item in items for priced in pricing.price(item)])
        Money(document.totals.gross, invoice.currency)
    except (PricingError, MoneyError) as error:
        raise Refused(str(error)) from error
    return document


def fill(invoice: Invoice, document: Document) -> None:
    """Put the document's sums on the invoice; does not save it."""
    totals = document.totals
    invoice.subtotal, invoice.tax, invoice.total = totals.net, totals.tax, totals.gross
    invoice.tax_summary = tax_summary(totals.groups)


def write_lines(invoice: Invoice, lines: Sequence[Mapping[str, Any]], document: Document) -> None:
    """Replace the draft's lines. `tax_inclusive` is kept as it was said, even where no tax is due now."""
    InvoiceLine.objects.filter(invoice=invoice).delete()
    parts = zip(lines, document.lines, document.totals.lines, strict=True)
    InvoiceLine.objects.bulk_create(
        InvoiceLine(
            invoice=invoice,
            position=position,
            kind=priced.kind.value,
            description=priced.description,
            quantity=priced.quantity,
            unit_amount=priced.unit_price.minor,
            tax_inclusive=said.get("tax_inclusive", False),
            tax_class=said.get("tax_class", "standard"),
            tax_name=priced.rule.name,
            rate_ppm=priced.rule.rate_ppm,
            net=taxed.net,
            tax=taxed.tax,
            gross=taxed.gross,
        )
        for position, (said, priced, taxed) in enumerate(parts, 1)
    )


def lines_of(invoice: Invoice) -> list[dict[str, Any]]:
    """The lines of a draft as `draft` takes them."""
    rows = InvoiceLine.objects.filter(invoice=invoice).order_by("position")
    return [
        {
            "description": line.description,
            "amount": line.unit_amount,
            "quantity": line.quantity,
            "tax_class": line.tax_class,
            "tax_inclusive": line.tax_inclusive,
        }
        for line in rows
    ]


def _shown(invoice: Invoice) -> dict[str, Any]:
    return {
        "customer": str(invoice.customer_id),
        "total": invoice.total,
        "currency": invoice.currency,
        "due_on": invoice.due_on.isoformat(),
    }
