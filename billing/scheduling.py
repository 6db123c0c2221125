"""When to ask Stripe about a payment whose outcome is open: after 5 minutes, after an hour, then daily."""

from datetime import date, datetime, time, timedelta
from typing import Final

from django.db.models import OuterRef, Q, QuerySet

from billing.models import Invoice, Payment
from tenants.context import current_tenant
from tenants.jobs import Asked, enqueue_many

STEPS: Final = (timedelta(minutes=5), timedelta(hours=1), timedelta(days=1))
# Stripe forgets an idempotency key after 24 hours; well before, posting again ends.
POST_AGAIN_WITHIN: Final = timedelta(hours=23)
# A payer who left the page: after this time the intent is cancelled and the invoice free for another payment.
IDLE: Final = timedelta(hours=24)
IDLE_AUTOPAY: Final = timedelta(days=14)
ASK_AT_MOST: Final = 60
# An autopay payment that cannot be sent, as while our key is refused: given up, begun again another day.
IDLE_UNSENT: Final = timedelta(hours=12)
# What a payer can do nothing about: no mail tells them that their card failed.
NOT_THE_CARDS_FAULT: Final = frozenset({"refused", "not_connected", "amount_too_small", "amount_too_large"})


def ask_later(payment: Payment, jobs: list[Asked], *, now: datetime) -> None:
    """Set when the payment is asked about next, and add the job that asks; the caller saves and enqueues."""
    if payment.asked >= ASK_AT_MOST:
        payment.ask_at = None
        return
    payment.ask_at = now + STEPS[min(payment.asked, len(STEPS) - 1)]
    payment.asked += 1
    key = f"ask:{payment.pk}:{payment.asked}"
    args = {"payment_id": str(payment.pk)}
    jobs.append(Asked("billing.ask_payment", args, run_at=payment.ask_at, key=key))


def tried(today: date) -> QuerySet[Payment]:
    """Return autopay's tries of an outer invoice: the one that counts, or one of today that does not.

    What never came to Stripe, or failed by the tenant's own fault, is tried again: once a day.
    """
    morning = datetime.combine(today, time.min, current_tenant().zone)
    unsent = Q(state=Payment.State.CANCELED, external_id__isnull=True)
    refused = Q(state=Payment.State.FAILED, failure_code__in=NOT_THE_CARDS_FAULT)
    tries = Payment.objects.filter(invoice=OuterRef("pk"), method=Payment.Method.AUTOPAY)
    return tries.filter(~(unsent | refused) | Q(created_at__gte=morning))


def collect_today(invoices: QuerySet[Invoice], *, today: date) -> None:
    """Have autopay look once more today, for those that became collectible after its morning."""
    due = invoices.filter(
        status=Invoice.Status.OPEN,
        due_on__lte=today,
        total__gt=0,
        collection_paused=False,
        customer__payment_profile__autopay=True,
        customer__payment_profile__paused_reason="",
    )
    if due.exists():
        enqueue_many([Asked("billing.collect_due")])


def may_post_again(payment: Payment, *, now: datetime) -> bool:
    """Whether the idempotency key still stands for the first post."""
    return payment.sent_at is None or now - payment.sent_at < POST_AGAIN_WITHIN


def is_idle(payment: Payment, *, now: datetime) -> bool:
    """Whether a payment that waits for its payer has waited long enough."""
    patience = IDLE_AUTOPAY if payment.method == Payment.Method.AUTOPAY else IDLE
    return payment.state == Payment.State.NEEDS_ACTION and now - payment.created_at >= patience
