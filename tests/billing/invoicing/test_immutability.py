"""The database itself keeps issued invoices as they are, whatever the code asks."""

from datetime import date, datetime
from typing import Any

import pytest
from django.db import Error, connection, transaction

from billing import drafting, issuing
from billing.models import Invoice, InvoiceLine
from tests.billing.invoicing import making

LINES = [{"description": "Migration", "amount": 9900}]


@pytest.fixture
def draft(tenant: Any, actor: Any, now: datetime) -> Invoice:
    return _drafted(actor, now)


@pytest.fixture
def issued(tenant: Any, actor: Any, now: datetime) -> Invoice:
    return issuing.issue(_drafted(actor, now), actor=actor, now=now)


def _drafted(actor: Any, now: datetime) -> Invoice:
    return drafting.draft(making.customer(), lines=LINES, due_on=date(2026, 12, 7), actor=actor, now=now)


def test_a_drafts_line_cannot_be_moved_onto_an_issued_invoice(draft: Invoice, issued: Invoice) -> None:
    with pytest.raises(Error, match="issued invoice never change"), transaction.atomic():
        InvoiceLine.objects.filter(invoice=draft).update(invoice=issued, position=99)
    assert list(issued.lines.values_list("gross", flat=True)) == [9900]


def test_an_issued_invoices_line_cannot_be_moved_onto_a_draft(draft: Invoice, issued: Invoice) -> None:
    with pytest.raises(Error, match="issued invoice never change"), transaction.atomic():
        InvoiceLine.objects.filter(invoice=issued).update(invoice=draft, position=99)
    assert issued.lines.count() == 1


def test_a_line_may_move_between_drafts(draft: Invoice, actor: Any, now: datetime) -> None:
    other = _drafted(actor, now)
    assert InvoiceLine.objects.filter(invoice=draft).update(invoice=other, position=99) == 1


@pytest.mark.parametrize("status", ["draft", "open"])
def test_which_transaction_wrote_an_invoice_cannot_be_changed(
    draft: Invoice, issued: Invoice, status: str
) -> None:
    """Else lines could be added to it by a later transaction that says it wrote it."""
    with pytest.raises(Error, match="never changes"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("UPDATE billing_invoice SET written_by = '3' WHERE status = %s", [status])
