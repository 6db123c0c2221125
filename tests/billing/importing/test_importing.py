"""Bringing customers and subscriptions from elsewhere."""

import io
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from accounts.models import Customer
from audit.actions import Action
from audit.models import AuditEvent
from audit.reading import opened
from audit.verifying import verify
from billing.importing.customers import import_customers
from billing.importing.files import import_files, preview
from billing.importing.subscriptions import import_subscriptions
from billing.ledger_checking import check
from billing.models import Invoice, Price, Product, Subscription
from billing.periods import local_midnight
from billing.running import run_invoices
from tenants.models import Tenant
from tests.billing.importing import files


def both(actor: Any, now: datetime, *changes: dict[str, Any]) -> None:
    assert import_customers(files.customers(), actor=actor, now=now).is_fine
    assert import_subscriptions(files.subscriptions(*changes), actor=actor, now=now).is_fine


def test_customers_come_with_all_their_columns(tenant: Any, actor: Any, now: datetime) -> None:
    outcome = import_customers(files.customers({}, {"name": "株式会社サンプル"}), actor=actor, now=now)
    assert (outcome.rows, outcome.created, outcome.changed, outcome.unchanged) == (2, 2, 0, 0)
    customer = Customer.objects.get(external_id="C-1")
    assert {name: getattr(customer, name) for name in files.CUSTOMER} == files.CUSTOMER
    assert [event.action for event in AuditEvent.objects.filter(actor_kind="user").order_by("seq")] == [
        Action.CUSTOMER_CREATED,
        Action.CUSTOMER_CREATED,
        Action.IMPORT_DONE,
    ]


def test_importing_again_changes_nothing(tenant: Any, actor: Any, now: datetime) -> None:
    both(actor, now)
    events = AuditEvent.objects.count()
    again = import_files(files.customers(), files.subscriptions(), actor=actor, now=now + timedelta(days=1))
    assert again.customers and again.subscriptions
    assert (again.customers.unchanged, again.subscriptions.unchanged) == (1, 1)
    assert AuditEvent.objects.count() == events


def test_importing_again_brings_what_differs_and_keeps_what_the_file_leaves_empty(
    tenant: Any, actor: Any, now: datetime
) -> None:
    both(actor, now)
    changed = files.customers({"city": "Bonn", "phone": ""})
    outcome = import_customers(changed, actor=actor, now=now)
    customer = Customer.objects.get()
    assert (outcome.changed, customer.city, customer.phone) == (1, "Bonn", "+49 30 1234")
    event = AuditEvent.objects.get(action=Action.CUSTOMER_CHANGED)
    assert opened([event])[0].details == {"before": {"city": "Köln"}, "after": {"city": "Bonn"}}


def test_subscriptions_come_with_product_price_and_anchor(tenant: Any, actor: Any, now: datetime) -> None:
    both(actor, now)
    subscription = Subscription.objects.select_related("price__product").get()
    price = subscription.price
    assert (price.product.code, price.product.name) == ("hosting-l", "Web hosting L")
    assert (price.currency, price.cycle, price.amount) == ("EUR", "monthly", 2490)
    assert (subscription.quantity, subscription.anchored_on) == (2, date(2019, 1, 31))
    assert (subscription.next_index, subscription.next_due_on) == (94, date(2026, 11, 30))
    assert Tenant.objects.get().next_run_at == now
    run_invoices(actor=actor, now=now)
    assert [(each.subtotal, each.due_on) for each in Invoice.objects.all()] == [(4980, date(2026, 11, 30))]
    subscription.refresh_from_db()
    assert subscription.next_due_on == date(2026, 12, 31)
    assert (check().findings, verify().problem) == ([], None)


def test_the_next_run_is_planned(tenant: Any, actor: Any, now: datetime) -> None:
    both(actor, now, {"next_due_on": "2026-12-31"})
    assert Tenant.objects.get().next_run_at == local_midnight(date(2026, 12, 17), tenant.zone)


def test_products_and_prices_are_found_before_they_are_made(tenant: Any, actor: Any, now: datetime) -> None:
    both(
        actor,
        now,
        {},
        {"product_name": "Another name"},
        {"unit_amount": "30.00"},
        {"cycle": "annual", "next_due_on": "2027-01-31"},
    )
    assert (Product.objects.count(), Price.objects.count()) == (1, 3)
    assert Product.objects.get().name == "Web hosting L"


def test_one_bad_row_keeps_the_whole_file_out(tenant: Any, actor: Any, now: datetime) -> None:
    outcome = import_customers(files.customers({}, {"country": "Germany"}), actor=actor, now=now)
    assert [tuple(problem) for problem in outcome.problems] == [
        (3, "country", "“Germany” is not a country; use an ISO 3166 code like DE or US")
    ]
    assert not Customer.objects.exists()


@pytest.mark.parametrize(
    ("column", "value", "reason"),
    [
        ("external_id", "", "is empty"),
        ("name", "", "is empty"),
        ("name", "a\x00b", "control character"),
        ("name", "two\nlines", "control character or line break"),
        ("name", "x" * 201, "has 201 characters; at most 200 fit"),
        ("email", "nobody", "is not an email address"),
        ("email", "a@b.example\r\nBcc: c@d.example", "control character"),
        ("phone", "+1+cmd|' /C calc'!A0", "is not a phone number"),
        ("country", "XX", "is not a country"),
        ("tax_id", "x" * 41, "at most 40"),
        ("currency", "EURO", "is no currency"),
    ],
)
def test_bad_customers_are_told_with_line_and_column(
    tenant: Any, actor: Any, now: datetime, column: str, value: str, reason: str
) -> None:
    outcome = import_customers(files.customers({column: value}), actor=actor, now=now)
    assert (outcome.problem_count, outcome.problems[0].line, outcome.problems[0].column) == (1, 2, column)
    assert reason in outcome.problems[0].reason


@pytest.mark.parametrize(
    ("changes", "column", "reason"),
    [
        ({"customer_external_id": "C-9"}, "customer_external_id", "there is no customer “C-9”"),
        ({"product_code": "web hosting"}, "product_code", "is no product code"),
        ({"product_name": ""}, "product_name", "is empty"),
        ({"cycle": "weekly"}, "cycle", "is not a billing cycle"),
        ({"cycle": "one-time"}, "cycle", "recurs"),
        ({"unit_amount": "24,90"}, "unit_amount", "is not an amount"),
        ({"unit_amount": "-1.00"}, "unit_amount", "not negative"),
        ({"unit_amount": "1.001"}, "unit_amount", "too many decimals"),
        ({"currency": "JPY"}, "unit_amount", "JPY has no decimals"),
        ({"unit_amount": "99999999999999999999"}, "unit_amount", ""),
        ({"quantity": "0"}, "quantity", "whole number"),
        ({"quantity": "1.5"}, "quantity", "whole number"),
        ({"started_on": "31.01.2019"}, "started_on", "is not a day"),
        ({"started_on": "2019-02-30"}, "started_on", "is not a day"),
        ({"next_due_on": "9999-12-31"}, "next_due_on", "is not between"),
        ({"next_due_on": "2018-12-31"}, "next_due_on", "before the start"),
        ({"next_due_on": "2025-07-31"}, "next_due_on", "lies 16 periods back"),
    ],
)
def test_bad_subscriptions_are_told_with_line_and_column(
    tenant: Any, actor: Any, now: datetime, changes: dict[str, Any], column: str, reason: str
) -> None:
    import_customers(files.customers(), actor=actor, now=now)
    outcome = import_subscriptions(files.subscriptions({"external_id": "S-0"}, changes), actor=actor, now=now)
    assert [(problem.line, problem.column) for problem in outcome.problems] == [(3, column)]
    assert reason in outcome.problems[0].reason
    assert not Subscription.objects.exists()
    assert not Product.objects.exists()


def test_an_id_stands_in_a_file_once(tenant: Any, actor: Any, now: datetime) -> None:
    outcome = import_customers(files.customers({}, {"external_id": "C-1"}), actor=actor, now=now)
    assert [tuple(problem) for problem in outcome.problems] == [
        (3, "external_id", "stands on line 2 already")
    ]


def test_every_bad_cell_of_a_row_is_told(tenant: Any, actor: Any, now: datetime) -> None:
    outcome = import_customers(
        files.customers({"email": "x", "country": "y", "currency": "z"}), actor=actor, now=now
    )
    assert [problem.column for problem in outcome.problems] == ["email", "country", "currency"]


def test_a_subscription_that_was_billed_keeps_its_place(tenant: Any, actor: Any, now: datetime) -> None:
    both(actor, now)
    run_invoices(actor=actor, now=now)
    outcome = import_subscriptions(files.subscriptions({"quantity": "5"}), actor=actor, now=now)
    subscription = Subscription.objects.get()
    assert (outcome.changed, subscription.quantity, subscription.next_due_on) == (1, 5, date(2026, 12, 31))
    moved = import_subscriptions(files.subscriptions({"started_on": "2019-03-31"}), actor=actor, now=now)
    assert [problem.column for problem in moved.problems] == ["started_on"]
    assert run_invoices(actor=actor, now=now).invoices == 0


def test_a_subscription_not_yet_billed_follows_the_file(tenant: Any, actor: Any, now: datetime) -> None:
    both(actor, now)
    later = files.subscriptions({"started_on": "2019-03-15", "next_due_on": "2027-01-15"})
    assert import_subscriptions(later, actor=actor, now=now).changed == 1
    subscription = Subscription.objects.get()
    assert (subscription.anchored_on, subscription.next_index) == (date(2019, 3, 15), 94)
    assert Tenant.objects.get().next_run_at == local_midnight(date(2027, 1, 1), tenant.zone)


def test_a_dry_run_and_a_preview_do_nothing_and_say_all(tenant: Any, actor: Any, now: datetime) -> None:
    events = AuditEvent.objects.count()
    dry = import_customers(files.customers(), actor=actor, now=now, dry_run=True)
    shown = preview(files.customers(), files.subscriptions({}, {"quantity": "x"}), actor=actor, now=now)
    assert dry.created == 1
    assert shown.customers and shown.subscriptions
    assert (shown.customers.created, shown.subscriptions.created, shown.is_fine) == (1, 1, False)
    assert shown.subscriptions.sample[0]["product_code"] == "hosting-l"
    assert (Customer.objects.count(), Subscription.objects.count()) == (0, 0)
    assert AuditEvent.objects.count() == events
    assert Tenant.objects.get().next_run_at is None


def test_subscriptions_wait_for_customers_that_are_fine(tenant: Any, actor: Any, now: datetime) -> None:
    done = import_files(files.customers({}, {"email": ""}), files.subscriptions(), actor=actor, now=now)
    assert done.subscriptions
    assert (done.kept, done.is_fine, done.subscriptions.problem_count) == (False, False, 0)
    assert not Customer.objects.exists()
    assert not Subscription.objects.exists()


def test_a_whole_business_comes_and_goes_through_its_first_run(
    tenant: Any, actor: Any, now: datetime
) -> None:
    wanted = [{"external_id": f"C-{n}"} for n in range(1, 2301)]
    rows = [
        {"customer_external_id": f"C-{n}", "next_due_on": "2026-11-30", "external_id": f"S-{n}"}
        for n in range(1, 2301)
    ]
    done = import_files(files.customers(*wanted), files.subscriptions(*rows), actor=actor, now=now)
    assert done.kept
    assert done.is_fine
    assert run_invoices(actor=actor, now=now).invoices == 2300
    assert (check().findings, verify().problem) == ([], None)


def written(path: Path, data: io.BytesIO) -> Path:
    path.write_bytes(data.getvalue())
    return path


def test_the_command_imports_both_files(fresh_tenant: Any, tmp_path: Any) -> None:
    customers = written(tmp_path / "customers.csv", files.customers())
    subscriptions = written(
        tmp_path / "subscriptions.csv", files.subscriptions({"next_due_on": "2027-01-31"})
    )
    out = io.StringIO()
    options = {
        "tenant": fresh_tenant.slug,
        "customers": customers,
        "subscriptions": subscriptions,
        "stdout": out,
    }
    call_command("import_csv", dry_run=True, **options)
    assert Customer.objects.count() == 0
    call_command("import_csv", **options)
    assert (Customer.objects.count(), Subscription.objects.count()) == (1, 1)
    assert "customers.csv: 1 rows; 1 created, 0 changed, 0 unchanged, 0 problems" in out.getvalue()
    assert "customers.csv: 1 rows; 1 would be created" in out.getvalue()


def test_the_command_lists_bad_rows_and_fails(fresh_tenant: Any, tmp_path: Any) -> None:
    customers = written(tmp_path / "customers.csv", files.customers({"email": "x"}))
    errors = io.StringIO()
    with pytest.raises(CommandError, match="Not imported"):
        call_command("import_csv", tenant=fresh_tenant.slug, customers=customers, stderr=errors)
    assert errors.getvalue() == "customers.csv: line 2, email: “x” is not an email address\n"
    with pytest.raises(CommandError, match="No such file"):
        call_command("import_csv", tenant=fresh_tenant.slug, customers=tmp_path / "none.csv")
