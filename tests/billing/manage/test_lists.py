"""Lists: the same number of queries whatever they hold, search, paging, and what they say when empty."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import Customer
from billing.models import Subscription
from tenants import record_checking

from . import rows

LISTS = ["", "customers/", "subscriptions/", "products/", "invoices/", "runs/", "audit/"]


def queries(client: Client, path: str) -> int:
    with CaptureQueriesContext(connection) as captured:
        assert client.get(f"/manage/{path}").status_code == 200
    return len(captured)


@pytest.mark.parametrize("path", LISTS)
def test_a_list_costs_the_same_at_1_and_at_500_rows(
    staff: Client, path: str, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(record_checking, "WALK_AT_ONCE", 0)
    rows.fill(1, now=now)
    few = queries(staff, path)
    rows.fill(499, now=now, mark="b")
    many = queries(staff, path)
    assert many <= few
    assert many <= 14


def test_one_customers_page_costs_the_same_however_much_it_has(
    staff: Client, customer: Customer, subscription: Subscription, now: datetime
) -> None:
    rows.fill_one(customer, subscription, 1, now=now)
    path = f"customers/{customer.pk}/"
    few = queries(staff, path)
    rows.fill_one(customer, subscription, 60, now=now)
    assert queries(staff, path) == few


def test_paging_shows_every_row_once_and_leads_back(staff: Client, now: datetime) -> None:
    rows.fill(60, now=now)
    for path in (
        "customers/",
        "customers/?sort=newest",
        "invoices/",
        "products/",
        "runs/",
        "audit/",
        "subscriptions/",
    ):
        seen: list[Any] = []
        page = first = staff.get(f"/manage/{path}").context["page"]
        joint = "&" if "?" in path else "?"
        while True:
            seen += [str(row) for row in page.rows]
            if not page.next:
                break
            page = staff.get(f"/manage/{path}{joint}after={page.next}").context["page"]
        assert len(seen) >= 60, path
        assert page.previous, path
        while page.previous:
            page = staff.get(f"/manage/{path}{joint}before={page.previous}").context["page"]
        assert [str(row) for row in page.rows] == [str(row) for row in first.rows], path


@pytest.mark.parametrize("cursor", ["x", "%00", "WyJhIiwiYiJd", "bnVsbA", "W10", "a" * 5000, "MQ", "WzEsMl0"])
def test_a_cursor_that_makes_no_sense_starts_at_the_beginning(
    staff: Client, now: datetime, cursor: str
) -> None:
    rows.fill(1, now=now)
    for path in LISTS[1:]:
        answer = staff.get(f"/manage/{path}?after={cursor}")
        assert answer.status_code == 200
        assert answer.context["page"].rows


def test_customers_are_found_by_every_word(staff: Client, customer: Customer, now: datetime) -> None:
    rows.fill(3, now=now)
    for words in ("holm", "IDA holm.example", "boats"):
        found = staff.get("/manage/customers/", {"q": words}).context["page"].rows
        assert [row.customer.name for row in found] == ["Ida Holm"]
    answer = staff.get("/manage/customers/", {"q": "nobody of that name"})
    assert "Nothing matches" in answer.content.decode()


@pytest.mark.parametrize("words", ["%", "_", "\\", "'; --", "a\x00b", "ﷺ" * 50, "x" * 300])
def test_odd_searches_are_only_words(staff: Client, customer: Customer, words: str) -> None:
    for path in ("customers/", "subscriptions/", "products/", "invoices/"):
        assert staff.get(f"/manage/{path}", {"q": words}).status_code == 200


def test_customers_show_what_they_owe_and_have(
    staff: Client, customer: Customer, subscription: Subscription, actor: Any, now: datetime
) -> None:
    rows.issued(customer, actor=actor, now=now, amount=5000)
    page = staff.get("/manage/customers/").content.decode()
    assert "€59.50" in page
    row = staff.get("/manage/customers/").context["page"].rows[0]
    assert row.running == 1


def test_invoices_are_narrowed_by_state_currency_day_and_words(
    staff: Client, customer: Customer, actor: Any, now: datetime
) -> None:
    late = rows.issued(customer, actor=actor, now=now)
    open_one = rows.issued(customer, actor=actor, now=now)
    draft = rows.draft(customer, actor=actor, now=now)

    def found(**query: str) -> set[Any]:
        return {invoice.pk for invoice in staff.get("/manage/invoices/", query).context["page"].rows}

    both = {late.pk, open_one.pk}
    assert found() == {*both, draft.pk}
    assert found(status="draft") == {draft.pk}
    assert found(status="open") == both
    assert found(status="overdue") == set()
    assert found(currency="EUR") == {*both, draft.pk}
    assert found(q=str(late.number)) == {late.pk}
    assert found(q="holm") == {*both, draft.pk}
    day = late.due_on
    assert found(due_from=(day + timedelta(days=1)).isoformat()) == set()
    assert found(due_to=day.isoformat()) == {*both, draft.pk}
    assert found(customer=str(customer.pk)) == {*both, draft.pk}
    assert found(status="nonsense", due_from="nonsense", customer="nonsense") == {*both, draft.pk}


def test_invoices_say_what_they_come_to(staff: Client, customer: Customer, actor: Any, now: datetime) -> None:
    rows.issued(customer, actor=actor, now=now, amount=5000)
    rows.issued(customer, actor=actor, now=now, amount=2500)
    page = staff.get("/manage/invoices/").content.decode()
    assert "€75.00" in page
    assert "on 2 invoices" in page


def test_overdue_and_failed_are_found(staff: Client, now: datetime) -> None:
    rows.fill(2, now=now)
    for state in ("overdue", "failed"):
        assert len(staff.get("/manage/invoices/", {"status": state}).context["page"].rows) == 2
    assert staff.get("/manage/invoices/", {"status": "waiting"}).context["page"].rows == []


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("customers/", "No customers yet"),
        ("subscriptions/", "No subscriptions yet"),
        ("subscriptions/new/", "Add the customer first"),
        ("products/", "Nothing to sell yet"),
        ("invoices/", "No invoices yet"),
        ("invoices/new/", "Add the customer first"),
        ("runs/", "No run yet"),
        ("settings/taxes/", "No tax is charged yet"),
    ],
)
def test_an_empty_list_says_what_to_do(owner: Client, path: str, says: str) -> None:
    assert says in owner.get(f"/manage/{path}").content.decode()


def test_subscriptions_are_narrowed(staff: Client, subscription: Subscription, now: datetime) -> None:
    rows.fill(2, now=now)

    def found(**query: str) -> int:
        return len(staff.get("/manage/subscriptions/", query).context["page"].rows)

    assert found() == 3
    assert found(q="holm hosting") == 1
    assert found(status="paused") == 0
    assert found(cycle="annual") == 0
    assert found(customer=str(subscription.customer_id)) == 1
