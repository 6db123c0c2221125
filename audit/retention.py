"""How long events are kept, pure: two years at the least, what concerns money seven."""

from datetime import datetime

from audit.actions import Action

MONTHS = 24
MONEY_MONTHS = 84
MONEY = ("invoice.", "payment.", "refund.", "dispute.", "fee.", "tax_rate.")
# What proves the holes in the chain, and why a whole chain is gone, stays as long as the chain.
ALWAYS = (Action.AUDIT_PURGED, Action.TENANT_DROPPED)


def months_before(at: datetime, months: int) -> datetime:
    """Return the same day so many months before, or the last one of a month that is too short."""
    year, month = divmod(at.year * 12 + at.month - 1 - months, 12)
    for day in range(at.day, at.day - 4, -1):
        try:
            return at.replace(year=year, month=month + 1, day=day)
        except ValueError:
            continue
    raise AssertionError("a month has 28 days at the least")


def purgeable_since(at: datetime) -> datetime:
    """Return the instant at which an event must have stood, to be purged at `at`."""
    return months_before(at, MONTHS)


def money_purgeable_since(at: datetime) -> datetime:
    """Return the same for an event that concerns money."""
    return months_before(at, MONEY_MONTHS)


def is_kept_longer(action: str) -> bool:
    """Tell whether events of this action are kept as long as books are."""
    return action.startswith(MONEY)
