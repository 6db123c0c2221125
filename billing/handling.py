"""What an event leads to. The event only hints: the object is read afresh from Stripe, then written once."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from functools import cache
from uuid import UUID

from django.db import connection as database
from django.db import transaction

from audit.actors import Actor
from billing import cards, connecting, disputing, refunding, settling
from billing.inbox import GONE
from billing.intents import payment_of, wanted_payment
from billing.models import Payment, StripeEvent
from billing.stripe_gateway import Gateway, Intent, NotFound, StripeError

Write = Callable[[Actor, datetime], str]
READ_AT_ONCE = 4
_HANDLED = (
    "UPDATE billing_stripeevent e SET handled_at = %s, outcome = n.outcome"
    " FROM unnest(%s::uuid[], %s::text[]) AS n (id, outcome) WHERE e.id = n.id"
)
STRIPE = Actor.vendor("Stripe")


def handle(event_id: UUID, *, now: datetime) -> str:
    """Read what the event is about from Stripe and bring our books there; returns what was done.

    Talks to Stripe: no transaction may be open. An event that was handled before does nothing; one that comes
    while no account is connected waits until one is.
    """
    event = StripeEvent.objects.get(pk=event_id)
    if event.handled_at is not None:
        return event.outcome
    try:
        write = _read(event, connecting.gateway())
    except connecting.NotConnected:
        return "not connected"
    except NotFound:
        write = _nothing(GONE)
    with transaction.atomic():
        # Whoever comes second waits here, and then finds it handled.
        mine = StripeEvent.objects.filter(pk=event_id, handled_at__isnull=True).update(handled_at=now)
        if not mine:
            return "handled meanwhile"
        outcome = write(STRIPE, now)[:200]
        StripeEvent.objects.filter(pk=event_id).update(outcome=outcome)
    return outcome


def handle_many(event_ids: Sequence[UUID], *, now: datetime) -> list[bool]:
    """Handle events of payment intents in one transaction, their intents read side by side.

    Returns which are handled now; the others are for `handle`, one by one.
    """
    rows = StripeEvent.objects.filter(pk__in=event_ids)
    events = {event.pk: event for event in rows}
    done = {pk for pk, event in events.items() if event.handled_at is not None}
    wanted = [e for e in events.values() if e.pk not in done and e.type.startswith("payment_intent.")]
    try:
        gateway = connecting.gateway()
    except connecting.NotConnected:
        return [pk in done for pk in event_ids]
    intents = dict(zip((e.pk for e in wanted), _side_by_side(gateway, wanted), strict=True))
    told = {pk: intent for pk, intent in intents.items() if intent is not None}
    return [pk in done for pk in event_ids] if not told else _settle(event_ids, told, done, now)


def _settle(
    event_ids: Sequence[UUID], told: dict[UUID, Intent], done: set[UUID], now: datetime
) -> list[bool]:
    with transaction.atomic():
        mine = StripeEvent.objects.select_for_update(no_key=True, skip_locked=True).order_by("pk")
        mine = mine.filter(pk__in=told, handled_at__isnull=True)
        held = [(pk, told[pk], wanted_payment(told[pk])) for pk in mine.values_list("pk", flat=True)]
        known = set(Payment.objects.filter(pk__in={p for _, _, p in held if p}).values_list("pk", flat=True))
        ours = [(payment, intent) for _, intent, payment in held if payment in known and payment]
        settled = settling.apply_intents(ours, actor=STRIPE, now=now) if ours else {}
        outcomes = [f"payment {settled[p].state}" if p in settled else "not ours" for _, _, p in held]
        with database.cursor() as cursor:
            cursor.execute(_HANDLED, [now, [pk for pk, _, _ in held], outcomes])
        done |= {pk for pk, _, _ in held}
    return [pk in done for pk in event_ids]


def _side_by_side(gateway: Gateway, events: Sequence[StripeEvent]) -> list[Intent | None]:
    """Read the intents over a few connections at once; None for one that cannot be read now."""

    def read(event: StripeEvent) -> Intent | None:
        try:
            return gateway.intent(event.object_id)
        except StripeError:
            return None

    return list(_readers().map(read, events))


@cache
def _readers() -> ThreadPoolExecutor:
    """Made on first use, after the worker has forked; its threads keep their connections to Stripe."""
    return ThreadPoolExecutor(READ_AT_ONCE, "stripe")


def _read(event: StripeEvent, gateway: Gateway) -> Write:
    kind, about = event.type, event.object_id
    if kind.startswith("payment_intent."):
        return _intent(gateway.intent(about))
    if kind == "setup_intent.succeeded":
        setup = gateway.setup(about)
        return lambda actor, now: cards.apply_setup(setup, actor=actor, now=now)
    if kind in {"charge.refunded", "refund.updated", "refund.failed"}:
        charge = about if kind.startswith("charge.") else gateway.refund(about).charge
        return _refunds(charge, gateway)
    if kind.startswith("charge.dispute."):
        dispute = gateway.dispute(about)
        paid = gateway.intent(dispute.intent) if dispute.intent else None
        return lambda actor, now: disputing.apply_dispute(dispute, paid, actor=actor, now=now)
    if kind == "payment_method.detached" and gateway.card(about).customer is None:
        return lambda actor, now: cards.mark_detached(about, actor=actor, now=now)
    return _nothing("nothing to do")


def _refunds(charge_id: str | None, gateway: Gateway) -> Write:
    charge = gateway.charge(charge_id) if charge_id else None
    if charge is None or charge.intent is None:
        return _nothing("not ours")
    paid, refunds = gateway.intent(charge.intent), gateway.refunds(charge.id)
    return lambda actor, now: refunding.apply_refunds(paid, refunds, actor=actor, now=now)


def _intent(intent: Intent) -> Write:
    def write(actor: Actor, now: datetime) -> str:
        payment_id = payment_of(intent)
        if payment_id is None:
            return "not ours"
        return f"payment {settling.apply_intent(payment_id, intent, actor=actor, now=now).state}"

    return write


def _nothing(outcome: str) -> Write:
    return lambda actor, now: outcome
