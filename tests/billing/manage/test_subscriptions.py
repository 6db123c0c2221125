"""Subscriptions: begun, looked ahead, paused, resumed, cancelled."""

from datetime import date
from typing import Any

import pytest
from django.test import Client

from accounts.models import Customer
from billing import previewing
from billing.models import Price, Subscription
from billing.money import Money


def form(price: Price, **more: str) -> dict[str, str]:
    return {"price": str(price.pk), "quantity": "2", "started_on": "2026-12-31", "description": ""} | more


def test_a_customer_is_found_then_subscribed(staff: Client, customer: Customer, price: Price) -> None:
    path = f"/manage/subscriptions/new/?customer={customer.pk}"
    assert path.rpartition("/")[2] in staff.get("/manage/subscriptions/new/?q=holm").content.decode()
    answer = staff.post(path, form(price), follow=True)
    made = Subscription.objects.get()
    assert (made.quantity, made.anchored_on, made.next_due_on) == (2, date(2026, 12, 31), date(2026, 12, 31))
    assert "Holm Boats is subscribed." in answer.content.decode()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("price", ""), ("price", "x"), ("quantity", "0"), ("quantity", "1000001"), ("quantity", "1.5"),
        ("started_on", "31.12.2026"), ("started_on", "2026-02-30"), ("description", "x" * 201),
    ],
)  # fmt: skip
def test_a_mistake_begins_nothing(
    staff: Client, customer: Customer, price: Price, field: str, value: str
) -> None:
    path = f"/manage/subscriptions/new/?customer={customer.pk}"
    answer = staff.post(path, form(price) | {field: value})
    assert answer.status_code == 422
    assert field in answer.context["form"].errors
    assert not Subscription.objects.exists()


def test_closed_customers_are_refused_in_words(staff: Client, customer: Customer, price: Price) -> None:
    Customer.objects.update(status="closed")
    answer = staff.post(f"/manage/subscriptions/new/?customer={customer.pk}", form(price))
    assert answer.status_code == 422
    assert "closed" in answer.content.decode()


def test_the_next_six_periods_are_shown_with_their_amounts(staff: Client, subscription: Subscription) -> None:
    answer = staff.get(f"/manage/subscriptions/{subscription.pk}/")
    upcoming = answer.context["upcoming"]
    assert [row.period.start for row in upcoming] == [
        date(2026, 11, 30), date(2026, 12, 31), date(2027, 1, 31), date(2027, 2, 28), date(2027, 3, 31),
        date(2027, 4, 30),
    ]  # fmt: skip
    assert {row.gross for row in upcoming} == {Money(1190, "EUR")}
    assert "€11.90" in answer.content.decode()


def test_the_setup_fee_stands_in_the_first_period_only(subscription: Subscription) -> None:
    Subscription.objects.update(setup_billed=False)
    loaded = Subscription.objects.select_related("customer", "price__product").get()
    rows = previewing.upcoming(loaded, days_ahead=14, today=date(2026, 11, 20))
    assert [row.gross.minor for row in rows] == [1785, 1190, 1190, 1190, 1190, 1190]
    assert [row.billed_on for row in rows][:2] == [date(2026, 11, 20), date(2026, 12, 17)]


def test_what_is_foretold_is_what_the_run_bills(subscription: Subscription, actor: Any, tenant: Any) -> None:
    from datetime import UTC, datetime

    from billing.models import Invoice
    from billing.running import run_invoices

    loaded = Subscription.objects.select_related("customer", "price__product").get()
    foretold = previewing.upcoming(loaded, days_ahead=14, today=date(2026, 11, 16))[0]
    run_invoices(actor=actor, now=datetime(2026, 11, 16, 12, tzinfo=UTC))
    assert Invoice.objects.get().total_money == foretold.gross


def test_pausing_and_resuming(staff: Client, subscription: Subscription) -> None:
    path = f"/manage/subscriptions/{subscription.pk}/"
    assert staff.get(f"{path}pause/").status_code == 200
    page = staff.post(f"{path}pause/", {"reason": "moves house"}, follow=True).content.decode()
    assert "moves house" in page
    assert "Resume" in page
    page = staff.post(f"{path}resume/", follow=True).content.decode()
    assert "runs again" in page
    subscription.refresh_from_db()
    assert subscription.status == "active"


def test_cancelling_asks_first_and_says_why_it_cannot(staff: Client, subscription: Subscription) -> None:
    path = f"/manage/subscriptions/{subscription.pk}/"
    assert "Cancel this subscription?" in staff.get(f"{path}cancel/").content.decode()
    staff.post(f"{path}cancel/", {"reason": "leaves"})
    subscription.refresh_from_db()
    assert subscription.status == "cancelled"
    again = staff.post(f"{path}cancel/", {"reason": ""})
    assert again.status_code == 422
    assert "ended already" in again.content.decode()
    assert "Only a paused subscription" in staff.post(f"{path}resume/", follow=True).content.decode()
    assert staff.post(f"{path}pause/", {}).status_code == 422
