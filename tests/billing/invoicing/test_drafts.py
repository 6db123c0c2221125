"""Invoices written by hand: drafted, changed, issued, voided."""

from datetime import UTC, date, datetime
from typing import Any

import pytest
from django.db import Error, connection, transaction

from audit.actions import Action
from audit.models import AuditEvent
from billing import drafting, issuing, mailing, voiding
from billing.errors import Refused
from billing.ledger_checking import check
from billing.models import Invoice, InvoiceLine, JournalEntry, Payment
from tenants.models import Job
from tests.billing.invoicing import making

DUE = date(2026, 12, 7)
LINES = [
    {"description": "Migration", "amount": 9900, "quantity": 2},
    {"description": "Certificate", "amount": 1190, "tax_inclusive": True},
]


def drafted(actor: Any, now: datetime, **changes: Any) -> Invoice:
    making.vat()
    return drafting.draft(
        changes.pop("customer", None) or making.customer(),
        lines=changes.pop("lines", LINES),
        due_on=changes.pop("due_on", DUE),
        actor=actor,
        now=now,
    )


def test_a_draft_has_sums_and_no_number(tenant: Any, actor: Any, now: datetime) -> None:
    invoice = Invoice.objects.get(pk=drafted(actor, now).pk)
    assert (invoice.status, invoice.number, invoice.issued_on) == ("draft", None, None)
    assert (invoice.subtotal, invoice.tax, invoice.total) == (20_800, 3_952, 24_752)
    assert not JournalEntry.objects.exists()
    assert check().findings == []


def test_issuing_numbers_books_and_mails_it(tenant: Any, actor: Any, now: datetime) -> None:
    invoice = issuing.issue(drafted(actor, now), actor=actor, now=now)
    assert (invoice.status, invoice.number, invoice.issued_on) == ("open", "ALPHA-2026-000001", now.date())
    assert invoice.buyer["name"] == invoice.customer.name
    entry = JournalEntry.objects.get()
    assert set(entry.postings.values_list("account", "amount")) == {
        ("receivable", 24_752),
        ("revenue", -20_800),
        ("tax", -3_952),
    }
    assert Job.objects.get(name="billing.mail_invoice").args == {"invoice_id": str(invoice.pk)}
    assert check().findings == []


def test_issuing_takes_the_rates_of_the_day(tenant: Any, actor: Any, now: datetime) -> None:
    draft = drafted(actor, now, lines=[{"description": "Work", "amount": 1000}])
    draft.customer.country = "FR"
    draft.customer.save()
    assert issuing.issue(draft, actor=actor, now=now).total == 1000


def test_a_day_that_is_past_is_due_at_once(tenant: Any, actor: Any, now: datetime) -> None:
    invoice = issuing.issue(drafted(actor, now, due_on=date(2026, 1, 1)), actor=actor, now=now)
    assert invoice.due_on == now.date()


def test_issuing_twice_is_refused(tenant: Any, actor: Any, now: datetime) -> None:
    draft = drafted(actor, now)
    issuing.issue(draft, actor=actor, now=now)
    with pytest.raises(Refused, match="never changes"):
        issuing.issue(draft, actor=actor, now=now)
    assert Invoice.objects.count() == 1


def test_a_draft_of_nothing_is_paid_once_issued(tenant: Any, actor: Any, now: datetime) -> None:
    draft = drafted(actor, now, lines=[{"description": "Thanks", "amount": 0}])
    invoice = issuing.issue(draft, actor=actor, now=now)
    assert (invoice.status, invoice.paid_at) == ("paid", now)
    assert check().findings == []


def test_changing_a_draft_replaces_its_lines(tenant: Any, actor: Any, now: datetime) -> None:
    draft = drafted(actor, now)
    lines = [{"description": "Other", "amount": 500}]
    drafting.change_draft(draft, lines=lines, due_on=DUE, note="Hello", actor=actor, now=now)
    draft.refresh_from_db()
    assert (draft.total, draft.note, [line.description for line in draft.lines.all()]) == (
        595,
        "Hello",
        ["Other"],
    )
    event = AuditEvent.objects.get(action=Action.INVOICE_DRAFT_CHANGED)
    assert (event.details["before"]["total"], event.details["after"]["total"]) == (24_752, 595)


def test_a_draft_can_be_thrown_away_and_an_issued_one_not(tenant: Any, actor: Any, now: datetime) -> None:
    draft, kept = drafted(actor, now), drafting.draft
    drafting.delete_draft(draft, actor=actor, now=now)
    assert not Invoice.objects.exists()
    issued = kept(making.customer(), lines=LINES, due_on=DUE, actor=actor, now=now)
    issuing.issue(issued, actor=actor, now=now)
    with pytest.raises(Refused):
        drafting.delete_draft(issued, actor=actor, now=now)
    with pytest.raises(Refused):
        drafting.change_draft(issued, lines=LINES, due_on=DUE, actor=actor, now=now)


@pytest.mark.parametrize(
    "line",
    [
        {"description": "", "amount": 1},
        {"description": "a\nb", "amount": 1},
        {"description": "x", "amount": -1},
        {"description": "x", "amount": 1, "quantity": 0},
        {"description": "x", "amount": 2**62, "quantity": 4},
    ],
)
def test_lines_that_cannot_be_are_refused(
    tenant: Any, actor: Any, now: datetime, line: dict[str, Any]
) -> None:
    with pytest.raises(Refused):
        drafted(actor, now, lines=[line])
    assert not Invoice.objects.exists()


def test_no_lines_and_closed_customers_are_refused(tenant: Any, actor: Any, now: datetime) -> None:
    with pytest.raises(Refused, match="lines"):
        drafted(actor, now, lines=[])
    with pytest.raises(Refused, match="closed"):
        drafting.draft(making.customer(status="closed"), lines=LINES, due_on=DUE, actor=actor, now=now)


def test_voiding_takes_the_booking_back_and_keeps_the_number(tenant: Any, actor: Any, now: datetime) -> None:
    invoice = issuing.issue(drafted(actor, now), actor=actor, now=now)
    voided = voiding.void(invoice, actor=actor, now=now, reason="wrong customer")
    assert (voided.status, voided.voided_at, voided.number) == ("void", now, invoice.number)
    assert voided.amount_due.minor == 0
    entry = JournalEntry.objects.get(key=f"invoice:{invoice.pk}:voided")
    assert set(entry.postings.values_list("account", "amount")) == {
        ("receivable", -24_752),
        ("revenue", 20_800),
        ("tax", 3_952),
    }
    assert AuditEvent.objects.get(action=Action.INVOICE_VOIDED).details["reason"] == "wrong customer"
    assert check().findings == []


def test_only_an_open_unpaid_invoice_can_be_voided(tenant: Any, actor: Any, now: datetime) -> None:
    draft = drafted(actor, now)
    with pytest.raises(Refused, match="draft"):
        voiding.void(draft, actor=actor, now=now)
    invoice = issuing.issue(draft, actor=actor, now=now)
    Payment.objects.create(
        invoice=invoice, customer=invoice.customer, method="card", state="sent", amount=1, currency="EUR",
        created_at=now,
    )  # fmt: skip
    with pytest.raises(Refused, match="on its way"):
        voiding.void(invoice, actor=actor, now=now)
    Payment.objects.update(state="failed")
    Invoice.objects.update(amount_paid=1)
    with pytest.raises(Refused, match="refund"):
        voiding.void(invoice, actor=actor, now=now)
    Invoice.objects.update(amount_paid=0)
    voiding.void(invoice, actor=actor, now=now)
    with pytest.raises(Refused, match="void"):
        voiding.void(invoice, actor=actor, now=now)


def test_sending_again_asks_for_the_mail_once_more(tenant: Any, actor: Any, now: datetime) -> None:
    draft = drafted(actor, now)
    with pytest.raises(Refused):
        mailing.send_again(draft, actor=actor, now=now)
    invoice = issuing.issue(draft, actor=actor, now=now)
    mailing.send_again(invoice, actor=actor, now=now)  # it was not mailed yet: still once only
    Invoice.objects.filter(pk=invoice.pk).update(sent_at=now)
    mailing.send_again(invoice, actor=actor, now=now)
    asked = [job.args for job in Job.objects.filter(name="billing.mail_invoice").order_by("id")]
    number = str(invoice.pk)
    assert asked == [
        {"invoice_id": number}, {"invoice_id": number, "again": False}, {"invoice_id": number, "again": True},
    ]  # fmt: skip


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE billing_invoice SET total = total + 1, subtotal = subtotal + 1",
        "UPDATE billing_invoice SET buyer = '{}'",
        "UPDATE billing_invoice SET due_on = due_on + 1",
        "UPDATE billing_invoice SET number = 'X'",
        "UPDATE billing_invoice SET status = 'draft', number = NULL, issued_on = NULL, issued_at = NULL",
        "UPDATE billing_invoiceline SET description = 'x'",
        "DELETE FROM billing_invoiceline",
        "DELETE FROM billing_invoice",
        "UPDATE billing_posting SET amount = amount + 1",
        "DELETE FROM billing_posting",
        "DELETE FROM billing_journalentry",
        "TRUNCATE billing_posting",
    ],
)
def test_the_database_refuses_to_change_what_was_issued(
    tenant: Any, actor: Any, now: datetime, change: str
) -> None:
    issuing.issue(drafted(actor, now), actor=actor, now=now)
    with pytest.raises(Error), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(change)


def test_the_database_refuses_another_line_on_an_issued_invoice(fresh_tenant: Any, actor: Any) -> None:
    now = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
    invoice = issuing.issue(drafted(actor, now), actor=actor, now=now)
    with pytest.raises(Error):
        InvoiceLine.objects.create(
            invoice=invoice, position=9, description="more", unit_amount=0, net=0, tax=0, gross=0
        )


def test_the_database_refuses_an_invoice_that_is_not_the_sum_of_its_lines(
    fresh_tenant: Any, actor: Any
) -> None:
    now = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
    draft = drafted(actor, now)
    with pytest.raises(Error, match="not the sum"):
        Invoice.objects.filter(pk=draft.pk).update(
            status="open", number="X-1", issued_on=DUE, issued_at=now, subtotal=1, tax=0, total=1
        )
