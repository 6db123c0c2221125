"""Money that goes back: refunds and disputes, as Stripe tells of them. Each is booked once."""

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from audit.actions import Action
from audit.actors import Actor
from audit.recording import Note, record_many
from billing import ledger, settling
from billing.ledger import Entry
from billing.models import Dispute, Invoice, Payment, PaymentProfile, Refund
from billing.models.ledger import Account
from billing.money import Money
from billing.periods import local_date
from billing.stripe_gateway import DisputeInfo, Movement, RefundInfo
from tenants.context import current_tenant

# How a dispute ends without the money being lost.
OVER_WELL = ("won", "warning_closed")


def apply_refunds(intent: str | None, refunds: Sequence[RefundInfo], *, actor: Actor, now: datetime) -> str:
    """Book the refunds that have succeeded and are not booked yet; returns what was done."""
    with transaction.atomic():
        payment = _lock(intent)
        if payment is None:
            return "not ours"
        known = set(Refund.objects.filter(payment=payment).values_list("external_id", flat=True))
        fresh = [each for each in refunds if each.status == "succeeded" and each.id not in known]
        notes = [
            Note(
                Action.REFUND_BOOKED,
                "payment",
                str(payment.pk),
                {"refund": each.id, "amount": each.amount.minor, "currency": each.amount.currency},
            )
            for each in fresh
        ]
        events = record_many(notes, actor=actor, now=now)
        Refund.objects.bulk_create(
            Refund(
                payment=payment,
                external_id=each.id,
                amount=each.amount.minor,
                currency=each.amount.currency,
                created_at=each.created,
            )
            for each in fresh
        )
        entries = [
            Entry(
                f"refund:{each.id}",
                event,
                [(Account.REFUNDS, each.amount), (Account.STRIPE, -each.amount)],
                customer=payment.customer_id,
                invoice=payment.invoice_id,
            )
            for each, event in zip(fresh, events, strict=True)
        ]
        _book(entries, now)
    return f"{len(fresh)} refunds booked"


def apply_dispute(told: DisputeInfo, *, actor: Actor, now: datetime) -> str:
    """Note the dispute, mark the invoice, pause what is charged by itself, book what it has moved."""
    with transaction.atomic():
        payment = _lock(told.intent)
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
        if dispute.status != told.status:
            Dispute.objects.filter(pk=dispute.pk).update(status=told.status)
        if told.status in OVER_WELL:
            _resume(payment, told, actor=actor, now=now)
        elif is_new:
            _pause(payment, told)
        _book_movements(payment, told, is_new=is_new, actor=actor, now=now)
    return "dispute opened" if is_new else f"dispute is {told.status}"


def _pause(payment: Payment, told: DisputeInfo) -> None:
    reason = f"dispute {told.id}"
    PaymentProfile.objects.get_or_create(customer_id=payment.customer_id)
    PaymentProfile.objects.filter(customer=payment.customer_id, paused_reason="").update(paused_reason=reason)
    Invoice.objects.filter(pk=payment.invoice_id).update(collection_paused=True)


def _resume(payment: Payment, told: DisputeInfo, *, actor: Actor, now: datetime) -> None:
    """Lift what this dispute paused; another dispute that is not over well keeps it paused."""
    others = Dispute.objects.exclude(status__in=OVER_WELL)
    if not others.filter(payment__invoice=payment.invoice_id).exists():
        Invoice.objects.filter(pk=payment.invoice_id).update(collection_paused=False)
    before = f"dispute {told.id}"
    other = others.filter(payment__customer=payment.customer_id).order_by("opened_at").first()
    after = f"dispute {other.external_id}" if other else ""
    paused = PaymentProfile.objects.filter(customer=payment.customer_id, paused_reason=before)
    if not paused.update(paused_reason=after):
        return
    about = {
        "before": {"paused_reason": before},
        "after": {"paused_reason": after},
        "invoice": str(payment.invoice_id),
    }
    note = Note(Action.AUTOPAY_CHANGED, "customer", str(payment.customer_id), about)
    record_many([note], actor=actor, now=now)


def _book_movements(
    payment: Payment, told: DisputeInfo, *, is_new: bool, actor: Actor, now: datetime
) -> None:
    fresh = [each for each in told.movements if not ledger.is_booked(f"dispute:{each.id}")]
    if not fresh and not is_new:
        return
    about = {
        "dispute": told.id,
        "reason": told.reason,
        "status": told.status,
        "moved": [[each.amount.minor, each.amount.currency] for each in fresh],
    }
    action = Action.DISPUTE_OPENED if is_new else Action.DISPUTE_MOVED
    event = record_many([Note(action, "payment", str(payment.pk), about)], actor=actor, now=now)[0]
    entries = [
        Entry(
            f"dispute:{each.id}",
            event,
            _postings(each),
            customer=payment.customer_id,
            invoice=payment.invoice_id,
        )
        for each in fresh
    ]
    _book(entries, now)


def _postings(moved: Movement) -> list[tuple[Account, Money]]:
    """What the balance lost is held in the dispute; the fee for it is gone."""
    return [
        (Account.DISPUTES, -moved.amount),
        (Account.FEES, moved.fee),
        (Account.STRIPE, moved.amount - moved.fee),
    ]


def _book(entries: Sequence[Entry], now: datetime) -> None:
    if entries:
        ledger.book(entries, now=now, on=local_date(now, current_tenant().zone))


def _lock(intent: str | None) -> Payment | None:
    found = Payment.objects.filter(external_id=intent or "-").values_list("pk", flat=True).first()
    return settling.lock(found) if found else None
