"""The audit record as a file: what is asked for, in CSV, and an event that says who took it."""

import csv
import io
import json
from datetime import UTC, datetime

from django.db import transaction

from audit.actions import Action
from audit.actors import Actor
from audit.reading import Opened
from audit.recording import record
from billing import trail
from billing.errors import Refused

AT_MOST = 50_000
COLUMNS = (
    "number", "at", "action", "by", "by_kind", "by_id", "behind", "ip", "user_agent", "about", "about_id",
    "details", "hash",
)  # fmt: skip
# A spreadsheet takes a text that begins so for a formula, and runs it.
FORMULA = ("=", "+", "-", "@", "\t", "\r")


def export(wanted: trail.Wanted, *, actor: Actor, now: datetime) -> bytes:
    """Return the events as CSV (UTF-8, RFC 4180), the first one first; raises `Refused` for too many."""
    count = trail.count(wanted, most=AT_MOST)
    if count > AT_MOST:
        raise Refused(f"These are more than {AT_MOST:,} events. Choose a shorter period.")
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for each in trail.all_events(wanted):
        writer.writerow([_harmless(value) for value in _row(each)])
    with transaction.atomic():
        narrowed = {"of": wanted.action, "by": wanted.actor, "about_id": wanted.subject_id}
        record(
            Action.AUDIT_EXPORTED, subject=("audit", "export"), actor=actor, now=now, count=count,
            only={name: value for name, value in narrowed.items() if value},
        )  # fmt: skip
    return text.getvalue().encode()


def _row(found: Opened) -> tuple[object, ...]:
    event = found.event
    return (
        event.seq, event.at.astimezone(UTC).isoformat(), event.action, found.label, event.actor_kind,
        event.actor_id, found.behind, found.ip, found.user_agent, event.subject_kind, event.subject_id,
        json.dumps(found.details, ensure_ascii=False, sort_keys=True), bytes(event.hash).hex(),
    )  # fmt: skip


def _harmless(value: object) -> str:
    text = str(value)
    return f"'{text}" if text.startswith(FORMULA) else text
