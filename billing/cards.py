"""Saved cards: adding one without a payment, choosing, removing, and whether autopay charges it."""

from datetime import datetime
from uuid import UUID

from django.db import transaction

from accounts.models import Customer
from audit.actions import Action
from audit.actors import Actor
from audit.recording import Note, record, record_many
from billing import connecting, scheduling
from billing.card_keeping import keep_card, removal_note, switch_autopay
from billing.collecting import ensure_customer, renew_customer
from billing.errors import Refused
from billing.models import Invoice, PaymentMethod, PaymentProfile
from billing.periods import local_date
from billing.stripe_gateway import IntentStatus, NoSuchCustomer, NotFound, Setup, StripeError
from tenants.context import current_schema, current_tenant
from tenants.ids import new_id
from tenants.jobs import enqueue


def begin_setup(customer: Customer, *, actor: Actor, now: datetime) -> Setup:
    """Have Stripe ready to take a card of this customer. Talks to Stripe: no transaction may be open."""
    gateway = connecting.gateway()
    metadata = {"customer_id": str(customer.pk), "tenant": current_schema()}
    known = ensure_customer(customer, gateway)
    try:
        return gateway.create_setup(known, metadata=metadata, key=f"setup-{new_id()}")
    except NoSuchCustomer:
        known = renew_customer(customer, gateway, lost=known, actor=actor, now=now)
        return gateway.create_setup(known, metadata=metadata, key=f"setup-{new_id()}")


def apply_setup(setup: Setup, *, actor: Actor, now: datetime) -> str:
    """Save the card of a setup intent that succeeded, as default and for autopay; returns what was done."""
    card = setup.card
    profile = PaymentProfile.objects.filter(stripe_customer=setup.customer or "-").first()
    if setup.status != IntentStatus.SUCCEEDED or card is None:
        return f"setup intent is {setup.status}"
    if profile is None or setup.metadata.get("tenant") != current_schema():
        return "not ours"
    if card.customer != setup.customer:
        return "the card is no longer the customer's"
    with transaction.atomic():
        customer = _lock(profile.customer_id)
        # Told late or again: what the customer did with the card since then stands.
        if PaymentMethod.objects.filter(external_id=card.id).exists():
            return "card known"
        record_many(keep_card(customer, card, autopay=True, now=now), actor=actor, now=now)
    return "card saved"


def look_at_setup(setup_id: str, *, actor: Actor, now: datetime) -> None:
    """Ask Stripe whether the card is there; the event may be late or lost. Talks to Stripe."""
    try:
        apply_setup(connecting.gateway().setup(setup_id), actor=actor, now=now)
    except (Refused, StripeError):
        return


def add_card(
    customer: Customer, payment_method: str, *, autopay: bool, actor: Actor, now: datetime
) -> PaymentMethod:
    """Attach a payment method that Stripe has already, as default. Talks to Stripe: no open transaction."""
    gateway = connecting.gateway()
    stripe_customer = ensure_customer(customer, gateway)
    card = gateway.attach_card(payment_method, stripe_customer, key=f"attach-{new_id()}")
    with transaction.atomic():
        notes = keep_card(_lock(customer.pk), card, autopay=autopay, now=now)
        record_many(notes, actor=actor, now=now)
    return PaymentMethod.objects.get(external_id=card.id)


def choose(card_id: UUID, customer: Customer, *, actor: Actor, now: datetime) -> None:
    """Make the card the one that autopay charges."""
    with transaction.atomic():
        locked = _lock(customer.pk)
        card = _card_of(card_id, locked)
        if card.is_default:
            return
        PaymentMethod.objects.filter(customer=locked, is_default=True).update(is_default=False)
        PaymentMethod.objects.filter(pk=card.pk).update(is_default=True)
        record(
            Action.CARD_SAVED,
            subject=("payment_method", card.pk),
            actor=actor,
            now=now,
            before={"is_default": False},
            after={"is_default": True},
        )


def remove(card_id: UUID, customer: Customer, *, actor: Actor, now: datetime) -> None:
    """Forget the card, here now and at Stripe by job. Autopay with no card left is turned off with it."""
    with transaction.atomic():
        locked = _lock(customer.pk)
        card = _card_of(card_id, locked)
        record_many(_mark_removed(card, now=now), actor=actor, now=now)
        enqueue("billing.detach_card", card_id=card.external_id, key=f"detach:{card.pk}:{now.isoformat()}")


def set_autopay(customer: Customer, *, on: bool, actor: Actor, now: datetime) -> None:
    """Turn autopay on or off; raises `Refused` without a card that it could charge."""
    with transaction.atomic():
        locked = _lock(customer.pk)
        has_card = PaymentMethod.objects.filter(
            customer=locked, is_default=True, removed_at__isnull=True
        ).exists()
        if on and not has_card:
            raise Refused("Add a card first: autopay needs one to charge.")
        notes = switch_autopay(locked, on=on)
        record_many(notes, actor=actor, now=now)
        if on and notes:
            today = local_date(now, current_tenant().zone)
            scheduling.collect_today(Invoice.objects.filter(customer=locked), today=today)


def mark_detached(external_id: str, *, actor: Actor, now: datetime) -> str:
    """Stripe says that the card is no longer the customer's."""
    with transaction.atomic():
        card = PaymentMethod.objects.filter(external_id=external_id, removed_at__isnull=True).first()
        if card is None:
            return "not ours, or removed already"
        _lock(card.customer_id)
        card.refresh_from_db()
        if card.removed_at is None:
            record_many(_mark_removed(card, now=now), actor=actor, now=now)
    return "card removed"


def detach(external_id: str) -> None:
    """Tell Stripe that the card was removed here. Talks to Stripe."""
    try:
        connecting.gateway().detach_card(external_id)
    except NotFound:
        return


def _mark_removed(card: PaymentMethod, *, now: datetime) -> list[Note]:
    """Write that the card is gone, and which follows it; returns what is to be recorded."""
    was_default = card.is_default
    card.is_default, card.removed_at = False, now
    card.save(update_fields=["is_default", "removed_at"])
    notes = [removal_note(card, was_default=was_default)]
    if not was_default:
        return notes
    left = PaymentMethod.objects.filter(customer=card.customer_id, removed_at__isnull=True)
    following = left.order_by("-saved_at").first()
    if following is None:
        return notes + switch_autopay(card.customer, on=False)
    PaymentMethod.objects.filter(pk=following.pk).update(is_default=True)
    return notes


def _lock(customer_id: UUID) -> Customer:
    return Customer.objects.select_for_update(no_key=True).get(pk=customer_id)


def _card_of(card_id: UUID, customer: Customer) -> PaymentMethod:
    card = PaymentMethod.objects.filter(pk=card_id, customer=customer, removed_at__isnull=True).first()
    if card is None:
        raise Refused("This card is no longer saved.")
    return card
