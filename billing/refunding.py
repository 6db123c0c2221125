"""Money that goes back: refunds and disputes, as Stripe tells of them. Each is booked once."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import Sum

from audit.actions import Action
from audit.actors import Actor
from audit.recording import Note, record_many
from billing import ledger, settling
from billing.intents import payment_of
from billing.ledger import Entry
from billing.models import Dispute, Invoice, Payment, PaymentProfile, Posting, Refund
from billing.models.ledger import Account
from billing.money import Money
from billing.periods import local_date
from billing.stripe_gateway import DisputeInfo, Intent, Movement, RefundInfo
from tenants.context import current_tenant

# How a dispute ends without the money being lost.
OVER_WELL = ("won", "warning_closed")
# How a refund that had succeeded ends when the bank does not take the money after all.
FAILED = ("failed", "canceled")


def apply_refunds(intent: Intent, refunds: Sequence[RefundInfo], *, actor: Actor, now: datetime) -> str:
    """Book the refunds that have succeeded and are not booked yet, and take back those that failed since.

    `intent` is the one that was refunded, read afresh: what it took is booked first. Returns what was done.
    """
    with transaction.atomic():
        payment = _booked(intent, actor=actor, now=now)
        if payment is None:
            return "not ours"
        known = {each.external_id: each for each in Refund.objects.filter(payment=payment)}
        fresh = [each for each in refunds if each.status == "succeeded" and each.id not in known]
        ended = [each for each in refunds if each.status in FAILED and each.id in known]
        failed = [each for each in ended if known[each.id].failed_at is None]
        _book_refunds(payment, fresh, actor=actor, now=now)
        _take_back(payment, failed, actor=actor, now=now)
    return f"{len(fresh)} refunds booked" + (f", {len(failed)} failed" if failed else "")


def _book_refunds(payment: Payment, fresh: Sequence[RefundInfo], *, actor: Actor, now: datetime) -> None:
    """What is left of the payment's credit goes first, the rest is refunded of what was billed."""
    notes = [_note(Action.REFUND_BOOKED, payment, each) for each in fresh]
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
    credit = credit_of(payment)
    entries = []
    for each, event in zip(fresh, events, strict=True):
        of_credit = min(credit, each.amount)
        credit -= of_credit
        postings = [
            (Account.CREDIT, of_credit),
            (Account.REFUNDS, each.amount - of_credit),
            (Account.STRIPE, -each.amount),
        ]
        entries.append(_entry(f"refund:{each.id}", event, payment, postings))
    _book(entries, now)


def _take_back(payment: Payment, failed: Sequence[RefundInfo], *, actor: Actor, now: datetime) -> None:
    """A bank refused the money: it is at Stripe again, and booked back as it was booked."""
    events = record_many(
        [_note(Action.REFUND_FAILED, payment, each) for each in failed], actor=actor, now=now
    )
    Refund.objects.filter(external_id__in=[each.id for each in failed]).update(failed_at=now)
    entries = []
    for each, event in zip(failed, events, strict=True):
        booked = Posting.objects.filter(entry__key=f"refund:{each.id}")
        postings = [(Account(row.account), Money(-row.amount, row.currency)) for row in booked]
        entries.append(_entry(f"refund:{each.id}:failed", event, payment, postings))
    _book(entries, now)


def credit_of(payment: Payment) -> Money:
    """Return what of the payment is the customer's credit still: more than was due, and not given back."""
    keys = [f"payment:{payment.pk}:succeeded"]
    for refund in Refund.objects.filter(payment=payment).values_list("external_id", flat=True):
        keys += [f"refund:{refund}", f"refund:{refund}:failed"]
    rows = Posting.objects.filter(entry__key__in=keys, account=Account.CREDIT, currency=payment.currency)
    return Money(-(rows.aggregate(sum=Sum("amount"))["sum"] or 0), payment.currency)


def apply_dispute(told: DisputeInfo, intent: Intent | None, *, actor: Actor, now: datetime) -> str:
    """Note the dispute, mark the invoice, pause what is charged by itself, book what it has moved.

    `intent` is the one that is disputed, read afresh: what it took is booked first.
    """
    with transaction.atomic():
        payment = _booked(intent, actor=actor, now=now)
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
    entries = [_entry(f"dispute:{each.id}", event, payment, _postings(each)) for each in fresh]
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


def _note(action: Action, payment: Payment, told: RefundInfo) -> Note:
    about = {"refund": told.id, "amount": told.amount.minor, "currency": told.amount.currency}
    return Note(action, "payment", str(payment.pk), about)


def _entry(key: str, event: UUID, payment: Payment, postings: Sequence[tuple[Account, Money]]) -> Entry:
    return Entry(key, event, postings, customer=payment.customer_id, invoice=payment.invoice_id)


def _booked(intent: Intent | None, *, actor: Actor, now: datetime) -> Payment | None:
    """Return our payment of the intent, locked and with what it took in the books; None if it is not ours.

    Only what came in can go back. Stripe tells of a refund in any order, before the payment too, and of a
    payment that waits for a person because it fits no invoice.
    """
    payment_id = payment_of(intent)
    if intent is None or payment_id is None:
        return None
    payment = settling.apply_intent(payment_id, intent, actor=actor, now=now)
    if payment.state != Payment.State.SUCCEEDED:
        settling.take_in(payment_id, intent, actor=actor, now=now)
    return settling.lock(payment_id)
