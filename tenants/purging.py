"""Forgetting jobs that are done. Those that wait, run or are parked stay, however old they are.

How long each is kept stands in `privacy.periods`, above this app: whoever calls says before when. Of a parked
job the error's text goes by the same rule, for it may name a person: what is to be done again stays.

A job's key keeps it from being asked for twice, so a key may not be free again while somebody could still
ask with it. Planners' keys hold a day, an hour or an instant, and are asked with during that time only:
`collect:DAY`, `ask:DAY`, `sweep:DAY`, `ledger:DAY`, `retention:DAY:HALF`, `rouse:EVENT:HOUR`,
`run:SCHEMA:INSTANT` (a run that is done has moved the instant on). Keys of one change, `mail:INVOICE`,
`collect:PAYMENT`, `receipt:PAYMENT` and `event:ID`, are written with a change that happens once, and their
handlers look first whether it is still to be done. A rehearsal lives its days by a clock of its own, which
may stand far in the past: its jobs stay.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db import connection, transaction

from tenants.context import enter_public
from tenants.ids import first_id_at

BATCH: Final = 2_000
# What is left after that many is for the next day: the job must end before its lease does.
BATCHES: Final = 250
FORGOTTEN: Final = "What went wrong is too old to be kept. Run the job again to see whether it still does."
_START: Final = UUID(int=0)
# Ids are ordered by time: nothing that was asked for later can have been done before.
_DONE: Final = (
    " FROM tenants_job j WHERE j.state = 'done' AND j.done_at < %s AND j.id > %s AND j.id < %s"
    " AND j.schema_name <> ALL(%s)"
    " AND NOT EXISTS (SELECT 1 FROM tenants_tenant t WHERE t.schema_name = j.schema_name AND t.is_rehearsal)"
)
_PURGE: Final = (
    f"DELETE FROM tenants_job WHERE id IN (SELECT j.id{_DONE}"
    " ORDER BY j.id LIMIT %s FOR UPDATE OF j SKIP LOCKED) RETURNING id"
)
_PARKED: Final = (
    " FROM tenants_job j WHERE j.state = 'parked' AND j.run_at < %s AND j.last_error NOT IN ('', %s)"
    " AND j.schema_name <> ALL(%s)"
)
_FORGET: Final = (
    f"UPDATE tenants_job SET last_error = %s WHERE id IN (SELECT j.id{_PARKED}"
    " ORDER BY j.id LIMIT %s FOR UPDATE OF j SKIP LOCKED)"
)


def purge_done_jobs(*, before: datetime, but: Sequence[str] = (), dry_run: bool = False) -> int:
    """Delete the jobs that were done before this instant, of all schemas `but` these; returns how many.

    Commits batch by batch, leaves out rows that somebody holds, and waits for nobody.
    """
    last, purged, left_out = _START, 0, list(but)
    if dry_run:
        return _count(f"SELECT count(*){_DONE}", [before, last, first_id_at(before), left_out])
    for _ in range(BATCHES):
        with enter_public(), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(_PURGE, [before, last, first_id_at(before), left_out, BATCH])
            ids = [row[0] for row in cursor.fetchall()]
        purged += len(ids)
        if len(ids) < BATCH:
            break
        last = max(ids)
    return purged


def forget_errors(*, before: datetime, but: Sequence[str] = (), dry_run: bool = False) -> int:
    """Take away the error texts of jobs parked since before this instant; returns how many."""
    forgotten, left_out = 0, list(but)
    if dry_run:
        return _count(f"SELECT count(*){_PARKED}", [before, FORGOTTEN, left_out])
    for _ in range(BATCHES):
        with enter_public(), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(_FORGET, [FORGOTTEN, before, FORGOTTEN, left_out, BATCH])
            found = cursor.rowcount
        forgotten += found
        if found < BATCH:
            break
    return forgotten


def _count(query: str, values: list[Any]) -> int:
    with enter_public(), connection.cursor() as cursor:
        cursor.execute(query, values)
        return int(cursor.fetchone()[0])
