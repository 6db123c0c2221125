"""The invoice run: what it bills, when, at what amount, and what it leaves behind."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from audit.actions import Action
from audit.models import AuditEvent
from audit.verifying import verify
from billing.ledger_checking import check
from billing.models import BillingSettings, Invoice, InvoiceLine, InvoiceRun, JournalEntry
from billing.periods import local_midnight
from billing.running import RunResult, run_invoices
from tenants.models import Job, Tenant
from tests.billing.invoicing import making


def billed(number: int = 0) -> Invoice:
    return Invoice.objects.order_by("number")[number]


def test_a_due_subscription_is_billed_with_its_tax(tenant: Any, actor: Any, now: datetime) -> None:
    making.vat()
    subscription = making.subscription(at=making.price(995), quantity=3)

    result = run_invoices(actor=actor, now=now)

    invoice = billed()
    assert (invoice.number, invoice.status) == ("ALPHA-2026-000001", "open")
    assert (invoice.subtotal, invoice.tax, invoice.total, invoice.currency) == (2985, 567, 3552, "EUR")
    assert (invoice.issued_on, invoice.due_on) == (date(2026, 11, 23), date(2026, 12, 1))
    assert invoice.tax_summary == [{"name": "USt", "rate_ppm": 190_000, "net": 2985, "tax": 567}]
    assert (invoice.seller["business_name"], invoice.buyer["name"]) == (
        "Alpha Hosting",
        subscription.customer.name,
    )
    line = invoice.lines.get()
    assert (line.period_start, line.period_end) == (date(2026, 12, 1), date(2027, 1, 1))
    assert (line.net, line.tax, line.gross, line.quantity, line.unit_amount) == (2985, 567, 3552, 3, 995)
    assert line.description == subscription.price.product.name
    assert (result.invoices, result.lines, result.totals, result.parked) == (1, 1, {"EUR": 3552}, 0)


def test_a_run_moves_the_subscription_on_and_leaves_entry_audit_and_mail(
    tenant: Any, actor: Any, now: datetime
) -> None:
    making.vat()
    subscription = making.subscription()

    result = run_invoices(actor=actor, now=now)

    subscription.refresh_from_db()
    assert (subscription.next_index, subscription.next_due_on) == (1, date(2027, 1, 1))
    invoice = billed()
    entry = JournalEntry.objects.get()
    assert (entry.key, entry.customer_id, entry.booked_on) == (
        f"invoice:{invoice.pk}:issued",
        subscription.customer_id,
        date(2026, 11, 23),
    )
    assert set(entry.postings.values_list("account", "amount", "currency")) == {
        ("receivable", 1190, "EUR"),
        ("revenue", -1000, "EUR"),
        ("tax", -190, "EUR"),
    }
    assert entry.audit_event.subject_id == str(invoice.pk)
    actions = list(
        AuditEvent.objects.filter(actor_kind="user").order_by("seq").values_list("action", flat=True)
    )
    assert actions == [Action.RUN_STARTED, Action.INVOICE_ISSUED, Action.RUN_FINISHED]
    assert verify().problem is None
    job = Job.objects.get(name="billing.mail_invoice")
    assert (job.key, job.args) == (f"mail:{invoice.pk}", {"invoice_id": str(invoice.pk)})
    run = InvoiceRun.objects.get()
    assert (run.pk, run.invoices, run.lines, run.totals, run.finished_at) == (
        result.run,
        1,
        1,
        {"EUR": 1190},
        now,
    )
    assert check().findings == []


def test_nothing_due_leaves_no_run(tenant: Any, actor: Any, now: datetime) -> None:
    making.subscription(due=date(2026, 12, 8))
    assert run_invoices(actor=actor, now=now) == RunResult()
    assert (Invoice.objects.count(), InvoiceRun.objects.count()) == (0, 0)


def test_it_bills_up_to_the_days_ahead_and_no_further(tenant: Any, actor: Any, now: datetime) -> None:
    making.subscription(due=date(2026, 12, 7))
    making.subscription(due=date(2026, 12, 8))
    assert run_invoices(actor=actor, now=now).invoices == 1
    assert run_invoices(actor=actor, now=now + timedelta(days=1)).invoices == 1


def test_today_is_the_tenants_own(tenant: Any, actor: Any) -> None:
    making.subscription(due=date(2026, 12, 8))
    assert run_invoices(actor=actor, now=datetime(2026, 11, 23, 22, 59, tzinfo=UTC)).invoices == 0
    assert run_invoices(actor=actor, now=datetime(2026, 11, 23, 23, 0, tzinfo=UTC)).invoices == 1
    assert billed().issued_on == date(2026, 11, 24)


def test_a_second_run_bills_nothing(tenant: Any, actor: Any, now: datetime) -> None:
    making.subscription()
    run_invoices(actor=actor, now=now)
    assert run_invoices(actor=actor, now=now).invoices == 0
    assert Invoice.objects.count() == 1


def test_what_falls_due_on_one_day_in_one_currency_stands_on_one_invoice(
    tenant: Any, actor: Any, now: datetime
) -> None:
    one, other = making.customer(), making.customer()
    for _ in range(3):
        making.subscription(one)
    making.subscription(one, making.price(500, currency="JPY"))
    making.subscription(one, due=date(2026, 12, 2))
    making.subscription(other)

    run_invoices(actor=actor, now=now)

    found = sorted(
        (invoice.customer_id == one.pk, invoice.currency, invoice.due_on, invoice.lines.count())
        for invoice in Invoice.objects.all()
    )
    assert found == [
        (False, "EUR", date(2026, 12, 1), 1),
        (True, "EUR", date(2026, 12, 1), 3),
        (True, "EUR", date(2026, 12, 2), 1),
        (True, "JPY", date(2026, 12, 1), 1),
    ]
    assert check().findings == []


def test_the_month_end_does_not_drift(tenant: Any, actor: Any) -> None:
    making.subscription(due=date(2027, 1, 31))
    for day in range(120):
        run_invoices(actor=actor, now=datetime(2027, 1, 1, 12, tzinfo=UTC) + timedelta(days=day))
    starts = InvoiceLine.objects.order_by("period_start").values_list("period_start", "period_end")
    assert list(starts) == [
        (date(2027, 1, 31), date(2027, 2, 28)),
        (date(2027, 2, 28), date(2027, 3, 31)),
        (date(2027, 3, 31), date(2027, 4, 30)),
        (date(2027, 4, 30), date(2027, 5, 31)),
    ]
    assert check().findings == []


def test_skipped_months_are_billed_each_on_its_own_invoice_due_at_once(
    tenant: Any, actor: Any, now: datetime
) -> None:
    making.subscription(due=date(2026, 9, 15))
    run_invoices(actor=actor, now=now)
    invoices = [(each.due_on, each.lines.get().period_start) for each in Invoice.objects.order_by("number")]
    assert invoices == [(now.date(), date(2026, month, 15)) for month in (9, 10, 11)]


def test_a_setup_fee_is_billed_once(tenant: Any, actor: Any, now: datetime) -> None:
    making.subscription(at=making.price(1000, setup_fee=2500), quantity=2)
    run_invoices(actor=actor, now=now)
    run_invoices(actor=actor, now=now + timedelta(days=31))
    lines = InvoiceLine.objects.order_by("invoice__number", "position").values_list(
        "kind", "net", "period_start"
    )
    assert list(lines) == [
        ("recurring", 2000, date(2026, 12, 1)),
        ("setup", 2500, date(2026, 12, 1)),
        ("recurring", 2000, date(2027, 1, 1)),
    ]


def test_tax_that_is_included_stays_inside_the_price(tenant: Any, actor: Any, now: datetime) -> None:
    making.vat()
    making.subscription(at=making.price(1190, tax_inclusive=True))
    run_invoices(actor=actor, now=now)
    invoice = billed()
    assert (invoice.subtotal, invoice.tax, invoice.total) == (1000, 190, 1190)


def test_no_rate_for_the_country_means_no_tax(tenant: Any, actor: Any, now: datetime) -> None:
    making.vat()
    making.subscription(making.customer(country="US"))
    run_invoices(actor=actor, now=now)
    assert (billed().tax, billed().total) == (0, 1000)
    assert check().findings == []


def test_an_invoice_of_nothing_is_paid_at_once(tenant: Any, actor: Any, now: datetime) -> None:
    making.subscription(at=making.price(0))
    run_invoices(actor=actor, now=now)
    invoice = billed()
    assert (invoice.status, invoice.total, invoice.paid_at) == ("paid", 0, now)
    assert check().findings == []


def test_a_subscription_of_too_many_periods_is_parked_and_the_others_billed(
    tenant: Any, actor: Any, now: datetime
) -> None:
    someone = making.customer()
    wrong = making.subscription(someone, due=date(1970, 1, 1))
    making.subscription(someone)

    result = run_invoices(actor=actor, now=now)

    wrong.refresh_from_db()
    assert (result.invoices, result.parked, wrong.status) == (1, 1, "paused")
    assert "more than 15 periods" in wrong.paused_reason
    event = AuditEvent.objects.get(action=Action.SUBSCRIPTION_PARKED)
    assert (event.subject_id, event.details["after"]["status"]) == (str(wrong.pk), "paused")


def test_fifteen_missed_periods_are_still_a_debt(tenant: Any, actor: Any, now: datetime) -> None:
    making.subscription(due=date(2025, 10, 1))
    assert run_invoices(actor=actor, now=now).invoices == 15


def test_amounts_beyond_what_can_be_stored_are_parked(tenant: Any, actor: Any, now: datetime) -> None:
    huge = making.price(2**62, currency="EUR")
    someone = making.customer()
    making.subscription(someone, huge)
    making.subscription(someone, huge)
    making.subscription()
    result = run_invoices(actor=actor, now=now)
    assert (result.invoices, result.parked) == (1, 2)


@pytest.mark.parametrize("status", ["pending", "paused", "cancelled", "terminated"])
def test_only_active_subscriptions_are_billed(tenant: Any, actor: Any, now: datetime, status: str) -> None:
    making.subscription(status=status)
    assert run_invoices(actor=actor, now=now).invoices == 0


def test_a_closed_customer_is_not_billed(tenant: Any, actor: Any, now: datetime) -> None:
    making.subscription(making.customer(status="closed"))
    assert run_invoices(actor=actor, now=now) == RunResult()


def test_the_next_run_is_planned_for_the_first_day_on_which_something_is_due(
    tenant: Any, actor: Any, now: datetime
) -> None:
    making.subscription()
    making.subscription(due=date(2026, 12, 20))
    run_invoices(actor=actor, now=now)
    assert Tenant.objects.get().next_run_at == local_midnight(date(2026, 12, 6), tenant.zone)


def test_midnight_is_the_tenants_own_through_daylight_saving(tenant: Any, actor: Any) -> None:
    making.subscription(due=date(2027, 4, 12))
    run_invoices(actor=actor, now=datetime(2027, 3, 1, tzinfo=UTC))
    at = Tenant.objects.get().next_run_at
    assert at == datetime(2027, 3, 28, 22, tzinfo=UTC)  # 29 March, the day after the clocks went forward
    assert run_invoices(actor=actor, now=at - timedelta(seconds=1)).invoices == 0
    assert run_invoices(actor=actor, now=at).invoices == 1


def test_numbers_begin_anew_each_year_without_a_gap(tenant: Any, actor: Any) -> None:
    for _ in range(3):
        making.subscription(due=date(2026, 12, 31))
    making.subscription(due=date(2027, 1, 15))
    run_invoices(actor=actor, now=datetime(2026, 12, 31, 22, 59, tzinfo=UTC))
    run_invoices(actor=actor, now=datetime(2027, 1, 1, 12, tzinfo=UTC))
    numbers = list(Invoice.objects.order_by("number").values_list("number", flat=True))
    assert numbers == [*(f"ALPHA-2026-{n:06d}" for n in range(1, 4)), "ALPHA-2027-000001"]
    assert check().findings == []


def test_the_settings_shape_the_invoice(tenant: Any, actor: Any, now: datetime) -> None:
    BillingSettings.objects.update(
        number_prefix="RE", number_format="{prefix}{n}", days_ahead=30, invoice_note="Danke", city="Berlin"
    )
    making.subscription(due=date(2026, 12, 23))
    run_invoices(actor=actor, now=now)
    invoice = billed()
    assert (invoice.number, invoice.note, invoice.seller["city"]) == ("RE1", "Danke", "Berlin")


def test_a_run_costs_the_same_queries_for_one_and_for_many(tenant: Any, actor: Any, now: datetime) -> None:
    counts = []
    for size in (1, 40):
        for _ in range(size):
            making.subscription()
        with CaptureQueriesContext(connection) as queries:
            assert run_invoices(actor=actor, now=now).invoices == size
        counts.append(len(queries))
    assert counts[1] <= counts[0]  # the next run is planned already
