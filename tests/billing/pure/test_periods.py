"""Periods: no drift, no gap, no overlap, in any month and any time zone."""

import calendar
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest
from dateutil.relativedelta import relativedelta
from hypothesis import given
from hypothesis import strategies as st

from billing.periods import (
    Anchoring,
    Cycle,
    OffGrid,
    Period,
    PeriodError,
    add_months,
    anchor_for,
    days_in,
    index_of,
    local_date,
    local_midnight,
    next_due,
    period,
    zone,
)

anchors = st.dates(date(1990, 1, 1), date(2100, 12, 31))
recurring = st.sampled_from([cycle for cycle in Cycle if cycle.recurs])
indexes = st.integers(0, 400)


@given(anchors, recurring, indexes)
def test_periods_follow_each_other_without_gap_or_overlap(anchor: date, cycle: Cycle, index: int) -> None:
    this, following = period(anchor, cycle, index), period(anchor, cycle, index + 1)
    assert this.start < this.end_exclusive == following.start
    assert days_in(this) == (following.start - this.start).days
    assert this.last_day + timedelta(days=1) == following.start
    assert this.holds(this.start)
    assert this.holds(this.last_day)
    assert not this.holds(following.start)


@given(anchors, recurring, indexes)
def test_a_period_never_drifts_from_its_anchors_day(anchor: date, cycle: Cycle, index: int) -> None:
    start = period(anchor, cycle, index).start
    assert start.day == min(anchor.day, calendar.monthrange(start.year, start.month)[1])


@given(anchors, st.integers(-1000, 1000))
def test_months_are_added_as_dateutil_adds_them(anchor: date, months: int) -> None:
    assert add_months(anchor, months) == anchor + relativedelta(months=months)


@given(anchors, recurring, indexes, st.data())
def test_every_day_of_a_period_finds_its_index(
    anchor: date, cycle: Cycle, index: int, data: st.DataObject
) -> None:
    this = period(anchor, cycle, index)
    day = this.start + timedelta(days=data.draw(st.integers(0, days_in(this) - 1)))
    assert index_of(anchor, cycle, day) == index
    assert next_due(anchor, cycle, day) == this.end_exclusive


@given(anchors, recurring)
def test_the_first_due_date_is_the_anchor(anchor: date, cycle: Cycle) -> None:
    assert next_due(anchor, cycle, anchor - timedelta(days=1)) == anchor
    assert next_due(anchor, cycle, date(1980, 1, 1)) == anchor
    with pytest.raises(PeriodError):
        index_of(anchor, cycle, anchor - timedelta(days=1))


def test_the_31st_comes_back_after_a_short_month() -> None:
    starts = [period(date(2027, 1, 31), Cycle.MONTHLY, n).start for n in range(6)]
    assert starts == [
        date(2027, 1, 31), date(2027, 2, 28), date(2027, 3, 31),
        date(2027, 4, 30), date(2027, 5, 31), date(2027, 6, 30),
    ]  # fmt: skip


def test_a_leap_day_comes_back_in_leap_years() -> None:
    starts = [period(date(2024, 2, 29), Cycle.ANNUAL, n).start for n in range(5)]
    assert starts == [
        date(2024, 2, 29),
        date(2025, 2, 28),
        date(2026, 2, 28),
        date(2027, 2, 28),
        date(2028, 2, 29),
    ]
    assert period(date(2096, 2, 29), Cycle.ANNUAL, 4).start == date(2100, 2, 28)


def test_the_number_of_months_of_each_cycle() -> None:
    assert [cycle.months for cycle in Cycle] == [0, 1, 3, 6, 12, 24, 36]


def test_a_one_time_price_has_no_periods() -> None:
    anchor = date(2026, 1, 1)
    for refused in (
        lambda: period(anchor, Cycle.ONE_TIME, 0),
        lambda: index_of(anchor, Cycle.ONE_TIME, anchor),
        lambda: next_due(anchor, Cycle.ONE_TIME, anchor),
        lambda: anchor_for(anchor, anchor, Cycle.ONE_TIME),
    ):
        with pytest.raises(PeriodError, match="one-time"):
            refused()


def test_periods_outside_the_calendar_are_refused() -> None:
    with pytest.raises(PeriodError):
        period(date(2026, 1, 1), Cycle.MONTHLY, -1)
    with pytest.raises(PeriodError):
        period(date(9999, 12, 1), Cycle.MONTHLY, 0)


@pytest.mark.parametrize(
    ("text", "cycle"),
    [
        ("monthly", Cycle.MONTHLY),
        ("semiannual", Cycle.SEMI_ANNUAL),
        ("semi_annual", Cycle.SEMI_ANNUAL),
        ("Semi-Annual", Cycle.SEMI_ANNUAL),
        (" one time ", Cycle.ONE_TIME),
        ("TRIENNIAL", Cycle.TRIENNIAL),
    ],
)
def test_cycles_are_read_as_others_spell_them(text: str, cycle: Cycle) -> None:
    assert Cycle.parse(text) is cycle


@pytest.mark.parametrize("text", ["", "weekly", "month", "monthly;drop", "m" * 500])
def test_an_unknown_cycle_is_refused_with_the_known_ones(text: str) -> None:
    with pytest.raises(PeriodError, match="monthly, quarterly, semi_annual, annual") as refusal:
        Cycle.parse(text)
    assert len(str(refusal.value)) < 200


@given(anchors, recurring, st.integers(0, 200))
def test_an_imported_subscription_keeps_its_grid(started_on: date, cycle: Cycle, index: int) -> None:
    next_due_on = period(started_on, cycle, index).start
    assert anchor_for(started_on, next_due_on, cycle) == (started_on, index)


@given(anchors, recurring, st.integers(0, 3000))
def test_an_imported_subscription_is_due_when_it_said(started_on: date, cycle: Cycle, days: int) -> None:
    next_due_on = started_on + timedelta(days=days)
    anchor, index = anchor_for(started_on, next_due_on, cycle, strict=False)
    assert period(anchor, cycle, index).start == next_due_on


@pytest.mark.parametrize(
    ("started_on", "next_due_on", "cycle", "index", "then"),
    [
        ("2019-01-31", "2026-12-31", Cycle.MONTHLY, 95, "2027-01-31"),
        ("2019-01-31", "2027-02-28", Cycle.MONTHLY, 97, "2027-03-31"),
        ("2019-01-29", "2027-02-28", Cycle.MONTHLY, 97, "2027-03-29"),
        ("2019-08-31", "2027-02-28", Cycle.QUARTERLY, 30, "2027-05-31"),
        ("2019-08-29", "2027-02-28", Cycle.SEMI_ANNUAL, 15, "2027-08-29"),
        ("2020-02-29", "2027-02-28", Cycle.ANNUAL, 7, "2028-02-29"),
        ("2019-02-28", "2027-02-28", Cycle.ANNUAL, 8, "2028-02-28"),
        ("2019-06-30", "2027-06-30", Cycle.BIENNIAL, 4, "2029-06-30"),
        ("2026-12-04", "2026-12-04", Cycle.MONTHLY, 0, "2027-01-04"),
    ],
)
def test_a_clipped_due_date_does_not_lose_the_anchors_day(
    started_on: str, next_due_on: str, cycle: Cycle, index: int, then: str
) -> None:
    anchoring = anchor_for(date.fromisoformat(started_on), date.fromisoformat(next_due_on), cycle)
    assert anchoring == Anchoring(date.fromisoformat(started_on), index)
    assert period(anchoring.anchor, cycle, index + 1).start == date.fromisoformat(then)


@pytest.mark.parametrize(
    ("started_on", "next_due_on", "cycle", "nearest"),
    [
        ("2019-01-31", "2027-02-27", Cycle.MONTHLY, ("2027-01-31", "2027-02-28")),
        ("2019-01-15", "2027-02-28", Cycle.MONTHLY, ("2027-02-15", "2027-03-15")),
        ("2019-02-28", "2027-03-31", Cycle.MONTHLY, ("2027-03-28", "2027-04-28")),
        ("2019-01-15", "2027-02-15", Cycle.QUARTERLY, ("2027-01-15", "2027-04-15")),
        ("2020-02-29", "2028-02-28", Cycle.ANNUAL, ("2027-02-28", "2028-02-29")),
    ],
)
def test_a_due_date_off_the_grid_is_refused_or_lays_a_grid_of_its_own(
    started_on: str, next_due_on: str, cycle: Cycle, nearest: tuple[str, str]
) -> None:
    started, due = date.fromisoformat(started_on), date.fromisoformat(next_due_on)
    with pytest.raises(OffGrid, match=f"it would be {nearest[0]} or {nearest[1]}"):
        anchor_for(started, due, cycle)
    assert anchor_for(started, due, cycle, strict=False) == (due, 0)


@pytest.mark.parametrize("strict", [True, False])
def test_a_due_date_before_the_start_is_always_refused(strict: bool) -> None:
    with pytest.raises(PeriodError, match="before the start"):
        anchor_for(date(2026, 5, 1), date(2026, 4, 1), Cycle.MONTHLY, strict=strict)


@pytest.mark.parametrize(
    "name", ["", "Europe", "Europe/Atlantis", "../../etc/passwd", "/etc/localtime", "x\0y", "CEST+1"]
)
def test_an_unknown_time_zone_is_refused(name: str) -> None:
    with pytest.raises(PeriodError, match="is not a time zone"):
        zone(name)


def test_a_time_without_a_zone_is_no_instant() -> None:
    with pytest.raises(PeriodError):
        local_date(datetime(2026, 1, 1, 12), zone("UTC"))  # noqa: DTZ001


@pytest.mark.parametrize(
    ("instant", "tz", "day"),
    [
        ("2026-12-31T23:30:00+00:00", "Europe/Berlin", "2027-01-01"),
        ("2026-12-31T23:30:00+00:00", "America/New_York", "2026-12-31"),
        ("2026-12-31T10:00:00+00:00", "Pacific/Kiritimati", "2027-01-01"),
        ("2027-01-01T10:59:59+00:00", "Pacific/Pago_Pago", "2026-12-31"),
        ("2027-03-28T00:59:59+01:00", "Europe/London", "2027-03-27"),
    ],
)
def test_the_day_depends_on_where_one_is(instant: str, tz: str, day: str) -> None:
    assert local_date(datetime.fromisoformat(instant), zone(tz)) == date.fromisoformat(day)


@pytest.mark.parametrize(
    ("day", "tz", "instant"),
    [
        ("2027-03-28", "Europe/Berlin", "2027-03-27T23:00:00"),  # the day the clocks go forward, at 2
        ("2027-03-29", "Europe/Berlin", "2027-03-28T22:00:00"),
        ("2027-10-31", "Europe/Berlin", "2027-10-30T22:00:00"),
        ("2027-11-01", "Europe/Berlin", "2027-10-31T23:00:00"),
        ("2018-11-04", "America/Sao_Paulo", "2018-11-04T03:00:00"),  # no midnight: 0:00 became 1:00
        (
            "2018-02-18",
            "America/Sao_Paulo",
            "2018-02-18T03:00:00",
        ),  # 23:00 to 24:00 came twice the day before
        ("2026-11-01", "America/Havana", "2026-11-01T04:00:00"),  # midnight comes twice: the first
        ("2026-03-08", "America/Havana", "2026-03-08T05:00:00"),  # no midnight
        ("1919-03-31", "America/Toronto", "1919-03-31T04:30:00"),  # clocks leapt from 23:30 to 0:30
        ("2011-12-30", "Pacific/Apia", "2011-12-30T10:00:00"),  # a day that never was
        ("2011-12-31", "Pacific/Apia", "2011-12-30T10:00:00"),
    ],
)
def test_a_day_begins_at_its_first_instant(day: str, tz: str, instant: str) -> None:
    assert local_midnight(date.fromisoformat(day), zone(tz)) == datetime.fromisoformat(instant).replace(
        tzinfo=UTC
    )


@given(st.dates(date(1971, 1, 1), date(2037, 12, 31)), st.sampled_from(sorted(available_timezones())))
def test_the_instant_before_midnight_is_another_day(day: date, name: str) -> None:
    tz = ZoneInfo(name)
    midnight = local_midnight(day, tz)
    assert midnight.tzinfo is UTC
    assert local_date(midnight, tz) >= day  # later only where the day never was
    assert local_date(midnight - timedelta(microseconds=1), tz) < day


def test_billing_days_have_23_24_and_25_hours() -> None:
    tz = zone("Europe/Berlin")
    hours = [
        local_midnight(day + timedelta(days=1), tz) - local_midnight(day, tz)
        for day in (date(2027, 3, 28), date(2027, 6, 1), date(2027, 10, 31))
    ]
    assert hours == [timedelta(hours=23), timedelta(hours=24), timedelta(hours=25)]


def test_a_period_across_a_clock_change_keeps_its_days() -> None:
    assert days_in(period(date(2027, 3, 1), Cycle.MONTHLY, 0)) == 31
    assert days_in(Period(date(2027, 10, 31), date(2027, 11, 1))) == 1
