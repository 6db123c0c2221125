"""How long what is kept, as data: the periods of the code, which the policy publishes.

What is executed is what the policy in force tells: `privacy.retention.period_of`.
"""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final

from privacy.inventory import Retention


@dataclass(frozen=True, slots=True)
class Period:
    """How long: `days` or `years` after `since`; neither: as `words` say. `promise` is its number."""

    since: str
    words: str
    days: int | None = None
    years: int | None = None
    promise: str = ""

    def over_before(self, now: datetime) -> datetime:
        """The instant before which whatever began was kept long enough. TypeError: it has no period."""
        if self.years is not None:
            return years_before(now, self.years)
        if self.days is None:
            raise TypeError("This is kept until something happens, not for a time.")
        return now - timedelta(days=self.days)

    def over_at(self, began: datetime) -> datetime:
        """The first instant at which what began then was kept long enough. TypeError: it has no period."""
        if self.years is not None:
            return years_after(began, self.years)
        if self.days is None:
            raise TypeError("This is kept until something happens, not for a time.")
        return began + timedelta(days=self.days)


def years_before(now: datetime, years: int) -> datetime:
    """The same instant `years` earlier; what began on 29 February is kept to 1 March, never a day short."""
    day = _same_day(now.date(), now.year - years)
    return datetime.combine(day, now.timetz())


def years_after(began: datetime, years: int) -> datetime:
    """The same instant `years` later; of 29 February the beginning of 1 March, where there is no such day."""
    try:
        return began.replace(year=began.year + years)
    except ValueError:
        return datetime.combine(date(began.year + years, 3, 1), time(), began.tzinfo)


def _same_day(day: date, year: int) -> date:
    try:
        return day.replace(year=year)
    except ValueError:
        return date(year, 2, 28)


PERIODS: Final[dict[Retention, Period]] = {
    Retention.ACCOUNT: Period(
        "the account is closed", "as long as the account is open, and 30 days more", days=30, promise="R1"
    ),
    Retention.BILLING: Period("the account is closed", "7 years", years=7, promise="R2"),
    Retention.RECORD: Period("the action", "2 years at the least", years=2, promise="R3"),
    Retention.REQUEST_LOG: Period("the request", "30 days at the most", days=29, promise="R4"),
    Retention.CONSENT: Period("", "for ever, without the address once its person is erased", promise="R6"),
    Retention.SESSION: Period("the log-in", "30 days", days=30),
    Retention.DEVICE: Period("it was last seen", "90 days", days=90),
    Retention.INVITATION: Period("it expired", "30 days", days=30),
    Retention.EMAIL_CHANGE: Period("it can be undone no more", "30 days", days=30),
    Retention.CHALLENGE: Period("it was made", "a day", days=1),
    Retention.THROTTLE: Period("the last attempt", "a day", days=1),
    Retention.JOB: Period("it was done", "14 days", days=14),
    Retention.VENDOR_EVENT: Period("it was handled", "35 days", days=35),
    Retention.EXPORT_FILE: Period("it was ready", "7 days", days=7),
    Retention.REHEARSAL: Period("it was made", "30 days", days=30),
    Retention.PROSPECT: Period("the last word", "12 months", years=1),
    Retention.REQUEST: Period("it was answered", "7 years", years=7),
    Retention.STAFF: Period("the employment ended", "as long as somebody works for ProEcommerce"),
    Retention.INCIDENT: Period("", "for ever: the law asks for a register"),
}
