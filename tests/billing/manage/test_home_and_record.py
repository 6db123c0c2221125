"""The first page, the runs, and the audit log."""

from datetime import date, timedelta
from typing import Any

import pytest
from django.test import Client

from accounts.models import Customer
from audit.models import AuditEvent
from billing import figures
from billing.models import BillingSettings, StripeConnection, Subscription
from billing.money import Money
from billing.voiding import void
from tenants import clock
from tenants.models import Job

from . import rows


def test_a_new_tenant_sees_what_to_do_first(staff: Client) -> None:
    answer = staff.get("/manage/")
    assert answer.context["steps"]["done"] == 0
    page = answer.content.decode()
    for step in ("Connect Stripe", "Say who you are", "Set your taxes", "Add a product", "Add a customer"):
        assert step in page


def test_the_first_steps_go_once_they_are_done(staff: Client, subscription: Subscription, now: Any) -> None:
    assert staff.get("/manage/").context["steps"]["done"] == 4
    BillingSettings.objects.update(address_line1="Weg 1", country="DE")
    StripeConnection.objects.create(
        kind="connect", account_id="acct_1", publishable_key="pk", connected_at=now
    )
    answer = staff.get("/manage/")
    assert answer.context["steps"] is None
    assert "Get ready" not in answer.content.decode()


def test_the_figures_are_those_of_the_ledger(
    staff: Client, customer: Customer, subscription: Subscription, actor: Any
) -> None:
    now = clock.now()
    rows.issued(customer, actor=actor, now=now, amount=10_000)
    gone = rows.issued(customer, actor=actor, now=now, amount=7_000)
    void(gone, actor=actor, now=now)
    today = now.date()
    month = figures.by_month(today=today)["EUR"][-1]
    assert (month.revenue, month.outstanding) == (Money(10_000, "EUR"), Money(11_900, "EUR"))
    owed = figures.owed(today=today + timedelta(days=30))["EUR"]
    assert (owed.overdue, owed.late) == (Money(11_900, "EUR"), 1)
    page = staff.get("/manage/").content.decode()
    assert "€100.00" in page
    assert "€119.00" in page


def test_each_currency_has_its_figures(staff: Client, customer: Customer, actor: Any) -> None:
    now = clock.now()
    rows.issued(customer, actor=actor, now=now)
    Customer.objects.update(currency="JPY")
    customer.refresh_from_db()
    rows.issued(customer, actor=actor, now=now, amount=1234)
    assert "¥1,234" in staff.get("/manage/?currency=JPY").content.decode()
    assert staff.get("/manage/?currency=XXX").context["currency"] == "EUR"


def test_outstanding_is_carried_over_months_without_bookings() -> None:
    months = figures._months(date(2026, 11, 23))
    assert (months[0], months[-1], len(months)) == (date(2025, 12, 1), date(2026, 11, 1), 12)
    series = figures._months_of("EUR", months, {months[3]: 100}, {date(2020, 1, 1): 50, months[3]: 119})
    assert [month.outstanding.minor for month in series] == [50] * 3 + [169] * 9


def test_a_run_is_asked_for_once_a_press(staff: Client) -> None:
    page = staff.post("/manage/runs/now/", follow=True).content.decode()
    assert "has been asked for" in page
    assert Job.objects.filter(name="billing.run_invoices").count() == 1
    assert AuditEvent.objects.filter(action="run.asked").count() == 1


def test_the_log_is_narrowed(owner: Client, customer: Customer, actor: Any, now: Any) -> None:
    rows.issued(customer, actor=actor, now=now)
    owner.post("/manage/settings/brand/", {"brand_colour": "#aa0000"})

    def found(**query: str) -> list[str]:
        return [entry.event.action for entry in owner.get("/manage/audit/", query).context["page"].rows]

    assert {"invoice.issued", "settings.changed", "user.created"} <= set(found())
    assert found(action="settings.changed") == ["settings.changed"]
    owner_id = AuditEvent.objects.get(action="settings.changed").actor_id
    assert found(person=owner_id) == ["settings.changed", "user.logged_in"]
    assert "tenant.created" not in found(person=owner_id)
    assert found(kind="nothing", subject="1") == []
    assert found(since="2027-01-01") == []
    assert found(until="2026-01-01") == []
    assert found(since="nonsense", until="9999-12-31")


def test_a_change_is_told_with_before_and_after(owner: Client) -> None:
    owner.post("/manage/settings/brand/", {"brand_colour": "#aa0000"})
    page = owner.get("/manage/audit/?action=settings.changed").content.decode()
    assert "<del>#3b5bdb</del>" in page
    assert "<ins>#aa0000</ins>" in page


def test_times_are_the_tenants_own(staff: Client) -> None:
    page = staff.get("/manage/audit/").content.decode()
    assert "+01:00" in page


def test_something_broken_is_told_with_a_reference(
    staff: Client, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(figures, "setup", lambda: 1 / 0)
    staff.raise_request_exception = False
    answer = staff.get("/manage/")
    assert answer.status_code == 500
    page = answer.content.decode()
    assert "Something broke on our side" in page
    reference = next(
        record.message.split()[1][:-1] for record in caplog.records if "reference" in record.message
    )
    assert reference in page
