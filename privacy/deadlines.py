"""By when a request must be answered, acknowledged and be reminded of: pure, days in and days out.

GDPR Art. 12(3): one month; we promise 30 days; the earlier of the two holds. CCPA, regulation § 7021: 45
calendar days from receipt, acknowledged in 10 business days, once 45 days more.
"""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Final
from zoneinfo import ZoneInfo

from dateutil.relativedelta import MO, TH, relativedelta

DAY = timedelta(days=1)
GDPR_DAYS, CCPA_DAYS = 30, 45
EXTENSION_MONTHS = 2
BUSINESS_DAYS = 10
# The westernmost zone in which we or those who write are: its calendar begins the count, never a day late.
EARLIEST: Final = ZoneInfo("America/Los_Angeles")


class Law(StrEnum):
    """By which law a request is answered."""

    GDPR = "gdpr"
    CCPA = "ccpa"


class Level(StrEnum):
    """How far the time has run."""

    EARLY = ""
    HALF = "half"
    LATE = "late"
    OVERDUE = "overdue"


def receipt_day(received: datetime) -> date:
    """The day on which a message came, where it is earliest."""
    return received.astimezone(EARLIEST).date()


def due_on(law: Law, received: date) -> date:
    """The last day on which the answer is in time."""
    if law is Law.CCPA:
        return received + CCPA_DAYS * DAY
    return min(received + GDPR_DAYS * DAY, months_after(received, 1))


def extended_due_on(law: Law, received: date) -> date:
    """The last day once the time was extended, which may be done once."""
    if law is Law.CCPA:
        return received + 2 * CCPA_DAYS * DAY
    return months_after(due_on(law, received), EXTENSION_MONTHS)


def may_be_extended(law: Law, received: date, today: date) -> bool:
    """Whether the person can still be told in time that it takes longer: within the first period."""
    return today <= due_on(law, received)


def acknowledge_by(law: Law, received: date) -> date | None:
    """The last day on which the receipt is acknowledged in time; None: this law asks for none."""
    return business_days_after(received, BUSINESS_DAYS) if law is Law.CCPA else None


def level(received: date, due: date, today: date) -> Level:
    """How far the time has run: reminders go at half of it, at four fifths, and each day after its end."""
    if today > due:
        return Level.OVERDUE
    gone, whole = (today - received).days, (due - received).days
    if 5 * gone >= 4 * whole:
        return Level.LATE
    return Level.HALF if 2 * gone >= whole else Level.EARLY


def months_after(day: date, months: int) -> date:
    """The same day of a later month, or the last one of a month that is too short."""
    return day + relativedelta(months=months)


def business_days_after(day: date, count: int) -> date:
    """The last of `count` business days after `day`, which itself is not counted."""
    while count:
        day += DAY
        count -= is_business_day(day)
    return day


def is_business_day(day: date) -> bool:
    """Monday to Friday, and no federal holiday of the United States."""
    return day.weekday() < 5 and day not in set(holidays(day.year)) and day not in set(holidays(day.year + 1))


def holidays(year: int) -> Iterator[date]:
    """The federal holidays of a year, on the days on which they are observed (5 U.S.C. 6103)."""
    for month, number in ((1, 1), (6, 19), (7, 4), (11, 11), (12, 25)):
        yield _observed(date(year, month, number))
    yield date(year, 1, 1) + relativedelta(weekday=MO(+3))  # Martin Luther King Jr.
    yield date(year, 2, 1) + relativedelta(weekday=MO(+3))  # Washington
    yield date(year, 5, 31) + relativedelta(weekday=MO(-1))  # Memorial Day
    yield date(year, 9, 1) + relativedelta(weekday=MO(+1))  # Labor Day
    yield date(year, 10, 1) + relativedelta(weekday=MO(+2))  # Columbus Day
    yield date(year, 11, 1) + relativedelta(weekday=TH(+4))  # Thanksgiving


def _observed(day: date) -> date:
    return day + {5: -DAY, 6: DAY}.get(day.weekday(), 0 * DAY)
