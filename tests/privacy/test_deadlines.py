"""By when a request must be answered: every receipt date of four years, and business days by the calendar."""

import calendar
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import pytest

from privacy import deadlines
from privacy.deadlines import Law, Level

DAY = timedelta(days=1)
# As the Office of Personnel Management publishes them.
HOLIDAYS = {
    2026: "01-01 01-19 02-16 05-25 06-19 07-03 09-07 10-12 11-11 11-26 12-25",
    2027: "01-01 01-18 02-15 05-31 06-18 07-05 09-06 10-11 11-11 11-25 12-24",
    2028: "12-31 01-17 02-21 05-29 06-19 07-04 09-04 10-09 11-10 11-23 12-25",
    2029: "01-01 01-15 02-19 05-28 06-19 07-04 09-03 10-08 11-12 11-22 12-25",
}


def receipt_dates() -> Iterator[date]:
    day = date(2026, 1, 1)
    while day <= date(2029, 12, 31):
        yield day
        day += DAY


def months_later(day: date, months: int) -> date:
    """By hand, not by the library that the rule uses."""
    year, month = day.year + (day.month - 1 + months) // 12, (day.month - 1 + months) % 12 + 1
    return date(year, month, min(day.day, calendar.monthrange(year, month)[1]))


def test_the_answer_is_never_late_by_either_count_for_any_receipt_date() -> None:
    shorter = []
    for day in receipt_dates():
        due = deadlines.due_on(Law.GDPR, day)
        month = months_later(day, 1)
        assert due == min(day + 30 * DAY, month), day
        assert due <= month and (due - day).days <= 30
        assert deadlines.due_on(Law.CCPA, day) == day + 45 * DAY
        if month < day + 30 * DAY:
            shorter.append(day)
    assert len(list(receipt_dates())) == 1461
    assert len(shorter) == 120  # the end of January, and February


def test_an_extension_ends_in_time_for_any_receipt_date() -> None:
    for day in receipt_dates():
        legal = months_later(day, 3)
        due = deadlines.due_on(Law.GDPR, day)
        extended = deadlines.extended_due_on(Law.GDPR, day)
        assert extended == months_later(due, 2)
        assert due + 58 * DAY < extended <= legal
        assert deadlines.extended_due_on(Law.CCPA, day) == day + 90 * DAY
        assert deadlines.may_be_extended(Law.GDPR, day, due)
        assert not deadlines.may_be_extended(Law.GDPR, day, due + DAY)


@pytest.mark.parametrize("year", HOLIDAYS)
def test_holidays_are_those_that_the_government_keeps(year: int) -> None:
    found = sorted(f"{each:%m-%d}" for each in deadlines.holidays(year))
    assert found == sorted(HOLIDAYS[year].split())
    assert all(each.weekday() < 5 for each in deadlines.holidays(year))


def test_the_receipt_is_acknowledged_within_ten_business_days_for_any_receipt_date() -> None:
    closed = {day for year in range(2026, 2032) for day in deadlines.holidays(year)}
    for day in receipt_dates():
        by = deadlines.acknowledge_by(Law.CCPA, day)
        assert by is not None
        between = [day + n * DAY for n in range(1, (by - day).days + 1)]
        assert sum(each.weekday() < 5 and each not in closed for each in between) == 10
        assert by.weekday() < 5 and by not in closed
        assert deadlines.acknowledge_by(Law.GDPR, day) is None


def test_new_year_on_a_saturday_is_kept_the_day_before() -> None:
    assert not deadlines.is_business_day(date(2027, 12, 31))
    assert deadlines.business_days_after(date(2027, 12, 30), 1) == date(2028, 1, 3)


def test_reminders_come_at_half_at_four_fifths_and_each_day_after() -> None:
    received, due = date(2026, 11, 1), date(2026, 12, 1)
    levels = [deadlines.level(received, due, received + n * DAY) for n in range(33)]
    assert [levels.index(each) for each in (Level.EARLY, Level.HALF, Level.LATE, Level.OVERDUE)] == [
        0,
        15,
        24,
        31,
    ]
    assert levels[30] is Level.LATE and levels[31:] == [Level.OVERDUE] * 2


def test_the_count_begins_where_the_day_is_earliest() -> None:
    assert deadlines.receipt_day(datetime(2026, 2, 1, 3, tzinfo=UTC)) == date(2026, 1, 31)
    assert deadlines.receipt_day(datetime(2026, 2, 1, 9, tzinfo=UTC)) == date(2026, 2, 1)
