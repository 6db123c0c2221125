"""Writing many issued invoices at once: rows by COPY, with their audit events, ledger entries and mails."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection

from audit.actions import Action
from audit.actors import Actor
from audit.recording import Note, record_many
from billing import ledger, series
from billing.composing import Bill
from billing.ledger import Entry
from billing.models import BillingSettings
from billing.models.ledger import Account
from billing.money import Money
from billing.series import Drawn
from billing.snapshots import tax_summary, to_json
from tenants.ids import new_id
from tenants.jobs import Asked, enqueue_many

_INVOICES = (
    "COPY billing_invoice (id, number, status, customer_id, currency, locale, subtotal, tax, total,"
    " amount_paid, tax_summary, seller, buyer, note, issued_on, due_on, created_at, issued_at,"
    " collection_paused) FROM STDIN"
)
_LINES = (
    "COPY billing_invoiceline (id, invoice_id, position, subscription_id, kind, description, period_start,"
    " period_end, quantity, unit_amount, tax_inclusive, tax_class, tax_name, rate_ppm, net, tax, gross)"
    " FROM STDIN"
)


@dataclass(frozen=True, slots=True)
class Issuing:
    """What all invoices of one transaction have in common."""

    settings: BillingSettings
    seller: str
    today: date
    now: datetime
    actor: Actor


class Billed(NamedTuple):
    """A bill, and who gets it; `buyer` is the snapshot as JSON."""

    customer: UUID
    locale: str
    buyer: str
    bill: Bill


class Written(NamedTuple):
    """An invoice that was written."""

    id: UUID
    drawn: Drawn
    billed: Billed


def write(billed: Sequence[Billed], issuing: Issuing) -> list[Written]:
    """Write bills as open invoices, numbered in this order; those of nothing are paid at once.

    Needs an open transaction; locks the number series and the audit chain until its end.
    """
    drawn = series.draw(issuing.settings, count=len(billed), on=issuing.today)
    written = [Written(new_id(), number, each) for number, each in zip(drawn, billed, strict=True)]
    with connection.cursor() as cursor:
        with cursor.copy(_INVOICES) as copy:
            for each in written:
                copy.write_row(_invoice_row(each, issuing))
        with cursor.copy(_LINES) as copy:
            for each in written:
                for row in _line_rows(each):
                    copy.write_row(row)
    events = record_many([_note(each) for each in written], actor=issuing.actor, now=issuing.now)
    entries = [_entry(each, event) for each, event in zip(written, events, strict=True)]
    ledger.book(entries, now=issuing.now, on=issuing.today)
    free = [(each.id, each.drawn.number) for each in written if not each.billed.bill.totals.gross]
    settle_those_of_nothing(free, actor=issuing.actor, now=issuing.now)
    enqueue_many(
        [
            Asked("billing.mail_invoice", {"invoice_id": str(each.id)}, key=f"mail:{each.id}")
            for each in written
        ]
    )
    return written


def issue_details(drawn: Drawn, *, customer: UUID, total: int, currency: str) -> dict[str, Any]:
    """What the audit event of an issue tells; the ledger check reads the number and its series."""
    after = {"number": drawn.number, "customer": str(customer), "total": total, "currency": currency}
    return {"after": after, "series": drawn.series, "n": drawn.n}


def issue_entry(
    invoice: UUID,
    *,
    customer: UUID,
    currency: str,
    amounts: tuple[int, int, int],
    audit_event: UUID,
    verb: str = "issued",
) -> Entry:
    """What issuing books: the customer owes gross, which is revenue and tax. Amounts: net, tax, gross.

    Voiding books the same with all amounts negative.
    """
    net, tax, gross = amounts
    postings = (
        (Account.RECEIVABLE, Money(gross, currency)),
        (Account.REVENUE, Money(-net, currency)),
        (Account.TAX, Money(-tax, currency)),
    )
    return Entry(f"invoice:{invoice}:{verb}", audit_event, postings, customer, invoice)


def settle_those_of_nothing(free: Sequence[tuple[UUID, str]], *, actor: Actor, now: datetime) -> None:
    """Mark issued invoices (id, number) that ask for nothing as paid."""
    if not free:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE billing_invoice SET status = 'paid', paid_at = %s WHERE id = ANY(%s)",
            [now, [invoice for invoice, _ in free]],
        )
    notes = [
        Note(Action.INVOICE_PAID, "invoice", str(invoice), {"number": number, "total": 0})
        for invoice, number in free
    ]
    record_many(notes, actor=actor, now=now)


def _invoice_row(each: Written, issuing: Issuing) -> tuple[Any, ...]:
    bill, totals, now = each.billed.bill, each.billed.bill.totals, issuing.now
    return (
        each.id, each.drawn.number, "open", each.billed.customer, bill.currency, each.billed.locale,
        totals.net, totals.tax, totals.gross, 0, to_json(tax_summary(totals.groups)), issuing.seller,
        each.billed.buyer, issuing.settings.invoice_note, issuing.today, max(bill.day, issuing.today),
        now, now, False,
    )  # fmt: skip


def _line_rows(each: Written) -> Iterable[tuple[Any, ...]]:
    bill = each.billed.bill
    pairs = zip(bill.charges, bill.totals.lines, strict=True)
    for position, ((subscription, tax_class, line), taxed) in enumerate(pairs, 1):
        rule = line.rule
        start, end = line.period if line.period is not None else (None, None)
        yield (
            new_id(), each.id, position, subscription, line.kind.value, line.description, start, end,
            line.quantity, line.unit_price.minor, rule.inclusive, tax_class, rule.name, rule.rate_ppm,
            taxed.net, taxed.tax, taxed.gross,
        )  # fmt: skip


def _note(each: Written) -> Note:
    bill = each.billed.bill
    details = issue_details(
        each.drawn, customer=each.billed.customer, total=bill.totals.gross, currency=bill.currency
    )
    return Note(Action.INVOICE_ISSUED, "invoice", str(each.id), details)


def _entry(each: Written, event: UUID) -> Entry:
    bill = each.billed.bill
    amounts = (bill.totals.net, bill.totals.tax, bill.totals.gross)
    return issue_entry(
        each.id, customer=each.billed.customer, currency=bill.currency, amounts=amounts, audit_event=event
    )
