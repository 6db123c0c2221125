"""Events that never came: Stripe's own list is read, and what the inbox lacks is put into it."""

from datetime import datetime, timedelta
from itertools import islice
from uuid import UUID

from django.db import transaction

from billing import connecting, inbox
from billing.models import Payment, StripeConnection, StripeEvent
from billing.stripe_gateway import EventInfo
from tenants.context import current_schema, current_tenant
from tenants.jobs import Asked, enqueue_many
from tenants.models import Job

BATCH = 500
# Events may appear in the list a little out of order.
OVERLAP = timedelta(minutes=5)
# How far Stripe's list reaches back; `purging` keeps what was handled for longer.
REACH = timedelta(days=30)
SOON, LATER = timedelta(minutes=10), timedelta(hours=1)
STALE = timedelta(seconds=90)
UNSETTLED = (Payment.State.SENT, Payment.State.NEEDS_ACTION, Payment.State.PROCESSING, Payment.State.UNKNOWN)


def sweep(*, now: datetime) -> int:
    """Put every event into the inbox that Stripe lists and we have not; returns how many. Talks to Stripe."""
    connection = connecting.current()
    if connection is None:
        return 0
    gateway = connecting.gateway()
    found, newest = 0, connection.swept_until
    listed = iter(gateway.events(connecting.EVENTS, since=_since(connection, now)))
    while batch := list(islice(listed, BATCH)):
        newest = max([each.created - OVERLAP for each in batch] + ([newest] if newest else []))
        found += _insert(batch, connection, now=now)
    if newest is not None:
        StripeConnection.objects.filter(pk=connection.pk).update(swept_until=newest)
    return found


def _since(connection: StripeConnection, now: datetime) -> datetime | None:
    """Where to begin: never so far back that what was handled may be forgotten here already."""
    if current_tenant().is_rehearsal:
        return connection.swept_until  # Stripe's stand-in lives in another time than the tenant
    earliest = now - REACH
    return max(connection.swept_until or earliest, earliest)


def rouse(*, now: datetime) -> int:
    """Ask again for events that lie unhandled, whatever became of their jobs; returns how many.

    While no account is connected nobody could be asked: they wait.
    """
    if connecting.current() is None:
        return 0
    left = StripeEvent.objects.filter(handled_at__isnull=True, received_at__lt=now - STALE)
    parked = Job.objects.filter(
        schema_name=current_schema(), name=inbox.JOB, state=Job.State.PARKED, args__has_key="event_id"
    )
    waiting_for_a_person = {UUID(each["event_id"]) for each in parked.values_list("args", flat=True)}
    left = left.exclude(pk__in=waiting_for_a_person)
    ids = list(left.order_by("received_at").values_list("pk", flat=True)[:BATCH])
    slot = int(now.timestamp()) // 3600
    with transaction.atomic():
        enqueue_many([Asked(inbox.JOB, {"event_id": str(pk)}, key=f"rouse:{pk}:{slot}") for pk in ids])
    return len(ids)


def next_sweep(*, now: datetime) -> datetime:
    """Soon while payments are unsettled, later otherwise."""
    unsettled = Payment.objects.filter(state__in=UNSETTLED).exists()
    return now + (SOON if unsettled else LATER)


def _insert(batch: list[EventInfo], connection: StripeConnection, *, now: datetime) -> int:
    """Leave out what is known, and what tells of payments that are settled and booked already."""
    ids = [each.id for each in batch]
    if connection.swept_until is None:
        # The account is new here, or back: what was in the inbox before was asked of another, or of none.
        with transaction.atomic():
            inbox.revive(ids, str(connection.pk))
    known = set(StripeEvent.objects.filter(external_id__in=ids).values_list("external_id", flat=True))
    fresh = [each for each in batch if each.id not in known]
    intents = {each.object_id for each in fresh if each.type.startswith("payment_intent.")}
    settled = set(
        Payment.objects.filter(
            external_id__in=intents, state=Payment.State.SUCCEEDED, fee__isnull=False
        ).values_list("external_id", flat=True)
    )
    fresh = [each for each in fresh if each.object_id not in settled]
    return len(inbox.insert(fresh, connection_id=connection.pk, now=now)) if fresh else 0
