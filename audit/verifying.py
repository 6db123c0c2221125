"""Checking a schema's chain: every link recomputed, no number missing, the head where it should be.

What was purged stands as a bare link. It is accepted only where the chain holds the record of the purge, with
as many events and the same digest, made two years or more after a checkpoint that had seen those events. When
a purge was made is believed only up to the first checkpoint that has seen its record, or to the present. What
checkpoints say of how many events stood, and how many that concern money there ever were, must fit as well.
"""

import json
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from itertools import accumulate
from typing import Any
from uuid import UUID

from django.db import connection

from audit.actions import Action
from audit.chain import GENESIS, LABEL_2, address, body, canonical, details_text, link, link_2, stamp, who
from audit.models import AuditEvent
from audit.retention import MONEY, money_purgeable_since, purgeable_since

BATCH = 20_000
# From the instant of a checkpoint to its reading of the last head, at most.
TAKING = timedelta(minutes=15)
# The bytes of an event in format 2, as `audit.chain.body` makes them: PostgreSQL writes a batch at once.
BODY = """
convert_to(json_build_array(
    id::text, seq, to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), action,
    actor_kind, actor_id, actor_label, behind_id, subject_kind, subject_id, details, about,
    encode(actor_sealed, 'hex'), encode(behind_sealed, 'hex'), encode(details_sealed, 'hex')
)::text, 'UTF8')
"""
# Every link in order: an event with its bytes, or a purged one with the record of its purge.
LINKS = f"""
SELECT seq, prev_hash, hash,
    CASE WHEN format = 2 AND ip IS NULL AND user_agent = '' AND behind_label = '' THEN {BODY} END AS body,
    NULL::uuid AS record_id
FROM audit_auditevent WHERE seq > %s AND seq <= %s
UNION ALL SELECT seq, prev_hash, hash, NULL, record_id FROM audit_purgedlink WHERE seq > %s AND seq <= %s
ORDER BY seq
"""
# One statement, and so one instant: whoever writes meanwhile moves neither end.
ENDS = """
SELECT h.seq, h.hash, h.purged,
    least((SELECT min(seq) FROM audit_auditevent), (SELECT min(seq) FROM audit_purgedlink), 1),
    greatest((SELECT max(seq) FROM audit_auditevent), (SELECT max(seq) FROM audit_purgedlink), 0),
    clock_timestamp()
FROM audit_chainhead h
"""
NEXT = """
SELECT least((SELECT min(seq) FROM audit_auditevent WHERE seq > %s),
             (SELECT min(seq) FROM audit_purgedlink WHERE seq > %s))
"""
FIELDS = (
    "SELECT id::text, seq, at, action, actor_kind, actor_id, actor_label, subject_kind, subject_id,"
    " details::text, host(ip), user_agent, behind_id, behind_label, format, about,"
    " encode(actor_sealed, 'hex'), encode(behind_sealed, 'hex'), encode(details_sealed, 'hex'),"
    " prev_hash, hash FROM audit_auditevent WHERE seq = ANY(%s) ORDER BY seq"
)
# How COPY writes such a row: a count of columns, then each with its length; NULL has the length -1.
SEQ, PREV, HASH, BODY_LENGTH, BODY_AT = (
    slice(6, 14), slice(18, 50), slice(54, 86), slice(86, 90), 90,
)  # fmt: skip
COPY_HEADER = 19
NULL = b"\xff\xff\xff\xff"


@dataclass(frozen=True, slots=True)
class Verdict:
    """How many events were checked, and what is wrong with the first that is (None: the chain is whole)."""

    events: int
    problem: str | None


@dataclass(frozen=True, slots=True)
class Anchored:
    """What a signed checkpoint says of this chain: at that instant its head was this event.

    `count` is how many events stood then beside purged links, `money` how many that concern money there had
    ever been; None where it is not known.
    """

    at: datetime
    seq: int
    hash: bytes
    count: int | None = None
    money: int | None = None


@dataclass(slots=True)
class _Hole:
    """What stands in the chain for the events that one purge took."""

    last: int = 0
    count: int = 0
    digest: Any = field(default_factory=sha256)

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
    """The head, the least and the greatest number that there is, and the instant at which all that was so."""

    seq: int
    hash: bytes
    purged: int
    first: int
    last: int
    now: datetime


def _ends() -> _Ends:
    with connection.cursor() as cursor:
        cursor.execute(ENDS)
        seq, digest, *others = cursor.fetchone()
    return _Ends(seq, bytes(digest), *others)


def _walk(ends: _Ends, anchors: Sequence[Anchored]) -> Verdict:
    walk = _Walk({anchor.seq: anchor.hash for anchor in anchors})
    last = ends.first - 1
    while last < ends.last and walk.problem is None:
        upto = min(last + BATCH, ends.last)
        if not walk.read(last, upto):  # a gap as long as that: on to what comes after it
            with connection.cursor() as cursor:
                cursor.execute(NEXT, [last, last])
                upto = cursor.fetchone()[0] - 1
        last = upto
    if walk.problem:
        return Verdict(walk.seq, walk.problem)
    end = _end_problem(ends, walk.seq, walk.hash, anchors)
    return Verdict(walk.seq, end or _hole_problem(ends, walk.holes, anchors))


class _Walk:
    """A walk along the chain: the last link that was right, and what is wrong with the next."""

    def __init__(self, awaited: Mapping[int, bytes]) -> None:
        self.awaited = awaited
        self.seq, self.hash = 0, GENESIS
        self.problem: str | None = None
        self.holes: dict[UUID, _Hole] = {}

    def read(self, after: int, upto: int) -> int:
        """Go along a batch of links, as the database streams them; returns how many there were."""
        doubtful: list[int] = []
        count, seq, prev, awaited = 0, self.seq, self.hash, self.awaited
        for data in _streamed(after, upto):
            count += 1
            here, digest = int.from_bytes(data[SEQ], signed=True), data[HASH]
            if self.problem is not None:
                continue  # the stream is read to its end, but nothing more is looked at
            if here != seq + 1 or data[PREV] != prev or awaited.get(here, digest) != digest:
                self.problem = self._broken(here, seq, data[PREV] == prev)
                continue
            if data[BODY_LENGTH] == NULL:
                if data[BODY_AT:] == NULL:
                    doubtful.append(here)
                else:
                    self.holes.setdefault(UUID(bytes=data[-16:]), _Hole()).add(here, digest)
            elif sha256(LABEL_2 + prev + data[BODY_AT:-4]).digest() != digest:
                doubtful.append(here)
            seq, prev = here, digest
        self.seq, self.hash = seq, prev
        wrong = _first_wrong(doubtful)
        if wrong is not None:
            self.seq, self.problem = wrong - 1, f"event {wrong} was changed"
        return count

    @staticmethod
    def _broken(here: int, seq: int, follows: bool) -> str:
        if here != seq + 1:
            return f"event {seq + 1} is missing" if here > seq else f"event {here} stands twice"
        if not follows:
            return f"event {here} does not follow the one before it"
        return f"event {here} is not the one that a signed checkpoint names"


def _streamed(after: int, upto: int) -> Iterator[bytes]:
    """The rows as a binary copy has them, without its header before the first and its mark after the last."""
    query = f"COPY ({LINKS}) TO STDOUT (FORMAT BINARY)"
    with connection.cursor() as cursor, cursor.copy(query, [after, upto, after, upto]) as copy:
        for number, data in enumerate(copy):
            row = bytes(data) if number else bytes(data)[COPY_HEADER:]
            if len(row) > 2:
                yield row


def _first_wrong(doubtful: Sequence[int]) -> int | None:
    """Recompute these by the definition: all of format 1, and what the database wrote otherwise."""
    if not doubtful:
        return None
    with connection.cursor() as cursor:
        cursor.execute(FIELDS, [list(doubtful)])
        rows = cursor.fetchall()
    return next((row[1] for row in rows if not _is_right(row)), None)


def _is_right(row: Sequence[Any]) -> bool:
    """Recompute one link by the definition of its format."""
    (
        event_id, seq, at, action, kind, actor_id, label, subject_kind, subject_id, details, ip, agent,
        behind_id, behind_label, form, about, *sealed, prev, digest,
    ) = row  # fmt: skip
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
        return link(bytes(prev), canonical(parts)) == bytes(digest)
    if form != 2 or ip is not None or agent or behind_label:
        return False
    fields = (
        event_id, seq, stamp(at), action, kind, actor_id, label, behind_id, subject_kind, subject_id,
    )  # fmt: skip
    try:
        text = details_text(json.loads(details))
    except TypeError:
        return False
    return link_2(bytes(prev), body(fields, text, (about, *sealed))) == bytes(digest)


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
    seen = sorted(anchors, key=lambda anchor: anchor.at)
    for record_id, hole in holes.items():
        record = records.get(record_id)
        if record is None or record.action != Action.AUDIT_PURGED:
            return f"event {hole.last} is gone, and no record of a purge names it"
        told = (record.details.get("count"), record.details.get("digest"), record.details.get("last"))
        if told != (hole.count, hole.digest.hexdigest(), hole.last):
            return f"what is gone up to event {hole.last} is not what event {record.seq} says was purged"
        # A date ahead makes nothing old: the checkpoint that has seen the record came after it.
        after = bisect_left(seen, record.seq, key=lambda anchor: anchor.seq)
        made = min(record.at, ends.now, *(anchor.at + TAKING for anchor in seen[after : after + 1]))
        proven = bisect_right(seen, purgeable_since(made), key=lambda anchor: anchor.at)
        if not proven or hole.last > seen[proven - 1].seq:
            return f"event {hole.last} was purged, and no checkpoint shows that it was old enough"
    places = {record.seq: holes[record_id].count for record_id, record in records.items()}
    return _count_problem(places, seen) or (_money_problem(ends, seen) if holes else None)


def _count_problem(purges: Mapping[int, int], anchors: Sequence[Anchored]) -> str | None:
    """Look whether as many events were purged before each checkpoint as it says."""
    places = sorted(purges)
    sums = [0, *accumulate(purges[seq] for seq in places)]
    for anchor in anchors:
        gone = sums[bisect_right(places, anchor.seq)]
        if anchor.count is not None and anchor.seq - anchor.count != gone:
            said = anchor.seq - anchor.count
            return f"{gone} events were purged up to event {anchor.seq}, but a checkpoint says {said}"
    return None


def _money_problem(ends: _Ends, anchors: Sequence[Anchored]) -> str | None:
    """Look whether all events that concern money stand, but those that were due by their own period."""
    counted = [anchor for anchor in anchors if anchor.money is not None]
    due = bisect_right(anchors, money_purgeable_since(ends.now), key=lambda anchor: anchor.at)
    base = Anchored(ends.now, 0, GENESIS, money=0)
    if due:  # what that checkpoint has seen may be gone: count from the first one on that knows more
        counted = [anchor for anchor in counted if anchor.seq >= anchors[due - 1].seq]
        base = counted[0] if counted else base
    if not counted:
        return None
    with connection.cursor() as cursor:
        kinds = [f"{kind}%" for kind in MONEY]
        cursor.execute("SELECT seq FROM audit_auditevent WHERE action LIKE ANY(%s) ORDER BY seq", [kinds])
        standing = [seq for (seq,) in cursor.fetchall()]
    for anchor in counted:
        there = bisect_right(standing, anchor.seq) - bisect_right(standing, base.seq)
        wanted = (anchor.money or 0) - (base.money or 0)
        if there != wanted:
            return f"up to event {anchor.seq} {wanted - there} that concern money are gone before their time"
    return None
