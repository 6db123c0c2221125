"""Billing periods that never drift, and the borders between local days and instants.

A subscription keeps one anchor date for life; period n starts n cycles after *the anchor*, clipped to the
month's end, never one cycle after the last start (31 Jan → 28 Feb → 31 Mar). Periods are half open.
"""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

_DAYS_IN_MONTH = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


class PeriodError(ValueError):
    """A date, cycle or time zone that makes no period."""


class OffGrid(PeriodError):
    """The next due date is not a whole number of cycles after the start."""


class Cycle(StrEnum):
    """How often a price recurs. The value is what the database holds."""

    ONE_TIME = "one_time"
    MONTHLY = "monthly"
    QUARTERLY = "quarterly"
    SEMI_ANNUAL = "semi_annual"
    ANNUAL = "annual"
    BIENNIAL = "biennial"
    TRIENNIAL = "triennial"

    @property
    def months(self) -> int:
        """The length in months; 0 for one-time, which has no periods."""
        return _MONTHS[self]

    @property
    def recurs(self) -> bool:
        return self is not Cycle.ONE_TIME

    @classmethod
    def parse(cls, text: str) -> "Cycle":
        """Read a cycle as people and other systems spell it: `semiannual`, `Semi-Annual`, `one time`."""
        squeezed = text.strip().lower().replace("-", "").replace("_", "").replace(" ", "")
        for cycle in cls:
            if squeezed == cycle.value.replace("_", ""):
                return cycle
        raise PeriodError(f"{text[:40]!a} is not a billing cycle; expected one of: {', '.join(cls)}")


_MONTHS: Final[Mapping[Cycle, int]] = {
    Cycle.ONE_TIME: 0,
    Cycle.MONTHLY: 1,
    Cycle.QUARTERLY: 3,
    Cycle.SEMI_ANNUAL: 6,
    Cycle.ANNUAL: 12,
    Cycle.BIENNIAL: 24,
    Cycle.TRIENNIAL: 36,
}


class Period(NamedTuple):
    """The days from `start` up to but not including `end_exclusive`."""

    start: date
    end_exclusive: date

    @property
    def last_day(self) -> date:
        """The last day inside, as invoices print it: 1 to 31 January."""
        return self.end_exclusive - timedelta(days=1)

    def holds(self, day: date) -> bool:
        return self.start <= day < self.end_exclusive


class Anchoring(NamedTuple):
    """Where a subscription stands on its grid: period `next_index`, counted from `anchor`, is billed next."""

    anchor: date
    next_index: int


def add_months(anchor: date, months: int) -> date:
    """Move by whole months, clipped to the last day of a shorter one. Raises PeriodError beyond year 9999."""
    year, month0 = divmod(anchor.year * 12 + anchor.month - 1 + months, 12)
    last = _DAYS_IN_MONTH[month0]
    if month0 == 1 and year % 4 == 0 and (year % 100 != 0 or year % 400 == 0):
        last = 29
    try:
        return date(year, month0 + 1, min(anchor.day, last))
    except ValueError:
        raise PeriodError(f"{months} months after {anchor.isoformat()} is outside the calendar") from None


def period(anchor: date, cycle: Cycle, index: int) -> Period:
    """Give period number `index` (from 0) of the grid laid by `anchor` and `cycle`."""
    months = _recurring_months(cycle)
    if index < 0:
        raise PeriodError(f"a period's index counts from 0, not {index}")
    return Period(add_months(anchor, months * index), add_months(anchor, months * (index + 1)))


def index_of(anchor: date, cycle: Cycle, day: date) -> int:
    """Say which period holds `day`. Raises PeriodError for a day before the anchor."""
    months = _recurring_months(cycle)
    if day < anchor:
        raise PeriodError(
            f"{day.isoformat()} is before the first period, which starts on {anchor.isoformat()}"
        )
    index = _months_between(anchor, day) // months
    return index if add_months(anchor, months * index) <= day else index - 1


def next_due(anchor: date, cycle: Cycle, after: date) -> date:
    """Give the first period start strictly after the day `after`; before the anchor that is the anchor."""
    months = _recurring_months(cycle)
    if after < anchor:
        return anchor
    return add_months(anchor, months * (index_of(anchor, cycle, after) + 1))


def days_in(span: Period) -> int:
    """Count the days of a period; the denominator of a proration."""
    return (span.end_exclusive - span.start).days


def anchor_for(started_on: date, next_due_on: date, cycle: Cycle, *, strict: bool = True) -> Anchoring:
    """Place a running subscription, brought from elsewhere, on a grid without losing its day of the month.

    Started 2019-01-31 and next due 2027-02-28, monthly: the anchor stays the 31st, so March is due on the
    31st. When `next_due_on` is no period start of the grid that `started_on` lays, this raises OffGrid; with
    `strict=False` the grid begins anew at `next_due_on`, index 0. A due date before the start always raises.
    """
    months = _recurring_months(cycle)
    if next_due_on < started_on:
        raise PeriodError(
            f"next due on {next_due_on.isoformat()} is before the start on {started_on.isoformat()}"
        )
    index, off = divmod(_months_between(started_on, next_due_on), months)
    if off == 0 and add_months(started_on, months * index) == next_due_on:
        return Anchoring(started_on, index)
    if strict:
        near = index_of(started_on, cycle, next_due_on)
        before = add_months(started_on, months * near).isoformat()
        behind = add_months(started_on, months * (near + 1)).isoformat()
        raise OffGrid(
            f"next due on {next_due_on.isoformat()} does not fit a {cycle} cycle started on "
            f"{started_on.isoformat()}; it would be {before} or {behind}"
        )
    return Anchoring(next_due_on, 0)


def _recurring_months(cycle: Cycle) -> int:
    months = _MONTHS[cycle]
    if not months:
        raise PeriodError("a one-time price has no periods")
    return months


def _months_between(first: date, second: date) -> int:
    """Calendar months from one date's month to the other's; days do not count."""
    return (second.year - first.year) * 12 + second.month - first.month


@lru_cache(maxsize=512)
def zone(name: str) -> ZoneInfo:
    """Find a time zone by its IANA name (`Europe/Berlin`). Raises PeriodError for anything else."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # absent; malformed or leading out of the database; a directory
        raise PeriodError(f"{name[:40]!a} is not a time zone; expected a name like Europe/Berlin") from None


def local_date(instant: datetime, tz: ZoneInfo) -> date:
    """Say which day it is in `tz` at an instant. Raises PeriodError for a time without a zone."""
    if instant.tzinfo is None:
        raise PeriodError("an instant needs a time zone; this one has none")
    return instant.astimezone(tz).date()


def local_midnight(day: date, tz: ZoneInfo) -> datetime:
    """Give the instant, in UTC, at which `day` begins in `tz`.

    Midnight that the clocks skip: the first instant after the gap. Midnight that comes twice: the first.
    A day that never was (Samoa, 30 Dec 2011) begins when the next one does.
    """
    midnight = datetime(day.year, day.month, day.day, tzinfo=tz)
    instant = midnight.astimezone(UTC)
    if instant.astimezone(tz).replace(tzinfo=None) == midnight.replace(tzinfo=None):
        return instant
    # Skipped: some clock change is near. Halve down to the second at which the local date reaches `day`.
    low, high = instant - timedelta(days=1), instant + timedelta(days=1)
    while high - low > timedelta(seconds=1):
        middle = (low + (high - low) // 2).replace(microsecond=0)
        if local_date(middle, tz) >= day:
            high = middle
        else:
            low = middle
    return high
