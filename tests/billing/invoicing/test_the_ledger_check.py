"""The ledger check finds each kind of damage that somebody who owns the tables could do."""

import os
from datetime import UTC, date, datetime
from io import StringIO
from typing import Any

import psycopg
import pytest
from django.core.management import call_command

from audit.actors import Actor
from billing import voiding
from billing.ledger_checking import check
from billing.models import Invoice
from billing.running import run_invoices
from tests.billing.invoicing import making

NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)


@pytest.fixture
def billed_tenant(fresh_tenant: Any) -> Any:
    """A tenant with five invoices: three open, one void, one paid by hand."""
    from billing import payments

    actor = Actor.system("tests")
    making.vat()
    for _ in range(5):
        making.subscription()
    run_invoices(actor=actor, now=NOW)
    invoices = list(Invoice.objects.order_by("number"))
    voiding.void(invoices[3], actor=actor, now=NOW)
    payments.record_manual(
        invoices[4], amount=1190, received_on=date(2026, 11, 23), note="", actor=actor, now=NOW
    )
    return fresh_tenant


def tamper(tenant: Any, *statements: str) -> None:
    """Do as the owner of the tables, with all triggers off."""
    with psycopg.connect(os.environ["DATABASE_OWNER_URL"]) as owner:
        owner.execute(f"SET search_path = {tenant.schema_name}")
        for table in ("invoice", "invoiceline", "journalentry", "posting", "payment"):
            owner.execute(f"ALTER TABLE billing_{table} DISABLE TRIGGER USER")
        for statement in statements:
            owner.execute(statement)


ONE = "(SELECT id FROM billing_invoice WHERE status = 'open' ORDER BY number LIMIT 1)"
ISSUED = f"(SELECT id FROM billing_journalentry WHERE key = 'invoice:' || {ONE} || ':issued')"
DAMAGES = {
    "a posting changed": [
        f"UPDATE billing_posting SET amount = amount + 1 WHERE entry_id = {ISSUED} AND account = 'tax'"
    ],
    "an entry's amounts changed together": [
        f"UPDATE billing_posting SET amount = amount * 2 WHERE entry_id = {ISSUED}"
    ],
    "an account changed": [
        f"UPDATE billing_posting SET account = 'credit' WHERE entry_id = {ISSUED} AND account = 'revenue'"
    ],
    "a currency changed": [f"UPDATE billing_posting SET currency = 'USD' WHERE entry_id = {ISSUED}"],
    "an entry lost": [
        f"DELETE FROM billing_posting WHERE entry_id = {ISSUED}",
        f"DELETE FROM billing_journalentry WHERE id = {ISSUED}",
    ],
    "an entry moved to another invoice": [
        f"UPDATE billing_journalentry SET invoice_id = (SELECT id FROM billing_invoice WHERE status = 'open'"
        f" ORDER BY number OFFSET 1 LIMIT 1) WHERE id = {ISSUED}"
    ],
    "an invoice's total changed": [
        f"UPDATE billing_invoice SET subtotal = subtotal + 1, total = total + 1 WHERE id = {ONE}"
    ],
    "a line changed": [
        f"UPDATE billing_invoiceline SET net = net - 1, tax = tax + 1 WHERE invoice_id = {ONE}"
    ],
    "a tax summary changed": [f"UPDATE billing_invoice SET tax_summary = '[]' WHERE id = {ONE}"],
    "a payment invented": [f"UPDATE billing_invoice SET amount_paid = 5 WHERE id = {ONE}"],
    "an invoice marked paid": [
        f"UPDATE billing_invoice SET status = 'paid', amount_paid = total, paid_at = now() WHERE id = {ONE}"
    ],
    "an open invoice marked void": [f"UPDATE billing_invoice SET status = 'void' WHERE id = {ONE}"],
    "a void invoice opened": ["UPDATE billing_invoice SET status = 'open' WHERE status = 'void'"],
    "a payment's amount changed": ["UPDATE billing_payment SET amount = amount - 1"],
    "a payment undone": ["UPDATE billing_payment SET state = 'failed'"],
    "a number changed": [f"UPDATE billing_invoice SET number = 'X-2026-000900' WHERE id = {ONE}"],
    "a number skipped": ["UPDATE billing_numberseries SET last = last + 1"],
    "an invoice removed": [
        f"CREATE TEMP TABLE gone AS SELECT {ONE} AS id, {ISSUED} AS entry",
        "DELETE FROM billing_posting WHERE entry_id = (SELECT entry FROM gone)",
        "DELETE FROM billing_journalentry WHERE id = (SELECT entry FROM gone)",
        "DELETE FROM billing_invoiceline WHERE invoice_id = (SELECT id FROM gone)",
        "DELETE FROM billing_invoice WHERE id = (SELECT id FROM gone)",
    ],
    "a period billed twice": [
        "ALTER TABLE billing_invoiceline DROP CONSTRAINT IF EXISTS period_billed_once",
        "DROP INDEX IF EXISTS period_billed_once",
        "UPDATE billing_invoiceline SET subscription_id = (SELECT id FROM billing_subscription LIMIT 1)",
    ],
    "a subscription set back": ["UPDATE billing_subscription SET next_index = 0, next_due_on = anchored_on"],
    "a subscription off its grid": ["UPDATE billing_subscription SET next_due_on = next_due_on + 1"],
}


def test_books_that_are_whole_pass(billed_tenant: Any) -> None:
    report = check()
    assert report.findings == []
    assert report.figures["EUR"] == {
        "invoices issued": 5,
        "billed": 4760,
        "paid": 1190,
        "outstanding": 3570,
        "ledger sum": 0,
        "ledger receivable": 3570,
        "ledger revenue": -4000,
        "ledger tax": -760,
        "ledger bank": 1190,
    }


@pytest.mark.parametrize("damage", DAMAGES)
def test_damage_is_found(billed_tenant: Any, damage: str) -> None:
    tamper(billed_tenant, *DAMAGES[damage])
    assert not check().is_whole


def test_the_command_prints_the_figures_and_exits_1_on_a_difference(billed_tenant: Any) -> None:
    out = StringIO()
    call_command("ledger_check", tenant=billed_tenant.slug, stdout=out)
    assert "22 proofs, all hold" in out.getvalue()
    assert "35.70 EUR" in out.getvalue()
    tamper(billed_tenant, *DAMAGES["a posting changed"])
    with pytest.raises(SystemExit) as exit_:
        call_command("ledger_check", tenant=billed_tenant.slug, stdout=out)
    assert exit_.value.code == 1
    assert "DIFFERS" in out.getvalue()
