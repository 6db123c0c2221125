"""What is collected today by itself, and money that was received outside Stripe."""

from collections.abc import Iterable
from datetime import date, datetime
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet

from audit.actors import Actor
from billing import collecting, connecting, failpoints, scheduling, settling
from billing.errors import Refused
from billing.models import Invoice, Payment, PaymentMethod
from billing.periods import local_date
from privacy.restricting import Processing, stops
from tenants.context import current_tenant

CHUNK = 200


def collect_due(*, actor: Actor, now: datetime) -> int:
    """Begin an autopay payment for each invoice that is due and has none yet; returns how many.

    An invoice is charged by itself once: what fails then is for its payer, or for reminders; what failed by
    the tenant's own fault is tried again, once a day. Commits chunk by chunk; started twice, the second finds
    nothing left.
    """
    if connecting.current() is None:
        return 0
    today = local_date(now, current_tenant().zone)
    ids = list(_candidates(today).values_list("pk", flat=True))
    begun = 0
    for start in range(0, len(ids), CHUNK):
        failpoints.reach("before_row")
        with transaction.atomic():
            begun += _begin(ids[start : start + CHUNK], today, actor=actor, now=now)
        failpoints.reach("after_row")
    return begun


def record_manual(
    invoice: Invoice, *, amount: int, received_on: date, note: str = "", actor: Actor, now: datetime
) -> Payment:
    """Book money (minor units) that came by bank transfer, in cash, or otherwise. Locks customer and invoice.

    Raises `Refused` when it is more than what is due or of a day to come, or while the outcome of a card
    payment is open.
    """
    if received_on > local_date(now, current_tenant().zone):
        raise Refused("Money cannot have been received on a day that is still to come.")
    with transaction.atomic():
        locked = collecting.lock_invoice(invoice.pk)
        if not 0 < amount <= locked.amount_due.minor:
            raise Refused(f"The amount must be between nothing and the {locked.amount_due} that is due.")
        if collecting.in_flight(locked) is not None:
            raise Refused(
                "A card payment for this invoice is under way. Wait until it is settled, or end it on the"
                " invoice's page."
            )
        payment = Payment(
            invoice=locked,
            customer=locked.customer,
            method=Payment.Method.MANUAL,
            amount=amount,
            currency=locked.currency,
            note=note.strip()[:200],
            created_at=now,
        )
        payment.save(force_insert=True)
        settling.settle_in_hand(payment, received_on=received_on, actor=actor, now=now)
    return payment


def will_collect(invoice: Invoice, *, now: datetime) -> bool:
    """Whether autopay, as all stands now, will charge the invoice on its due date, or today after it."""
    today = local_date(now, current_tenant().zone)
    day = max(today, invoice.due_on or today)
    return _candidates(day).filter(pk=invoice.pk).exists()


def _candidates(today: date) -> QuerySet[Invoice]:
    card = PaymentMethod.objects.filter(
        customer=OuterRef("customer"), is_default=True, removed_at__isnull=True
    )
    under_way = Payment.objects.filter(invoice=OuterRef("pk"), state__in=Payment.IN_FLIGHT)
    connection = connecting.current()
    unanswered = connecting.unanswered(connection) if connection else Payment.objects.none()
    return Invoice.objects.filter(
        Exists(card),
        ~Exists(unanswered.filter(invoice=OuterRef("pk"))),
        ~Exists(scheduling.tried(today)),
        ~Exists(under_way),
        ~stops(Processing.COLLECTION, "customer", OuterRef("customer_id")),
        status=Invoice.Status.OPEN,
        due_on__lte=today,
        collection_paused=False,
        total__gt=0,
        customer__payment_profile__autopay=True,
        customer__payment_profile__paused_reason="",
    ).order_by("customer_id", "pk")


def _begin(ids: Iterable[UUID], today: date, *, actor: Actor, now: datetime) -> int:
    """Lock the invoices with their customers, look again, and write their payments."""
    locked = (
        Invoice.objects.select_related("customer")
        .select_for_update(of=("customer", "self"), no_key=True)
        .filter(pk__in=ids)
        .order_by("customer_id", "pk")
    )
    invoices = {invoice.pk: invoice for invoice in locked}
    wanted = list(_candidates(today).filter(pk__in=invoices).values_list("pk", flat=True))
    cards = {
        card.customer_id: card
        for card in PaymentMethod.objects.filter(
            customer__in={invoices[pk].customer_id for pk in wanted}, is_default=True, removed_at__isnull=True
        )
    }
    begun = [(invoices[pk], cards[invoices[pk].customer_id]) for pk in wanted]
    collecting.begin_autopay(begun, actor=actor, now=now)
    return len(begun)
