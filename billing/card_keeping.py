"""Writing saved cards down, inside the transaction of whoever learnt of them."""

from datetime import datetime

from django.db.models import Q

from accounts.models import Customer
from audit.actions import Action
from audit.recording import Note
from billing.models import PaymentMethod, PaymentProfile
from billing.stripe_gateway import Card


def keep_card(customer: Customer, card: Card, *, autopay: bool | None, now: datetime) -> list[Note]:
    """Save the card as the customer's default, with autopay as chosen (None: as it is); needs the lock on it.

    Returns what is to be recorded; nothing when all is so already.
    """
    notes: list[Note] = []
    saved = PaymentMethod.objects.filter(external_id=card.id).first()
    if saved is None or saved.removed_at is not None or not saved.is_default:
        PaymentMethod.objects.filter(customer=customer, is_default=True).update(is_default=False)
    if saved is None:
        saved = PaymentMethod(customer=customer, external_id=card.id, saved_at=now, **_face(card))
        saved.is_default = True
        saved.save(force_insert=True)
        notes.append(_saving_note(saved))
    elif saved.removed_at is not None or not saved.is_default:
        saved.removed_at, saved.is_default = None, True
        saved.save(update_fields=["removed_at", "is_default"])
        notes.append(_saving_note(saved))
    if autopay is not None:
        notes += switch_autopay(customer, on=autopay)
    return notes


def forget_all(*, why: str, now: datetime, of: Customer | None = None) -> list[Note]:
    """Forget every saved card, and by what Stripe knows each customer: of use with another account to nobody.

    With `of`, those of one customer only. Locks the customers concerned, in the order in which all lock.
    Returns what is to be recorded.
    """
    held = Q(payment_methods__removed_at__isnull=True, payment_methods__isnull=False)
    known = ~Q(payment_profile__stripe_customer="") | Q(payment_profile__autopay=True)
    concerned = Customer.objects.filter(held | (Q(payment_profile__isnull=False) & known))
    concerned = concerned.filter(pk=of.pk) if of is not None else concerned
    ids = list(concerned.order_by("pk").distinct().values_list("pk", flat=True))
    list(Customer.objects.select_for_update(no_key=True).filter(pk__in=ids).order_by("pk").values_list("pk"))
    cards = PaymentMethod.objects.filter(customer__in=ids, removed_at__isnull=True).order_by("pk")
    notes = [removal_note(card, was_default=card.is_default, why=why) for card in cards]
    profiles = PaymentProfile.objects.filter(customer__in=ids).order_by("pk")
    change = {"before": {"autopay": True}, "after": {"autopay": False}, "why": why}
    notes += [
        Note(Action.AUTOPAY_CHANGED, "customer", str(each.pk), change) for each in profiles if each.autopay
    ]
    cards.update(removed_at=now, is_default=False)
    profiles.update(stripe_customer="", autopay=False)
    return notes


def switch_autopay(customer: Customer, *, on: bool) -> list[Note]:
    """Turn autopay on or off; returns what is to be recorded."""
    profile, _ = PaymentProfile.objects.get_or_create(customer=customer)
    if profile.autopay == on:
        return []
    profile.autopay = on
    profile.save(update_fields=["autopay"])
    change = {"before": {"autopay": not on}, "after": {"autopay": on}}
    return [Note(Action.AUTOPAY_CHANGED, "customer", str(customer.pk), change)]


def removal_note(card: PaymentMethod, *, was_default: bool, **more: object) -> Note:
    """Return what is to be recorded of a card that is gone; which one it was is sealed for its customer."""
    details = {"before": {"is_default": was_default}, **more}
    face = {"before": {"brand": card.brand, "last4": card.last4}}
    person = ("customer", str(card.customer_id))
    return Note(Action.CARD_REMOVED, "payment_method", str(card.pk), details, face, person)


def _saving_note(card: PaymentMethod) -> Note:
    person = ("customer", str(card.customer_id))
    face = {"brand": card.brand, "last4": card.last4}
    details = {"customer": str(card.customer_id)}
    return Note(Action.CARD_SAVED, "payment_method", str(card.pk), details, face, person)


def _face(card: Card) -> dict[str, object]:
    return {
        "brand": card.brand,
        "last4": card.last4,
        "exp_month": card.exp_month,
        "exp_year": card.exp_year,
    }
