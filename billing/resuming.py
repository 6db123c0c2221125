"""Lifting by hand what a dispute has paused: after one that was won it is lifted by itself."""

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from accounts.models import Customer
from audit.actions import Action
from audit.actors import Actor
from audit.recording import record
from billing import pauses, scheduling
from billing.errors import Refused
from billing.models import Dispute, Invoice, PaymentProfile
from billing.periods import local_date
from tenants.context import current_tenant

OPEN_YET = "The dispute {dispute} is not decided yet. Automatic charges stay paused until it is."


def resume_customer(customer: Customer, *, actor: Actor, now: datetime) -> None:
    """Charge the customer's saved card by itself again, from today on. Locks the customer.

    Raises `Refused` when nothing is paused, or while one of its disputes is undecided. Invoices that are held
    back for themselves stay so.
    """
    with transaction.atomic():
        locked = Customer.objects.select_for_update(of=("self",), no_key=True).get(pk=customer.pk)
        profile = PaymentProfile.objects.select_for_update(of=("self",), no_key=True).filter(customer=locked)
        paused = profile.exclude(paused_reason="").first()
        if paused is None:
            raise Refused("Automatic charges of this customer are not paused.")
        disputes = pauses.disputes_of_customer(locked)
        _refuse_undecided(pauses.undecided(disputes))
        before = paused.paused_reason
        Dispute.objects.filter(pk__in=disputes.values("pk")).update(customer_resumed_at=now)
        PaymentProfile.objects.filter(pk=paused.pk).update(paused_reason="")
        record(
            Action.COLLECTION_RESUMED,
            subject=("customer", locked.pk),
            actor=actor,
            now=now,
            before={"paused_reason": before},
            after={"paused_reason": ""},
        )
        today = local_date(now, current_tenant().zone)
        scheduling.collect_today(Invoice.objects.filter(customer=locked), today=today)


def resume_invoice(invoice: Invoice, *, actor: Actor, now: datetime) -> None:
    """Let the invoice be charged by itself again like any other. Locks customer and invoice.

    Raises `Refused` when it is not held back, or while a dispute about it is undecided. A pause of the whole
    customer stays.
    """
    with transaction.atomic():
        Customer.objects.select_for_update(of=("self",), no_key=True).get(pk=invoice.customer_id)
        locked = Invoice.objects.select_for_update(of=("self",), no_key=True).get(pk=invoice.pk)
        if not locked.collection_paused:
            raise Refused("This invoice is not held back.")
        disputes = pauses.disputes_of_invoice(locked)
        _refuse_undecided(pauses.undecided(disputes))
        Dispute.objects.filter(pk__in=disputes.values("pk")).update(invoice_resumed_at=now)
        Invoice.objects.filter(pk=locked.pk).update(collection_paused=False)
        record(
            Action.COLLECTION_RESUMED,
            subject=("invoice", locked.pk),
            actor=actor,
            now=now,
            before={"collection_paused": True},
            after={"collection_paused": False},
            number=locked.number,
        )
        today = local_date(now, current_tenant().zone)
        scheduling.collect_today(Invoice.objects.filter(pk=locked.pk), today=today)


def _refuse_undecided(disputes: Sequence[Dispute]) -> None:
    if disputes:
        raise Refused(OPEN_YET.format(dispute=disputes[0].external_id))
