"""A file that comes again, early or late, whole or changed: what was done here in between stays done."""

from datetime import date, datetime, timedelta
from typing import Any

import pytest

from accounts.models import Customer
from audit.models import AuditEvent
from audit.verifying import verify
from billing import subscribing
from billing.importing.customers import import_customers
from billing.importing.outcome import Outcome
from billing.importing.reading import Problem
from billing.importing.subscriptions import import_subscriptions
from billing.models import Invoice, InvoiceLine, Subscription
from billing.running import run_invoices
from tests.billing.importing import files

Place = tuple[date, int, date | None, date]


@pytest.fixture
def bring(tenant: Any, actor: Any, now: datetime) -> Any:
    """Import subscriptions for the customers C-1 and C-2."""
    assert import_customers(files.customers({}, {}), actor=actor, now=now).is_fine

    def brought(*changes: dict[str, Any], at: datetime = now) -> Outcome:
        return import_subscriptions(files.subscriptions(*changes), actor=actor, now=at)

    return brought


def place() -> Place:
    found = Subscription.objects.get()
    return found.anchored_on, found.next_index, found.next_due_on, found.started_on


def told(outcome: Outcome) -> list[Problem]:
    return list(outcome.problems)


def noted(outcome: Outcome) -> list[Problem]:
    return list(outcome.warnings)


def test_a_resumed_subscription_keeps_the_place_to_which_it_was_resumed(
    bring: Any, actor: Any, now: datetime
) -> None:
    bring()
    subscription = Subscription.objects.get()
    subscribing.pause(subscription, actor=actor, now=now)
    spring = now + timedelta(days=120)
    subscribing.resume(subscription, actor=actor, now=spring)
    resumed = place()
    assert resumed[2] == date(2027, 3, 31)
    again = bring({"quantity": "3"}, at=spring)
    assert (told(again), again.changed, place()) == ([], 1, resumed)
    assert Subscription.objects.get().quantity == 3
    assert run_invoices(actor=actor, now=spring).invoices == 1
    assert [line.period_start for line in InvoiceLine.objects.all()] == [date(2027, 3, 31)]


def test_a_paused_subscription_stays_paused_where_it_is(bring: Any, actor: Any, now: datetime) -> None:
    bring()
    subscribing.pause(Subscription.objects.get(), actor=actor, now=now, reason="unpaid")
    before = place()
    later = bring({"next_due_on": "2027-01-31"})
    assert (told(later), place()) == ([], before)
    assert noted(later) == [(2, "next_due_on", "stays 2026-11-30: it was billed or changed here")]
    assert Subscription.objects.get().status == "paused"


def test_a_billed_subscription_is_never_billed_for_the_same_period_again(
    bring: Any, actor: Any, now: datetime
) -> None:
    bring()
    run_invoices(actor=actor, now=now)
    before = place()
    assert before == (date(2019, 1, 31), 95, date(2026, 12, 31), date(2019, 1, 31))
    again = bring()
    assert (again.unchanged, noted(again), place()) == (1, [], before)
    assert run_invoices(actor=actor, now=now).invoices == 0
    assert Invoice.objects.count() == 1


def test_an_old_file_is_still_taken_years_later(bring: Any, actor: Any, now: datetime) -> None:
    bring()
    at = now
    for _ in range(20):
        run_invoices(actor=actor, now=at)
        at += timedelta(days=30)
    before = place()
    again = bring({"unit_amount": "30.00"}, at=at)
    assert (told(again), again.changed, place()) == ([], 1, before)


@pytest.mark.parametrize(
    ("change", "column"),
    [
        ({"customer_external_id": "C-2"}, "customer_external_id"),
        ({"started_on": "2018-01-31"}, "started_on"),
        ({"cycle": "annual", "next_due_on": "2027-01-31"}, "cycle"),
    ],
)
def test_what_billed_periods_stand_on_cannot_change(
    bring: Any, actor: Any, now: datetime, change: dict[str, Any], column: str
) -> None:
    bring()
    run_invoices(actor=actor, now=now)
    before = place()
    reason = "cannot change: it was billed or changed here; cancel it and bring it under another id"
    assert told(bring(change)) == [(2, column, reason)]
    assert place() == before


def test_mistakes_can_be_corrected_until_something_happened_here(bring: Any) -> None:
    bring()
    moved = {
        "customer_external_id": "C-2",
        "started_on": "2019-03-15",
        "next_due_on": "2026-12-15",
        "cycle": "quarterly",
    }
    assert bring(moved).changed == 1
    assert place() == (date(2019, 3, 15), 31, date(2026, 12, 15), date(2019, 3, 15))
    assert Subscription.objects.get().customer.external_id == "C-2"
    assert bring({"next_due_on": "2026-10-31"}).changed == 1
    assert place()[2] == date(2026, 10, 31)
    assert (bring({"next_due_on": "2026-10-31"}).unchanged, verify().problem) == (1, None)


def test_changes_are_recorded_with_what_they_changed(bring: Any) -> None:
    bring()
    bring({"quantity": "7"})
    (event,) = AuditEvent.objects.filter(action="subscription.changed")
    assert event.details == {"before": {"quantity": 2}, "after": {"quantity": 7}, "source": "import"}


def test_what_has_ended_stays_ended(bring: Any, actor: Any, now: datetime) -> None:
    bring()
    subscribing.cancel(Subscription.objects.get(), actor=actor, now=now)
    same = bring()
    assert (same.unchanged, told(same)) == (1, [])
    assert noted(same) == [(2, "external_id", "is cancelled here and stays so")]
    reason = "is cancelled here and cannot change; bring it under another id"
    assert told(bring({"quantity": "9"})) == [(2, "external_id", reason)]
    Subscription.objects.update(status="terminated")
    assert told(bring({"unit_amount": "1.00"})) == [
        (2, "external_id", reason.replace("cancelled", "terminated"))
    ]
    kept = Subscription.objects.get()
    assert (kept.status, kept.quantity) == ("terminated", 2)


def test_a_closed_customer_gets_no_subscription_but_keeps_those_it_has(bring: Any) -> None:
    bring()
    Customer.objects.update(status="closed")
    reason = "is closed, and gets no new subscription"
    new = {"external_id": "S-2", "customer_external_id": "C-2"}
    assert told(bring({}, new)) == [(3, "customer_external_id", reason)]
    assert told(bring({"customer_external_id": "C-2"})) == [(2, "customer_external_id", reason)]
    assert bring().unchanged == 1
    assert Subscription.objects.count() == 1
