"""Purging the audit record: what is old enough goes, its links and a record of the purge stay."""

from dataclasses import dataclass
from datetime import datetime

from django.db import connection, transaction

from audit.actions import Action
from audit.actors import Actor
from audit.models import ChainHead
from audit.recording import record
from tenants.context import current_schema, enter_public


@dataclass(frozen=True, slots=True)
class Old:
    """The events that may go: how many, the last one, and the digest of their hashes in order."""

    count: int
    last: int
    digest: str


def find_old(*, now: datetime) -> Old:
    """Return what may be purged of the schema entered: two years old or more, seven what concerns money.

    Never what a journal entry names or a legal hold stands on, nor what no checkpoint of that age has seen. A
    clock that is ahead, as in a dry run of the future, is not believed: the database's own counts.
    """
    schema = current_schema()
    with enter_public(), connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*), coalesce(max(seq), 0),"
            " encode(sha256(coalesce(string_agg(hash, ''::bytea ORDER BY seq), ''::bytea)), 'hex')"
            " FROM public.audit_purgeable(%s, least(%s::timestamptz, clock_timestamp()))",
            [schema, now],
        )
        return Old(*cursor.fetchone())


def purge(*, actor: Actor, now: datetime) -> int:
    """Take the old events of the schema entered out of the record; returns how many. Locks the head."""
    schema = current_schema()
    with transaction.atomic():
        ChainHead.objects.select_for_update().get()
        old = find_old(now=now)
        if not old.count:
            return 0
        event = record(
            Action.AUDIT_PURGED, subject=("audit", schema), actor=actor, now=now,
            count=old.count, last=old.last, digest=old.digest,
        )  # fmt: skip
        with enter_public(), connection.cursor() as cursor:
            cursor.execute(
                "SELECT public.audit_purge(%s, least(%s::timestamptz, clock_timestamp()), %s)",
                [schema, now, event],
            )
            return int(cursor.fetchone()[0])
