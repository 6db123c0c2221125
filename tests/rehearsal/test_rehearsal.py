"""A rehearsal bills every period once, on its day, with its amount, and collects it; the books agree."""

from datetime import date
from typing import Any

import pytest

from billing import rehearsing
from billing.models import Invoice, Payment, Posting
from tenants.context import enter
from tests.rehearsal import oracle, samples
from tests.rehearsal.living import SINCE, UNTIL, live, live_twice_at_once, new_tenant
from tests.rehearsal.state import assert_billed, assert_sound, bills_of, charges, state_of

pytestmark = [
    pytest.mark.usefixtures("committed"),
    pytest.mark.xdist_group("rehearsal"),
    pytest.mark.timeout(240),
]


def wanted(until: date = UNTIL) -> list[oracle.Bill]:
    return oracle.bills(samples.subscriptions(), since=SINCE, until=until)


def test_every_period_is_billed_once_on_its_day_and_paid(undisturbed: Any) -> None:
    assert_billed(undisturbed, wanted())
    assert_sound(undisturbed)


def test_all_currencies_were_billed_and_their_ledgers_are_at_zero(undisturbed: Any) -> None:
    with enter(undisturbed):
        assert set(Posting.objects.values_list("currency", flat=True)) == {"USD", "EUR", "JPY"}
    assert_sound(undisturbed)


def test_days_that_are_over_are_not_lived_again(undisturbed: Any) -> None:
    before = state_of(undisturbed)
    assert [lived.day for lived in rehearsing.live(undisturbed, start=SINCE, until=UNTIL)] == [UNTIL]
    assert state_of(undisturbed) == before


def test_each_run_started_twice_at_once_comes_to_the_same(undisturbed: Any, newcomer: Any) -> None:
    live_twice_at_once(newcomer, until=UNTIL)
    assert state_of(newcomer) == state_of(undisturbed)
    assert_sound(newcomer)


def test_declined_cards_leave_invoices_open_and_book_nothing(committed: None) -> None:
    until = date(2026, 12, 31)
    tenant = new_tenant(samples.customers(), samples.subscriptions(), zone="Pacific/Auckland")
    live(tenant, until=until, autopay="decline")
    bills = [bill._replace(paid_on=None) for bill in wanted(until)]
    with enter(tenant):
        assert bills_of(tenant) == bills
        due = [(bill.customer, bill.due_on, bill.currency) for bill in bills if bill.due_on <= until]
        tried = Payment.objects.filter(state="failed", method="autopay")
        assert sorted(tried.values_list("customer__external_id", "invoice__due_on", "currency")) == due
        assert Payment.objects.count() == len(due)
        assert set(Invoice.objects.values_list("status", "amount_paid")) == {("open", 0)}
        assert set(Posting.objects.values_list("account", flat=True)) == {"receivable", "revenue"}
        assert not charges()
    assert_sound(tenant)
