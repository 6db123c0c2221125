"""Checking a schema's chain: every link recomputed, no number missing, the head where it should be."""

import json
from dataclasses import dataclass
from typing import Any

from django.db import connection

from audit.chain import GENESIS, address, canonical, link, stamp, who
from audit.models import ChainHead

BATCH = 5000
QUERY = (
    "SELECT id::text, seq, at, action, actor_kind, actor_id, actor_label, subject_kind, subject_id,"
    " details::text, host(ip), user_agent, prev_hash, hash,"
    " behind_id, behind_label"
    " FROM audit_auditevent WHERE seq > %s ORDER BY seq LIMIT %s"
)


@dataclass(frozen=True, slots=True)
class Verdict:
    """How many events were checked, and what is wrong with the first that is (None: the chain is whole)."""

    events: int
    problem: str | None


def verify() -> Verdict:
    """Walk the chain of the schema entered, in batches."""
    prev, seq, checked = GENESIS, 0, 0
    while True:
        with connection.cursor() as cursor:
            cursor.execute(QUERY, [seq, BATCH])
            rows = cursor.fetchall()
        for row in rows:
            problem = _problem(row, seq + 1, prev, json.loads(row[9]))
            if problem:
                return Verdict(checked, problem)
            seq, prev, checked = row[1], bytes(row[13]), checked + 1
        if len(rows) < BATCH:
            return Verdict(checked, _head_problem(seq, prev))


def _problem(row: Any, expected_seq: int, prev: bytes, details: Any) -> str | None:
    (
        event_id,
        seq,
        at,
        action,
        kind,
        actor_id,
        label,
        subject_kind,
        subject_id,
        _,
        ip,
        agent,
        claimed,
        digest,
        *behind,
    ) = row
    if seq != expected_seq:
        return f"event {expected_seq} is missing"
    if bytes(claimed) != prev:
        return f"event {seq} does not follow the one before it"
    body = canonical(
        {
            "at": stamp(at),
            "actor": who(kind, actor_id, label, (behind[0], behind[1])),
            "from": [address(ip), agent],
            "id": event_id,
            "seq": seq,
            "action": action,
            "subject": [subject_kind, subject_id],
            "details": details,
        }
    )
    return None if link(prev, body) == bytes(digest) else f"event {seq} was changed"


def _head_problem(seq: int, prev: bytes) -> str | None:
    head = ChainHead.objects.get()
    if (head.seq, bytes(head.hash)) != (seq, prev):
        return f"the chain ends at event {seq}, but its head stands at {head.seq}"
    return None
