"""Forgetting what is old enough: Stripe's events that were handled, and the books of closed accounts.

Unhandled events stay.

Stripe lists events of the last 30 days and sends them again for less than that. What is purged is older, by
our clock and by Stripe's, so that neither brings it back; the sweep never looks further back either. Should
one come all the same, handling it again changes nothing: an event only hints to look, all is booked once.
"""

import json
import logging
from datetime import datetime
from typing import Final
from uuid import UUID

from django.db import connection, transaction

from accounts.models import Customer
from audit.actors import Actor
from privacy import closing, holds
from privacy.inventory import Retention
from privacy.models import Closing
from privacy.retention import Swept, executes, over_before
from privacy.subjects import Subject

log = logging.getLogger(__name__)

BATCH: Final = 2_000
# What is left after that many is for the next day: the job must end before its lease does.
BATCHES: Final = 100
_HANDLED: Final = " FROM billing_stripeevent WHERE received_at < %s AND handled_at < %s AND created_at < %s"
_PURGE: Final = (
    f"DELETE FROM billing_stripeevent WHERE id IN (SELECT id{_HANDLED}"
    " ORDER BY received_at LIMIT %s FOR UPDATE SKIP LOCKED)"
)


def purge_handled_events(*, before: datetime, dry_run: bool = False) -> int:
    """Delete the events that were handled before this instant; returns how many.

    Commits batch by batch, leaves out rows that somebody holds, and waits for nobody.
    """
    cut, purged = [before] * 3, 0
    if dry_run:
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT count(*){_HANDLED}", cut)
            return int(cursor.fetchone()[0])
    for _ in range(BATCHES):
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(_PURGE, [*cut, BATCH])
            found = cursor.rowcount
        purged += found
        if found < BATCH:
            break
    return purged


@executes(Retention.VENDOR_EVENT, scope="tenant")
def handled_events(*, now: datetime, dry_run: bool, actor: Actor) -> list[Swept]:
    """What Stripe told us and was handled."""
    cut = over_before(Retention.VENDOR_EVENT, now)
    return [Swept("billing_stripeevent", purge_handled_events(before=cut, dry_run=dry_run))]


@executes(Retention.BILLING, scope="tenant")
def closed_accounts(*, now: datetime, dry_run: bool, actor: Actor) -> list[Swept]:
    """Invoices, payments, entries and all that belongs to them of customers closed seven years ago.

    The app may not delete them: a function of the database does, which looks again by its own clock whether
    the time has come and no hold stands. Entries go whole, so that the ledger stays balanced.
    """
    old = closing.done_before(closing.CUSTOMER, over_before(Retention.BILLING, now))
    if holds.is_workspace_held():
        return []
    old = [each for each in old if not holds.is_held(each)]
    if dry_run:
        return [Swept("accounts_customer", len(old))]
    swept: list[Swept] = []
    failed = 0
    for each in old:
        try:
            swept += _purge(each)
        except Exception:
            log.exception("the books of %s could not be purged", each)
            failed += 1
    return [*swept, Swept("accounts_customer", len(old) - failed, failed)]


def _purge(customer: Subject) -> list[Swept]:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT billing_purge_closed(%s)::text", [UUID(customer.id)])
        counts: dict[str, int] = json.loads(cursor.fetchone()[0])
        Customer.objects.filter(pk=UUID(customer.id)).delete()
        Closing.objects.filter(subject_kind=customer.kind, subject_id=customer.id).delete()
    return [Swept(table, count) for table, count in counts.items()]
