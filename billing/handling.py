"""What an event leads to. The event only hints: the object is read afresh from Stripe, then written once."""

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from django.db import transaction

from audit.actors import Actor
from billing import cards, connecting, refunding, settling
from billing.models import Payment, StripeEvent
from billing.stripe_gateway import Gateway, Intent, NotFound
from tenants.context import current_schema

Write = Callable[[Actor, datetime], str]
STRIPE = Actor.vendor("Stripe")


def handle(event_id: UUID, *, now: datetime) -> str:
    """Read what the event is about from Stripe and bring our books there; returns what was done.

    Talks to Stripe: no transaction may be open. An event that was handled before does nothing.
    """
    event = StripeEvent.objects.get(pk=event_id)
    if event.handled_at is not None:
        return event.outcome
    try:
        write = _read(event, connecting.gateway())
    except connecting.NotConnected:
        write = _nothing("not connected")
    except NotFound:
        write = _nothing("gone at Stripe")
    with transaction.atomic():
        # Whoever comes second waits here, and then finds it handled.
        mine = StripeEvent.objects.filter(pk=event_id, handled_at__isnull=True).update(handled_at=now)
        if not mine:
            return "handled meanwhile"
        outcome = write(STRIPE, now)[:200]
        StripeEvent.objects.filter(pk=event_id).update(outcome=outcome)
    return outcome


def _read(event: StripeEvent, gateway: Gateway) -> Write:
    kind, about = event.type, event.object_id
    if kind.startswith("payment_intent."):
        return _intent(gateway.intent(about))
    if kind == "setup_intent.succeeded":
        setup = gateway.setup(about)
        return lambda actor, now: cards.apply_setup(setup, actor=actor, now=now)
    if kind == "charge.refunded":
        charge, refunds = gateway.charge(about), gateway.refunds(about)
        return lambda actor, now: refunding.apply_refunds(charge.intent, refunds, actor=actor, now=now)
    if kind.startswith("charge.dispute."):
        dispute = gateway.dispute(about)
        return lambda actor, now: refunding.apply_dispute(dispute, actor=actor, now=now)
    if kind == "payment_method.detached" and gateway.card(about).customer is None:
        return lambda actor, now: cards.mark_detached(about, actor=actor, now=now)
    return _nothing("nothing to do")


def _intent(intent: Intent) -> Write:
    def write(actor: Actor, now: datetime) -> str:
        payment_id = _payment_of(intent)
        if payment_id is None:
            return "not ours"
        return f"payment {settling.apply_intent(payment_id, intent, actor=actor, now=now).state}"

    return write


def _payment_of(intent: Intent) -> UUID | None:
    """By the id that we gave it; the tenant may use its account for other things as well."""
    if intent.metadata.get("tenant") != current_schema():
        return None
    try:
        wanted = UUID(intent.metadata.get("payment_id", ""))
    except ValueError:
        return None
    return Payment.objects.filter(pk=wanted).values_list("pk", flat=True).first()


def _nothing(outcome: str) -> Write:
    return lambda actor, now: outcome
