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
from audit.chain import body, details_text, link_2, stamp
from audit.models import AuditEvent, ChainHead
from audit.persons import SOMEBODY, Subject, person_of, plainly_told, staff_of, traits_of, use, written
from vault.subject_keys import Plain, seal_many

FORMAT = 2
COLUMNS = (
    "id", "seq", "at", "action", "actor_kind", "actor_id", "actor_label", "subject_kind", "subject_id",
    "details", "user_agent", "behind_id", "behind_label", "about", "actor_sealed", "behind_sealed",
    "details_sealed", "format", "prev_hash", "hash",
)  # fmt: skip


class NotBehind(PermissionDenied):
    """Somebody of the platform, acting as somebody else, tried what is out of their reach."""


class ToldInPlain(ValueError):
    """An event's plain details tell of a person, whom no erasure would ever reach there."""


@dataclass(frozen=True, slots=True)
class Note:
    """What is to be recorded: an action on a subject, with details (JSON values only, no floats).

    What of them is `personal` is kept under the key of whom it is `about`, by default the event's subject.
    """

    action: Action
    subject_kind: str
    subject_id: str
    details: dict[str, Any] = field(default_factory=dict)
    personal: dict[str, Any] = field(default_factory=dict)
    about: Subject | None = None

    @property
    def person(self) -> Subject:
        return self.about or (self.subject_kind, self.subject_id)


def record(
    action: Action,
    *,
    subject: tuple[str, Any],
    actor: Actor,
    now: datetime,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
    personal: dict[str, Any] | None = None,
    about: tuple[str, Any] | None = None,
    **details: Any,
) -> UUID:
    """Append one event and return its id. Needs an open transaction; locks the chain's head until its end.

    Names, addresses and all else that tells of a person go into `personal`, which is sealed under the key of
    whom it is `about`, by default the subject. Readers see it beside the details until that key is destroyed.
    """
    if before is not None:
        details["before"] = before
    if after is not None:
        details["after"] = after
    person = (about[0], str(about[1])) if about else None
    note = Note(action, subject[0], str(subject[1]), details, personal or {}, person)
    return record_many([note], actor=actor, now=now)[0]


def record_many(notes: Sequence[Note], *, actor: Actor, now: datetime) -> list[UUID]:
    """Append the events in order, by COPY, and return their ids. Locks the chain's head.

    Raises `ToldInPlain` when details tell of somebody that belong under their key: what is recorded stays.
    Raises `NotBehind` when the platform's staff, as somebody else, did anything but what `WHEN_BEHIND` names:
    whatever page or rule it came through, its transaction goes back.
    """
    if (actor.behind_id or actor.behind_label) and not {note.action for note in notes} <= WHEN_BEHIND:
        raise NotBehind("Whoever acts as somebody else has no hand in money, secrets and log-ins.")
    if not transaction.get_connection().in_atomic_block:
        raise RuntimeError("An audit event belongs in the transaction of the change it tells of.")
    for note in notes:
        is_of_somebody = not SOMEBODY.isdisjoint((note.subject_kind, note.person[0]))
        if is_of_somebody and (told := plainly_told(note.details)):
            who = f"{', '.join(sorted(told))} of a {note.person[0]}"
            raise ToldInPlain(f"{note.action.value}: {who} belong into `personal`.")
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


@dataclass(frozen=True, slots=True)
class _Sealed:
    """The sealed columns of one event."""

    actor: bytes | None = None
    behind: bytes | None = None
    details: bytes | None = None


def _seal(ids: Sequence[UUID], notes: Sequence[Note], *, actor: Actor, now: datetime) -> list[_Sealed]:
    """Seal what is personal of all the events together. Of whom was erased nothing is kept but that mark."""
    traits, person = traits_of(actor), person_of(actor.kind, actor.id, now)
    plains: list[Plain] = []
    for event_id, note in zip(ids, notes, strict=True):
        if person is not None and traits:
            plains.append(Plain(person, details_text(traits), use(event_id, "actor")))
        if actor.behind_label:
            label = {"label": actor.behind_label[:254]}
            plains.append(Plain(staff_of(actor.behind_id), details_text(label), use(event_id, "behind")))
        if note.personal:
            plains.append(Plain(note.person, details_text(note.personal), use(event_id, "details")))
    if not plains:
        return [_Sealed()] * len(notes)
    # An empty blob says that there was something, of somebody who had been erased by then.
    blobs = {plain.context: blob or b"" for plain, blob in zip(plains, seal_many(plains), strict=True)}
    return [
        _Sealed(*(blobs.get(use(event_id, part)) for part in ("actor", "behind", "details")))
        for event_id in ids
    ]


def _chained(
    notes: Sequence[Note], *, after: ChainHead, actor: Actor, now: datetime
) -> Iterator[tuple[Any, ...]]:
    """Make each note's row, in the order of COLUMNS, linked to the one before."""
    seq, prev = after.seq, bytes(after.hash)
    ids = [uuid_utils.compat.uuid7() for _ in notes]
    at, label = stamp(now), actor.label[:254] if person_of(actor.kind, actor.id, now) is None else ""
    for event_id, note, sealed in zip(ids, notes, _seal(ids, notes, actor=actor, now=now), strict=True):
        seq += 1
        details, about = details_text(note.details), written(note.person) if note.personal else ""
        fields = (
            str(event_id), seq, at, note.action.value, actor.kind, actor.id, label, actor.behind_id,
            note.subject_kind, note.subject_id,
        )  # fmt: skip
        blobs = (sealed.actor, sealed.behind, sealed.details)
        rest = (about, *(None if blob is None else blob.hex() for blob in blobs))
        digest = link_2(prev, body(fields, details, rest))
        yield (
            event_id, seq, now, note.action.value, actor.kind, actor.id, label, note.subject_kind,
            note.subject_id, details, "", actor.behind_id, "", about, *blobs, FORMAT, prev, digest,
        )  # fmt: skip
        prev = digest
