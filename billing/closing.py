"""What billing does when a customer's account is closed, and when a customer is erased."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from accounts.models import Customer
from audit.actors import Actor
from audit.recording import record_many
from billing import connecting, disconnecting, listing, subscribing
from billing.card_keeping import switch_autopay
from billing.connecting import NotConnected
from billing.formats import format_money
from billing.models import (
    BillingSettings,
    Dispute,
    Payment,
    PaymentMethod,
    PaymentProfile,
    StripeConnection,
    Subscription,
)
from billing.snapshots import SELLER_FIELDS
from billing.stripe_gateway import NotFound
from privacy import closing, ending
from privacy.closing import CUSTOMER, Part
from privacy.erasing import also, obstacle
from privacy.models import Erasure
from privacy.subjects import Subject

RUNNING = (Subscription.Status.PENDING, Subscription.Status.ACTIVE, Subscription.Status.PAUSED)
CONTACT = (*SELLER_FIELDS, "logo_type", "invoice_note")
SETTLED = ("won", "lost", "warning_closed", "prevented")


def _end(subject: Subject, actor: Actor, now: datetime) -> dict[str, Any]:
    """Cancel what renews: what is paid runs to its end. Nothing is charged by itself any more."""
    customer = Customer.objects.get(pk=UUID(subject.id))
    running = Subscription.objects.filter(customer=customer, status__in=RUNNING).order_by("pk")
    ended = [[str(each.pk), each.status] for each in running]
    for each in running:
        subscribing.cancel(each, reason="the account is closed", actor=actor, now=now)
    notes = switch_autopay(customer, on=False)
    record_many(notes, actor=actor, now=now)
    return {"subscriptions": ended, "autopay": bool(notes)}


def _resume(subject: Subject, ended: dict[str, Any], actor: Actor, now: datetime) -> None:
    customer = Customer.objects.get(pk=UUID(subject.id))
    for pk, status in ended["subscriptions"]:
        subscribing.reinstate(UUID(pk), status, actor=actor, now=now)
    cards = PaymentMethod.objects.filter(customer=customer, is_default=True, removed_at__isnull=True)
    if ended["autopay"] and cards.exists():
        record_many(switch_autopay(customer, on=True), actor=actor, now=now)


def _tells(subject: Subject) -> list[str]:
    """What is still to be paid stays to be paid; one can log in for that until the account is erased."""
    balances = listing.balances([UUID(subject.id)]).get(UUID(subject.id), [])
    locale = Customer.objects.values_list("locale", flat=True).get(pk=UUID(subject.id))
    owed = [format_money(amount, locale) for amount in balances]
    return [f"{each} is still to be paid. Closing the account does not change that." for each in owed]


closing.takes_part(CUSTOMER, Part("billing", _end, _resume, _tells))


@ending.outside
def leave_stripe() -> None:
    """Nothing is told to a host that is gone: the webhook endpoint and what was granted end at Stripe too."""
    connection = connecting.current()
    if connection is not None:
        disconnecting.withdraw(connection)


@ending.at_last
def forget_business() -> None:
    """Of a closed workspace go the connection to Stripe, keys and all, and what its invoices do not need.

    They have name, address and tax id of their own (`Invoice.seller`).
    """
    StripeConnection.objects.all().delete()
    BillingSettings.objects.update(**dict.fromkeys(CONTACT, ""), logo=None)


@obstacle
def money_in_flight(subject: Subject, because: Erasure.Because) -> list[str]:
    """Nobody is erased while a payment is under way or a charge is disputed."""
    if subject.kind != CUSTOMER:
        return []
    customer = UUID(subject.id)
    found = []
    if Payment.objects.filter(customer=customer, state__in=Payment.IN_FLIGHT).exists():
        found.append("A payment is under way. Wait until it has gone through or failed, then ask again.")
    if Dispute.objects.filter(payment__customer=customer).exclude(status__in=SETTLED).exists():
        found.append("A payment is disputed at the bank. Wait until that is decided, then ask again.")
    return found


@also("cards and customer at Stripe")
def forget_at_stripe(subjects: Sequence[Subject], now: datetime) -> int:
    """Have Stripe forget cards, name and address; what was paid stays there as here. Talks to Stripe."""
    customers = [UUID(each.id) for each in subjects if each.kind == CUSTOMER]
    profiles = PaymentProfile.objects.filter(customer__in=customers).exclude(stripe_customer="")
    cards = PaymentMethod.objects.filter(customer__in=customers, removed_at__isnull=True)
    if not profiles.exists() and not cards.exists():
        return 0
    try:
        gateway = connecting.gateway()
    except NotConnected:
        return 0  # with the connection went our right to ask
    known = [card.external_id for card in cards], [each.stripe_customer for each in profiles]
    for names, forget in zip(known, (gateway.detach_card, gateway.forget_customer), strict=True):
        for name in names:
            try:
                forget(name)
            except NotFound:
                continue
    return len(known[0]) + len(known[1])
