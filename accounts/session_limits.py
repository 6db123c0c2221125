"""How long a session may last: by what its user may do. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from privacy.inventory import Retention
from privacy.periods import PERIODS

SEEN_EVERY = timedelta(minutes=1)
DEVICE_KEPT = timedelta(days=PERIODS[Retention.DEVICE].days or 0)


@dataclass(frozen=True, slots=True)
class Limits:
    """The longest that a session may stand unused, and the longest that it may last at all."""

    idle: timedelta
    absolute: timedelta


WORKING = Limits(idle=timedelta(minutes=30), absolute=timedelta(hours=12))
OTHERS = Limits(idle=timedelta(days=7), absolute=timedelta(days=30))


def limits_of(role: str) -> Limits:
    """Return the limits for people of this role; those who may do much are asked to log in more often."""
    return OTHERS if role == "contact" else WORKING


def over_because(
    role: str, *, begun_at: datetime, last_seen_at: datetime, ends_at: datetime | None, now: datetime
) -> str:
    """Return why a session of these times is over by now, as in `Session.Ended`; "" while it lives."""
    limits = limits_of(role)
    end = begun_at + limits.absolute
    if now >= (min(end, ends_at) if ends_at else end):
        return "expired"
    return "idle" if now - last_seen_at >= limits.idle else ""
