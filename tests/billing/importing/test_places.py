"""Where imported subscriptions stand on their grid, and what is said when the file's dates lay another."""

from datetime import date, datetime
from typing import Any

from billing.importing.customers import import_customers
from billing.importing.subscriptions import import_subscriptions
from billing.models import InvoiceLine, Product, Subscription
from billing.running import run_invoices
from tests.billing.importing import files


def test_month_ends_stay_month_ends(tenant: Any, actor: Any, now: datetime) -> None:
    import_customers(files.customers(), actor=actor, now=now)
    import_subscriptions(files.subscriptions({"next_due_on": "2027-02-28"}), actor=actor, now=now)
    assert Subscription.objects.get().anchored_on == date(2019, 1, 31)
    for at in (datetime(2027, 2, 20, tzinfo=now.tzinfo), datetime(2027, 4, 20, tzinfo=now.tzinfo)):
        run_invoices(actor=actor, now=at)
    starts = InvoiceLine.objects.order_by("period_start").values_list("period_start", flat=True)
    assert list(starts) == [date(2027, 2, 28), date(2027, 3, 31), date(2027, 4, 30)]


def test_a_due_date_off_the_grid_lays_a_new_one_and_is_noted(tenant: Any, actor: Any, now: datetime) -> None:
    import_customers(files.customers(), actor=actor, now=now)
    outcome = import_subscriptions(files.subscriptions({"next_due_on": "2026-12-15"}), actor=actor, now=now)
    assert (outcome.is_fine, outcome.created, outcome.warning_count) == (True, 1, 1)
    assert tuple(outcome.warnings[0]) == (
        2,
        "next_due_on",
        "next due on 2026-12-15 does not fit a monthly cycle started on 2019-01-31; it would be 2026-11-30 or"
        " 2026-12-31; periods are counted from 2026-12-15 instead",
    )
    found = Subscription.objects.get()
    assert (found.started_on, found.anchored_on) == (date(2019, 1, 31), date(2026, 12, 15))
    assert (found.next_index, found.next_due_on) == (0, date(2026, 12, 15))
    run_invoices(actor=actor, now=datetime(2027, 1, 2, tzinfo=now.tzinfo))
    starts = InvoiceLine.objects.order_by("period_start").values_list("period_start", flat=True)
    assert list(starts) == [date(2026, 12, 15), date(2027, 1, 15)]


def test_another_name_for_a_known_product_is_noted_once(tenant: Any, actor: Any, now: datetime) -> None:
    import_customers(files.customers(), actor=actor, now=now)
    renamed = {"product_name": "Hosting XL"}
    outcome = import_subscriptions(files.subscriptions({}, renamed, renamed), actor=actor, now=now)
    assert [tuple(each) for each in outcome.warnings] == [
        (3, "product_name", "product “hosting-l” is called “Web hosting L” here and stays so")
    ]
    assert (outcome.created, Product.objects.get().name) == (3, "Web hosting L")


def test_nothing_follows_from_the_order_of_remarks(tenant: Any, actor: Any, now: datetime) -> None:
    import_customers(files.customers(), actor=actor, now=now)
    rows = ({"customer_external_id": "C-8"}, {"quantity": "0"}, {"customer_external_id": "C-9"})
    outcome = import_subscriptions(files.subscriptions(*rows), actor=actor, now=now)
    assert [problem.line for problem in outcome.problems] == [2, 3, 4]


def test_a_thousand_problems_end_the_reading(tenant: Any, actor: Any, now: datetime) -> None:
    import_customers(files.customers(), actor=actor, now=now)
    rows = [{"customer_external_id": "C-9"}] * 3_000
    outcome = import_subscriptions(files.subscriptions(*rows), actor=actor, now=now)
    assert (outcome.is_cut, len(outcome.problems), outcome.rows) == (True, 1_000, 1_000)
    assert not Subscription.objects.exists()
