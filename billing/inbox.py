"""The inbox of Stripe's events: written down once, with the job that handles it, in one statement."""

import logging
import threading
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection as database

from billing.models import StripeConnection
from billing.stripe_gateway import EventInfo, Hint, SignatureRefused, open_event
from tenants.context import current_schema, current_tenant
from tenants.ids import new_id
from tenants.jobs import publish

log = logging.getLogger(__name__)

JOB = "billing.handle_event"
# The event, once; its job, if the event is new; both only while the connection that signed it stands.
_INSERT = (
    "WITH given AS (SELECT * FROM unnest(%s::uuid[], %s::text[], %s::text[], %s::text[], %s::timestamptz[],"
    " %s::uuid[]) AS g (id, external_id, type, object_id, created_at, job)),"
    " fresh AS (INSERT INTO billing_stripeevent"
    " (id, external_id, type, object_id, created_at, received_at, outcome)"
    " SELECT id, external_id, type, object_id, created_at, %s, '' FROM given"
    " WHERE EXISTS (SELECT 1 FROM billing_stripeconnection WHERE id = %s AND disconnected_at IS NULL)"
    " ON CONFLICT (external_id) DO NOTHING RETURNING id),"
    " asked AS (INSERT INTO tenants_job"
    " (id, schema_name, name, args, key, state, attempts, run_at, published_at, last_error, created_at)"
    " SELECT g.job, %s, %s, jsonb_build_object('event_id', g.id), 'event:' || g.external_id, 'waiting', 0,"
    " %s, %s, '', %s FROM given g JOIN fresh ON fresh.id = g.id"
    " ON CONFLICT (schema_name, key) WHERE key IS NOT NULL DO NOTHING RETURNING id)"
    " SELECT id FROM asked"
)

_secrets: dict[str, tuple[UUID, str]] = {}


class Closed(Exception):
    """No Stripe account is connected: nothing can be from it."""


def receive(payload: bytes, header: str, *, now: datetime) -> bool:
    """Verify the body with this tenant's secret and write its event down; False when it was there already.

    Raises `Closed`, `SignatureRefused`, or ValueError for a body that is no event.
    """
    held = _secrets.get(current_schema())
    try:
        if held is None:
            raise SignatureRefused
        hint = open_event(payload, header, held[1])
    except SignatureRefused:
        # The secret may have changed since this process read it.
        fresh = _read_secret()
        if fresh == held:
            raise
        held = fresh
        hint = open_event(payload, header, held[1])
    event = EventInfo(hint.id, hint.type, hint.object_id, hint.created)
    if insert([event], connection_id=held[0], now=now):
        return True
    # Known already, or the connection is no longer the one that this process knew.
    if _read_secret() != held:
        return receive(payload, header, now=now)
    return False


def insert(events: Sequence[EventInfo | Hint], *, connection_id: UUID, now: datetime) -> int:
    """Write the events that are not in the inbox yet, with their jobs; returns how many those were."""
    schema = current_schema()
    parameters: list[Any] = [
        [new_id() for _ in events],
        [each.id for each in events],
        [each.type for each in events],
        [each.object_id for each in events],
        [each.created for each in events],
        [new_id() for _ in events],
        now,
        connection_id,
        schema,
        JOB,
        now,
        now,
        now,
    ]
    with database.cursor() as cursor:
        cursor.execute(_INSERT, parameters)
        jobs = [row[0] for row in cursor.fetchall()]
    if jobs and not current_tenant().is_rehearsal:
        _announcer.say(jobs)
    return len(jobs)


def _read_secret() -> tuple[UUID, str]:
    found = StripeConnection.objects.filter(disconnected_at__isnull=True).first()
    if found is None or found.sealed_webhook_secret is None:
        _secrets.pop(current_schema(), None)
        raise Closed
    held = _secrets.get(current_schema())
    if held is None or held[0] != found.pk:
        held = (found.pk, found.sealed_webhook_secret.reveal())
        _secrets[current_schema()] = held
    return held


class _Announcer:
    """Tells the workers of new jobs, several in one message: Stripe need not wait for the broker.

    What is not said, because the process dies or the broker is away, is swept up like any other job.
    """

    def __init__(self) -> None:
        self._waiting: list[UUID] = []
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._thread: threading.Thread | None = None

    def say(self, jobs: Sequence[UUID]) -> None:
        with self._lock:
            self._waiting += jobs
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._run, name="announcer", daemon=True)
                self._thread.start()
        self._wake.set()

    def _run(self) -> None:
        while True:
            self._wake.wait()
            self._wake.clear()
            with self._lock:
                jobs, self._waiting = self._waiting, []
            publish(jobs)


_announcer = _Announcer()
