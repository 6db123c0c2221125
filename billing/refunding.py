"""Money that goes back to payers: refunds, as Stripe tells of them. Each is booked once."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import Q, Sum

from audit.actions import Action
from audit.actors import Actor
from audit.recording import Note, record_many
from billing import ledger, settling
from billing.errors import Refused
from billing.intents import payment_of
from billing.ledger import Entry
from billing.models import Payment, Posting, Refund
from billing.models.ledger import Account
from billing.money import Money
from billing.periods import local_date
from billing.stripe_gateway import Intent, RefundInfo
from tenants.context import current_tenant
from tenants.errors import ParkNow

# How a refund that had succeeded ends when the bank does not take the money after all.
FAILED = ("failed", "canceled")


def apply_refunds(intent: Intent, refunds: Sequence[RefundInfo], *, actor: Actor, now: datetime) -> str:
    """Book the refunds that have succeeded and are not booked yet, and take back those that failed since.

    `intent` is the one that was refunded, read afresh: what it took is booked first. Returns what was done.
    """
    with transaction.atomic():
        payment = booked(intent, actor=actor, now=now)
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
        entries.append(entry_of(f"refund:{each.id}", event, payment, postings))
    book(entries, now)


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
        entries.append(entry_of(f"refund:{each.id}:failed", event, payment, postings))
    book(entries, now)


def credit_of(payment: Payment) -> Money:
    """Return what of the payment is the customer's credit still: more than was due, and not given back."""
    keys = [f"payment:{payment.pk}:succeeded"]
    for refund in Refund.objects.filter(payment=payment).values_list("external_id", flat=True):
        keys += [f"refund:{refund}", f"refund:{refund}:failed"]
    of_disputes = Q(
        entry__key__startswith="dispute:",
        entry__audit_event__subject_kind="payment",
        entry__audit_event__subject_id=str(payment.pk),
    )
    credit = Posting.objects.filter(account=Account.CREDIT, currency=payment.currency)
    rows = credit.filter(Q(entry__key__in=keys) | of_disputes, entry__invoice=payment.invoice_id)
    return Money(-(rows.aggregate(sum=Sum("amount"))["sum"] or 0), payment.currency)


def book(entries: Sequence[Entry], now: datetime) -> None:
    if entries:
        ledger.book(entries, now=now, on=local_date(now, current_tenant().zone))


def _note(action: Action, payment: Payment, told: RefundInfo) -> Note:
    about = {"refund": told.id, "amount": told.amount.minor, "currency": told.amount.currency}
    return Note(action, "payment", str(payment.pk), about)


def entry_of(key: str, event: UUID, payment: Payment, postings: Sequence[tuple[Account, Money]]) -> Entry:
    return Entry(key, event, postings, customer=payment.customer_id, invoice=payment.invoice_id)


def booked(intent: Intent | None, *, actor: Actor, now: datetime) -> Payment | None:
    """Return our payment of the intent, locked and with what it took in the books; None if it is not ours.

    Only what came in can go back. Stripe tells of a refund in any order, before the payment too, and of a
    payment that waits for a person because it fits no invoice. Raises `ParkNow` for an intent that is not the
    payment's own, or whose money cannot be booked.
    """
    payment_id = payment_of(intent)
    if intent is None or payment_id is None:
        return None
    payment = settling.apply_intent(payment_id, intent, actor=actor, now=now)
    if payment.external_id != intent.id:
        raise ParkNow(
            f"{intent.id} bears the id of payment {payment_id}, which was made by {payment.external_id}. "
            "Nothing of it is booked here: settle it in Stripe's dashboard."
        )
    if payment.state != Payment.State.SUCCEEDED:
        try:
            settling.take_in(payment_id, intent, actor=actor, now=now)
        except Refused as refused:
            raise ParkNow(str(refused)) from refused
    return settling.lock(payment_id)
