"""Disputes, as Stripe tells of them: what they move, what they pause, how they end. Each is booked once."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Sum

from audit.actions import Action
from audit.actors import Actor
from audit.recording import Note, record_many
from billing import ledger
from billing.models import Dispute, Invoice, Payment, PaymentProfile, Posting
from billing.models.ledger import Account
from billing.money import Money
from billing.refunding import book, booked, credit_of, entry_of
from billing.stripe_gateway import DisputeInfo, Intent, Movement

# How a dispute ends without the money being lost.
OVER_WELL = ("won", "warning_closed")


def apply_dispute(told: DisputeInfo, intent: Intent | None, *, actor: Actor, now: datetime) -> str:
    """Note the dispute, mark the invoice, pause what is charged by itself, book what it has moved.

    `intent` is the one that is disputed, read afresh: what it took is booked first.
    """
    with transaction.atomic():
        payment = booked(intent, actor=actor, now=now)
        if payment is None:
            return "not ours"
        dispute, is_new = Dispute.objects.get_or_create(
            external_id=told.id,
            defaults={
                "payment": payment,
                "status": told.status,
                "reason": told.reason,
                "amount": told.amount.minor,
                "currency": told.amount.currency,
                "opened_at": told.opened,
            },
        )
        fresh = [each for each in told.movements if not ledger.is_booked(f"dispute:{each.id}")]
        before = "" if is_new else dispute.status
        if before != told.status or fresh:
            Dispute.objects.filter(pk=dispute.pk).update(status=told.status)
            _write(payment, told, fresh, before=before, actor=actor, now=now)
    return "dispute opened" if is_new else f"dispute is {told.status}"


def _write(
    payment: Payment,
    told: DisputeInfo,
    fresh: Sequence[Movement],
    *,
    before: str,
    actor: Actor,
    now: datetime,
) -> None:
    """Pause or lift, record all of it, and book what was moved."""
    changes: dict[str, Any] = {"before": {"status": before}, "after": {"status": told.status}}
    if told.status in OVER_WELL:
        _lift(payment, told, changes)
    elif not before:
        _pause(payment, told, changes)
    about = {
        "dispute": told.id,
        "reason": told.reason,
        "invoice": str(payment.invoice_id),
        "moved": [[each.amount.minor, each.amount.currency, each.fee.minor] for each in fresh],
        **changes,
    }
    action = Action.DISPUTE_MOVED if before else Action.DISPUTE_OPENED
    event = record_many([Note(action, "payment", str(payment.pk), about)], actor=actor, now=now)[0]
    for each in fresh:
        book([entry_of(f"dispute:{each.id}", event, payment, _postings(payment, told, each))], now)


def _pause(payment: Payment, told: DisputeInfo, changes: dict[str, Any]) -> None:
    reason = f"dispute {told.id}"
    PaymentProfile.objects.get_or_create(customer_id=payment.customer_id)
    free = PaymentProfile.objects.filter(customer=payment.customer_id, paused_reason="")
    if free.update(paused_reason=reason):
        changes["after"]["paused_reason"] = reason
    if Invoice.objects.filter(pk=payment.invoice_id, collection_paused=False).update(collection_paused=True):
        changes["after"]["collection_paused"] = True


def _lift(payment: Payment, told: DisputeInfo, changes: dict[str, Any]) -> None:
    """Lift what this dispute paused, unless another one keeps it: one not over well and lifted by nobody."""
    others = Dispute.objects.exclude(status__in=OVER_WELL).exclude(external_id=told.id)
    if not others.filter(payment__invoice=payment.invoice_id, invoice_resumed_at=None).exists():
        held = Invoice.objects.filter(pk=payment.invoice_id, collection_paused=True)
        if held.update(collection_paused=False):
            changes["after"]["collection_paused"] = False
    before = f"dispute {told.id}"
    mine = others.filter(payment__customer=payment.customer_id, customer_resumed_at=None)
    other = mine.order_by("opened_at").first()
    after = f"dispute {other.external_id}" if other else ""
    paused = PaymentProfile.objects.filter(customer=payment.customer_id, paused_reason=before)
    if paused.update(paused_reason=after):
        changes["before"]["paused_reason"], changes["after"]["paused_reason"] = before, after


def _postings(payment: Payment, told: DisputeInfo, moved: Movement) -> list[tuple[Account, Money]]:
    """What the balance lost is held in the dispute, the customer's credit of it first; its fee is gone.

    What comes back goes where it came from.
    """
    taken = -moved.amount
    credit = Money(0, taken.currency)
    if taken.currency == payment.currency:
        limit = credit_of(payment) if taken.minor > 0 else -_drawn(payment, told)
        credit = min(taken, limit) if taken.minor > 0 else max(taken, limit)
    return [
        (Account.CREDIT, credit),
        (Account.DISPUTES, taken - credit),
        (Account.FEES, moved.fee),
        (Account.STRIPE, moved.amount - moved.fee),
    ]


def _drawn(payment: Payment, told: DisputeInfo) -> Money:
    """What of the customer's credit this dispute holds."""
    rows = Posting.objects.filter(
        account=Account.CREDIT,
        currency=payment.currency,
        entry__invoice=payment.invoice_id,
        entry__key__startswith="dispute:",
        entry__audit_event__details__dispute=told.id,
    )
    return Money(rows.aggregate(sum=Sum("amount"))["sum"] or 0, payment.currency)
