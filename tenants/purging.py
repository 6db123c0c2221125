"""Forgetting jobs that are done. Those that wait, run or are parked stay, however old they are.

A job's key keeps it from being asked for twice, so a key may not be free again while somebody could still
ask with it. Planners' keys hold a day, an hour or an instant, and are asked with during that time only:
`collect:DAY`, `ask:DAY`, `sweep:DAY`, `ledger:DAY`, `purge:DAY`, `rouse:EVENT:HOUR`, `run:SCHEMA:INSTANT` (a
run that is done has moved the instant on). Keys of one change, such as `mail:INVOICE`, `collect:PAYMENT`,
`receipt:PAYMENT` and `event:ID`, are written with a change that happens once, and their handlers look first
whether it is still to be done. A rehearsal lives its days by a clock of its own, which may stand far in the
past: its jobs stay.
"""

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.db import connection, transaction

from tenants.context import enter_public
from tenants.ids import first_id_at

KEEP_DONE: Final = timedelta(days=14)
BATCH: Final = 2_000
# What is left after that many is for the next day: the job must end before its lease does.
BATCHES: Final = 250
_START: Final = UUID(int=0)
# Ids are ordered by time: nothing that was asked for later can have been done before.
_PURGE: Final = (
    "DELETE FROM tenants_job WHERE id IN (SELECT j.id FROM tenants_job j"
    " WHERE j.state = 'done' AND j.done_at < %s AND j.id > %s AND j.id < %s"
    " AND NOT EXISTS (SELECT 1 FROM tenants_tenant t WHERE t.schema_name = j.schema_name AND t.is_rehearsal)"
    " ORDER BY j.id LIMIT %s FOR UPDATE OF j SKIP LOCKED) RETURNING id"
)


def purge_done_jobs(*, now: datetime) -> int:
    """Delete the jobs that were done KEEP_DONE ago, of all tenants; returns how many.

    Commits batch by batch, leaves out rows that somebody holds, and waits for nobody.
    """
    cut, last, purged = now - KEEP_DONE, _START, 0
    for _ in range(BATCHES):
        with enter_public(), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(_PURGE, [cut, last, first_id_at(cut), BATCH])
            ids = [row[0] for row in cursor.fetchall()]
        purged += len(ids)
        if len(ids) < BATCH:
            break
        last = max(ids)
    return purged
