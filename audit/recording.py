"""Writing audit events: inside the transaction of the change they tell of, at the head of the chain."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import uuid_utils.compat
from django.core.exceptions import PermissionDenied
from django.db import connection, transaction

from audit.actions import WHEN_BEHIND, Action
from audit.actors import Actor
from audit.chain import address, canonical, link, stamp, who
from audit.models import AuditEvent, ChainHead

COLUMNS = (
    "id", "seq", "at", "action", "actor_kind", "actor_id", "actor_label", "subject_kind", "subject_id",
    "details", "ip", "user_agent", "behind_id", "behind_label", "prev_hash", "hash",
)  # fmt: skip


class NotBehind(PermissionDenied):
    """Somebody of the platform, acting as somebody else, tried what is out of their reach."""


@dataclass(frozen=True, slots=True)
class Note:
    """What is to be recorded: an action on a subject, with details (JSON values only)."""

    action: Action
    subject_kind: str
    subject_id: str
    details: dict[str, Any] = field(default_factory=dict)


def record(
    action: Action,
    *,
    subject: tuple[str, Any],
    actor: Actor,
    now: datetime,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
    **details: Any,
) -> UUID:
    """Append one event and return its id. Needs an open transaction; locks the chain's head until its end."""
    if before is not None:
        details["before"] = before
    if after is not None:
        details["after"] = after
    return record_many([Note(action, subject[0], str(subject[1]), details)], actor=actor, now=now)[0]


def record_many(notes: Sequence[Note], *, actor: Actor, now: datetime) -> list[UUID]:
    """Append the events in order, by COPY, and return their ids. Locks the chain's head.

    Raises `NotBehind` when the platform's staff, as somebody else, did anything but what `WHEN_BEHIND` names:
    whatever page or rule it came through, its transaction goes back.
    """
    if (actor.behind_id or actor.behind_label) and not {note.action for note in notes} <= WHEN_BEHIND:
        raise NotBehind("Whoever acts as somebody else has no hand in money, secrets and log-ins.")
    if not transaction.get_connection().in_atomic_block:
        raise RuntimeError("An audit event belongs in the transaction of the change it tells of.")
    if not notes:
        return []
    head = ChainHead.objects.select_for_update().get()
    rows = list(_chained(notes, after=head, actor=actor, now=now))
    with connection.cursor() as cursor:
        with cursor.copy(f"COPY {AuditEvent._meta.db_table} ({', '.join(COLUMNS)}) FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)
        cursor.execute(
            f"UPDATE {ChainHead._meta.db_table} SET seq = %s, hash = %s WHERE id = 1",
            [rows[-1][1], rows[-1][-1]],
        )
    return [row[0] for row in rows]


def _chained(
    notes: Sequence[Note], *, after: ChainHead, actor: Actor, now: datetime
) -> Iterator[tuple[Any, ...]]:
    """Make each note's row, in the order of COLUMNS, linked to the one before."""
    seq, prev = after.seq, bytes(after.hash)
    label, agent = actor.label[:254], actor.user_agent[:400]
    behind = (actor.behind_id, actor.behind_label[:254])
    common = {
        "at": stamp(now),
        "actor": who(actor.kind, actor.id, label, behind),
        "from": [address(actor.ip), agent],
    }
    for note in notes:
        seq += 1
        event_id = uuid_utils.compat.uuid7()
        body = {
            **common,
            "id": str(event_id),
            "seq": seq,
            "action": note.action.value,
            "subject": [note.subject_kind, note.subject_id],
            "details": note.details,
        }
        digest = link(prev, canonical(body))
        yield (
            event_id, seq, now, note.action.value, actor.kind, actor.id, label, note.subject_kind,
            note.subject_id, canonical(note.details).decode(), actor.ip, agent, *behind, prev, digest,
        )  # fmt: skip
        prev = digest
