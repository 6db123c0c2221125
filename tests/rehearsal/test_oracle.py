"""The oracle itself, by dates that anybody can check in a calendar."""

from datetime import date
from itertools import islice

from tests.rehearsal import oracle, samples


def first(started: str, due: str, cycle: str, count: int = 4) -> list[str]:
    days = oracle.grid(date.fromisoformat(started), date.fromisoformat(due), oracle.MONTHS[cycle])
    return [day.isoformat() for day in islice(days, count)]


def test_the_last_of_a_month_stays_the_last() -> None:
    assert first("2019-01-31", "2027-01-31", "monthly") == [
        "2027-01-31", "2027-02-28", "2027-03-31", "2027-04-30",
    ]  # fmt: skip


def test_a_leap_day_comes_back_in_leap_years() -> None:
    assert first("2024-02-29", "2027-02-28", "annual", 2) == ["2027-02-28", "2028-02-29"]


def test_off_the_grid_the_due_date_lays_it() -> None:
    assert first("2020-01-07", "2026-12-31", "quarterly", 2) == ["2026-12-31", "2027-03-31"]


def test_the_samples_hold_what_makes_dates_hard() -> None:
    found = oracle.periods(samples.subscriptions(), until=date(2027, 3, 31))
    days = {each.start for each in found}
    assert {date(2026, 12, 31), date(2027, 1, 30), date(2027, 2, 28), date(2027, 3, 29)} <= days
    assert {each.currency for each in found} == {"USD", "EUR", "JPY"}
    made = oracle.bills(samples.subscriptions(), since=date(2026, 11, 16), until=date(2027, 3, 31))
    assert any(len(bill.lines) > 1 for bill in made)
    twice = {(bill.customer, bill.due_on) for bill in made if bill.currency != "JPY"}
    assert len(twice) < sum(bill.currency != "JPY" for bill in made)
