"""Forgetting Stripe's events that were handled long ago. Those that are unhandled stay.

Stripe lists events of the last 30 days and sends them again for less than that. What is purged is older, by
our clock and by Stripe's, so that neither brings it back; the sweep never looks further back either. Should
one come all the same, handling it again changes nothing: an event only hints to look, all is booked once.
"""

from datetime import datetime, timedelta
from typing import Final

from django.db import connection, transaction

KEEP_HANDLED: Final = timedelta(days=35)
BATCH: Final = 2_000
# What is left after that many is for the next day: the job must end before its lease does.
BATCHES: Final = 100
_PURGE: Final = (
    "DELETE FROM billing_stripeevent WHERE id IN (SELECT id FROM billing_stripeevent"
    " WHERE received_at < %s AND handled_at < %s AND created_at < %s"
    " ORDER BY received_at LIMIT %s FOR UPDATE SKIP LOCKED)"
)


def purge_handled_events(*, now: datetime) -> int:
    """Delete the events that were handled KEEP_HANDLED ago; returns how many.

    Commits batch by batch, leaves out rows that somebody holds, and waits for nobody.
    """
    cut, purged = now - KEEP_HANDLED, 0
    for _ in range(BATCHES):
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(_PURGE, [cut, cut, cut, BATCH])
            found = cursor.rowcount
        purged += found
        if found < BATCH:
            break
    return purged
