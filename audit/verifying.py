"""Checking a schema's chain: every link recomputed, no number missing, the head where it should be.

What was purged stands as a bare link. It is accepted only where the chain holds the record of the purge, with
as many events and the same digest, made two years or more after a checkpoint that had seen those events.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from operator import itemgetter
from typing import Any
from uuid import UUID

from django.db import connection

from audit.actions import Action
from audit.chain import GENESIS, address, body, canonical, details_text, link, link_2, stamp, who
from audit.models import AuditEvent, PurgedLink
from audit.retention import purgeable_since

BATCH = 10_000
# The bytes of an event in format 2, as `audit.chain.body` makes them: PostgreSQL writes a batch at once.
BODY = """
convert_to(json_build_array(
    id::text, seq, to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), action,
    actor_kind, actor_id, actor_label, behind_id, subject_kind, subject_id, details, about,
    encode(actor_sealed, 'hex'), encode(behind_sealed, 'hex'), encode(details_sealed, 'hex')
)::text, 'UTF8')
"""
LINKS = f"""
SELECT seq, prev_hash, hash,
    CASE WHEN format = 2 AND ip IS NULL AND user_agent = '' AND behind_label = '' THEN {BODY} END
FROM audit_auditevent WHERE seq > %s AND seq <= %s ORDER BY seq
"""
# One statement, and so one instant: whoever writes meanwhile moves neither end.
ENDS = """
SELECT h.seq, h.hash, h.purged,
    least((SELECT min(seq) FROM audit_auditevent), (SELECT min(seq) FROM audit_purgedlink), 1),
    greatest((SELECT max(seq) FROM audit_auditevent), (SELECT max(seq) FROM audit_purgedlink), 0)
FROM audit_chainhead h
"""
NEXT = """
SELECT least((SELECT min(seq) FROM audit_auditevent WHERE seq > %s),
             (SELECT min(seq) FROM audit_purgedlink WHERE seq > %s))
"""
ONE = (
    "SELECT id::text, seq, at, action, actor_kind, actor_id, actor_label, subject_kind, subject_id,"
    " details::text, host(ip), user_agent, behind_id, behind_label, format, about,"
    " encode(actor_sealed, 'hex'), encode(behind_sealed, 'hex'), encode(details_sealed, 'hex')"
    " FROM audit_auditevent WHERE seq = %s"
)


@dataclass(frozen=True, slots=True)
class Verdict:
    """How many events were checked, and what is wrong with the first that is (None: the chain is whole)."""

    events: int
    problem: str | None


@dataclass(frozen=True, slots=True)
class Anchored:
    """What a signed checkpoint says of this chain: at that instant its head was this event."""

    at: datetime
    seq: int
    hash: bytes


@dataclass(slots=True)
class _Hole:
    """What stands in the chain for the events that one purge took."""

    last: int = 0
    count: int = 0
    digest: Any = field(default_factory=hashlib.sha256)

    def add(self, seq: int, digest: bytes) -> None:
        self.last, self.count = seq, self.count + 1
        self.digest.update(digest)


def verify(anchors: Sequence[Anchored] = ()) -> Verdict:
    """Walk the chain of the schema entered, in batches, by what signed checkpoints say of it as well."""
    while True:
        ends = _ends()
        verdict = _walk(ends, anchors)
        # A purge that came in between moved events under our feet: look again.
        if verdict.problem is None or _ends().purged == ends.purged:
            return verdict


@dataclass(frozen=True, slots=True)
class _Ends:
    """The head, and the least and the greatest number that there is, all at one instant."""

    seq: int
    hash: bytes
    purged: int
    first: int
    last: int


def _ends() -> _Ends:
    with connection.cursor() as cursor:
        cursor.execute(ENDS)
        seq, digest, purged, first, last = cursor.fetchone()
    return _Ends(seq, bytes(digest), purged, first, last)


def _walk(ends: _Ends, anchors: Sequence[Anchored]) -> Verdict:
    awaited = {anchor.seq: anchor.hash for anchor in anchors}
    prev, seq = GENESIS, 0
    holes: dict[UUID, _Hole] = {}
    for here, claimed, digest, found in _links(ends):
        problem = None
        if here != seq + 1:
            problem = f"event {seq + 1} is missing" if here > seq else f"event {here} stands twice"
        elif claimed != prev:
            problem = f"event {here} does not follow the one before it"
        elif isinstance(found, UUID):
            holes.setdefault(found, _Hole()).add(here, digest)
        elif (found is None or link_2(prev, found) != digest) and not _is_right(here, prev, digest):
            problem = f"event {here} was changed"
        if problem is None and awaited.get(here, digest) != digest:
            problem = f"event {here} is not the one that a signed checkpoint names"
        if problem:
            return Verdict(seq, problem)
        seq, prev = here, digest
    return Verdict(seq, _end_problem(ends, seq, prev, anchors) or _hole_problem(ends, holes, anchors))


def _links(ends: _Ends) -> Iterator[tuple[int, bytes, bytes, bytes | UUID | None]]:
    """Every link in order: events with their bytes (format 2), purged ones with the record of their purge."""
    last = ends.first - 1
    while last < ends.last:
        upto = min(last + BATCH, ends.last)
        purged = PurgedLink.objects.filter(seq__gt=last, seq__lte=upto)
        rows = list(purged.values_list("seq", "prev_hash", "hash", "record_id"))
        with connection.cursor() as cursor:
            cursor.execute(LINKS, [last, upto])
            rows = sorted([*rows, *cursor.fetchall()], key=itemgetter(0)) if rows else cursor.fetchall()
            if not rows:  # a gap as long as that: on to what comes after it
                cursor.execute(NEXT, [last, last])
                upto = cursor.fetchone()[0] - 1
        yield from rows
        last = upto


def _is_right(seq: int, prev: bytes, digest: bytes) -> bool:
    """Recompute one link by the definition: all of format 1, and what the database wrote otherwise."""
    with connection.cursor() as cursor:
        cursor.execute(ONE, [seq])
        (
            event_id, _, at, action, kind, actor_id, label, subject_kind, subject_id, details, ip, agent,
            behind_id, behind_label, form, about, *sealed,
        ) = cursor.fetchone()  # fmt: skip
    if form == 1 and not about and sealed == [None] * 3:
        parts = {
            "at": stamp(at),
            "actor": who(kind, actor_id, label, (behind_id, behind_label)),
            "from": [address(ip), agent],
            "id": event_id,
            "seq": seq,
            "action": action,
            "subject": [subject_kind, subject_id],
            "details": json.loads(details),
        }
        return link(prev, canonical(parts)) == digest
    if form != 2 or ip is not None or agent or behind_label:
        return False
    fields = (
        event_id, seq, stamp(at), action, kind, actor_id, label, behind_id, subject_kind, subject_id,
    )  # fmt: skip
    try:
        text = details_text(json.loads(details))
    except TypeError:
        return False
    return link_2(prev, body(fields, text, (about, *sealed))) == digest


def _end_problem(ends: _Ends, seq: int, prev: bytes, anchors: Sequence[Anchored]) -> str | None:
    if (ends.seq, ends.hash) != (seq, prev):
        return f"the chain ends at event {seq}, but its head stands at {ends.seq}"
    seen = max((anchor.seq for anchor in anchors), default=0)
    return f"the chain ends at event {seq}, but a checkpoint has seen event {seen}" if seen > seq else None


def _hole_problem(ends: _Ends, holes: Mapping[UUID, _Hole], anchors: Sequence[Anchored]) -> str | None:
    """Look whether each hole has its record, and was old enough when it was made."""
    purged = sum(hole.count for hole in holes.values())
    if ends.purged != purged:
        return f"{purged} events are purged, but the head counts {ends.purged}"
    records = AuditEvent.objects.in_bulk(list(holes))
    for record_id, hole in holes.items():
        record = records.get(record_id)
        if record is None or record.action != Action.AUDIT_PURGED:
            return f"event {hole.last} is gone, and no record of a purge names it"
        told = (record.details.get("count"), record.details.get("digest"), record.details.get("last"))
        if told != (hole.count, hole.digest.hexdigest(), hole.last):
            return f"what is gone up to event {hole.last} is not what event {record.seq} says was purged"
        proven = [anchor.seq for anchor in anchors if anchor.at <= purgeable_since(record.at)]
        if hole.last > max(proven, default=0):
            return f"event {hole.last} was purged, and no checkpoint shows that it was old enough"
    return None
