"""The inbox of Stripe's events: written down once, with the job that handles it, in one statement."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import psycopg
from django.db import connection as database

from billing.letterbox import Letterbox, announce
from billing.models import StripeConnection, StripeEvent
from billing.stripe_gateway import EventInfo, Hint, SignatureRefused, open_event
from tenants.context import current_schema, current_tenant, enter
from tenants.ids import new_id
from tenants.jobs import Asked, enqueue_many
from tenants.models import Tenant

JOB = "billing.handle_event"
# The outcome of an event about something that the account does not know.
GONE = "gone at Stripe"
# The event, once; its job, if the event is new; both only while the connection that signed it stands.
_INSERT = (
    "WITH given AS (SELECT * FROM unnest(%s::uuid[], %s::text[], %s::text[], %s::text[], %s::timestamptz[],"
    " %s::uuid[]) AS g (id, external_id, type, object_id, created_at, job)),"
    " fresh AS (INSERT INTO billing_stripeevent"
    " (id, external_id, type, object_id, created_at, received_at, outcome)"
    " SELECT id, external_id, type, object_id, created_at, %s, '' FROM given"
    " WHERE EXISTS (SELECT 1 FROM billing_stripeconnection WHERE id = %s AND disconnected_at IS NULL"
    " AND webhook_endpoint = coalesce(%s, webhook_endpoint))"
    " ON CONFLICT (external_id) DO NOTHING RETURNING id),"
    " asked AS (INSERT INTO tenants_job"
    " (id, schema_name, name, args, key, state, attempts, run_at, published_at, last_error, created_at)"
    " SELECT g.job, %s, %s, jsonb_build_object('event_id', g.id), 'event:' || g.external_id, 'waiting', 0,"
    " %s, %s, '', %s FROM given g JOIN fresh ON fresh.id = g.id"
    " ON CONFLICT (schema_name, key) WHERE key IS NOT NULL DO NOTHING RETURNING id)"
    " SELECT g.external_id, g.job FROM given g JOIN asked ON asked.id = g.job"
)


class _Held(NamedTuple):
    """The secret of an endpoint, as this process knows it. What it opens counts only while it is the one."""

    connection_id: UUID
    endpoint: str
    secret: str
    livemode: bool


_secrets: dict[str, _Held] = {}


class _Letter(NamedTuple):
    """An event on its way into the inbox of a tenant."""

    tenant: Tenant
    held: _Held
    hint: Hint
    now: datetime


class Closed(Exception):
    """No Stripe account is connected: nothing can be from it."""


def receive(payload: bytes, header: str, *, now: datetime) -> bool:
    """Verify the body with this tenant's secret and write its event down; False when it was there already.

    What is told of the other mode, test or live, is none of this connection's, and is left. Raises `Closed`,
    `SignatureRefused`, or ValueError for a body that is no event.
    """
    held = _secrets.get(current_schema())
    try:
        if held is None:
            raise SignatureRefused
        hint = open_event(payload, header, held.secret)
    except SignatureRefused:
        # The secret may have changed since this process read it.
        fresh = _read_secret()
        if fresh == held:
            raise
        held = fresh
        hint = open_event(payload, header, held.secret)
    if hint.livemode != held.livemode:
        return False
    if _letterbox.post(_Letter(current_tenant(), held, hint, now)):
        return True
    # Known already, or the connection is no longer the one that this process knew.
    if _read_secret() != held:
        return receive(payload, header, now=now)
    return False


def insert(
    events: Sequence[EventInfo | Hint], *, connection_id: UUID, now: datetime, endpoint: str | None = None
) -> set[str]:
    """Write the events that are not in the inbox yet, with their jobs; returns the ids of those.

    None are written once the connection is over or, with an `endpoint`, once another one took its place.
    """
    # One order for everybody: two who write the same events at once wait, and do not block each other.
    ordered = sorted(events, key=lambda each: each.id)
    parameters: list[Any] = [
        [new_id() for _ in ordered],
        [each.id for each in ordered],
        [each.type for each in ordered],
        [each.object_id for each in ordered],
        [each.created for each in ordered],
        [new_id() for _ in ordered],
        now,
        connection_id,
        endpoint,
        current_schema(),
        JOB,
        now,
        now,
        now,
    ]
    with database.cursor():  # the server is in the tenant from here on
        rows = psycopg.Cursor(database.connection).execute(_INSERT, parameters, prepare=True).fetchall()
    if not current_tenant().is_rehearsal:
        announce([job for _, job in rows])
    return {external_id for external_id, _ in rows}


def rouse_all(reason: str) -> None:
    """Have every event handled that is not yet, whatever became of its job: what held them up has changed.

    Needs an open transaction.
    """
    left = StripeEvent.objects.filter(handled_at__isnull=True).order_by("received_at")
    ids = left.values_list("pk", flat=True)
    enqueue_many([Asked(JOB, {"event_id": str(pk)}, key=f"rouse:{pk}:{reason}") for pk in ids])


def revive(external_ids: Sequence[str], reason: str) -> int:
    """Have events handled anew that an account lists, but another one, or none, was asked about.

    Needs an open transaction; returns how many.
    """
    misled = StripeEvent.objects.filter(external_id__in=external_ids, outcome__in=(GONE, "not connected"))
    ids = list(misled.order_by("pk").values_list("pk", flat=True))
    StripeEvent.objects.filter(pk__in=ids).update(handled_at=None, outcome="")
    enqueue_many([Asked(JOB, {"event_id": str(pk)}, key=f"revive:{pk}:{reason}") for pk in ids])
    return len(ids)


def _write(letters: Sequence[_Letter]) -> list[bool]:
    groups: dict[tuple[str, _Held], list[_Letter]] = {}
    for letter in letters:
        groups.setdefault((letter.tenant.schema_name, letter.held), []).append(letter)
    fresh: set[tuple[str, str]] = set()
    for (schema, held), group in groups.items():
        with enter(group[0].tenant):
            events = [letter.hint for letter in group]
            inserted = insert(
                events, connection_id=held.connection_id, endpoint=held.endpoint, now=group[-1].now
            )
            fresh |= {(schema, external_id) for external_id in inserted}
    return [(letter.tenant.schema_name, letter.hint.id) in fresh for letter in letters]


_letterbox = Letterbox(_write)


def _read_secret() -> _Held:
    found = StripeConnection.objects.filter(disconnected_at__isnull=True).first()
    if found is None or found.sealed_webhook_secret is None:
        _secrets.pop(current_schema(), None)
        raise Closed
    held = _secrets.get(current_schema())
    if held is None or held[:2] != (found.pk, found.webhook_endpoint):
        held = _Held(found.pk, found.webhook_endpoint, found.sealed_webhook_secret.reveal(), found.livemode)
        _secrets[current_schema()] = held
    return held
