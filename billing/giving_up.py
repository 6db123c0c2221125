"""Ending a payment here that cannot succeed any more, without a word of Stripe's."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from django.db import transaction

from audit.actions import Action
from audit.actors import Actor
from audit.recording import record
from billing import connecting, settling
from billing.models import Payment

State = Payment.State


def take_no_answer(payment_id: UUID) -> None:
    """Stripe was asked after all and knows of no such payment: it stays given up, and its invoice is free."""
    Payment.objects.filter(pk=payment_id, state=State.CANCELED).update(unanswered_by="", ask_at=None)


def give_up(
    payment_id: UUID,
    why: str,
    *,
    states: Collection[str],
    answered: bool = False,
    actor: Actor,
    now: datetime,
) -> Payment:
    """Cancel the payment if it is in one of the states; its invoice is free for another one then.

    What was sent may have been paid all the same, unless Stripe has `answered`: should the account be
    connected again, it is asked first.
    """
    with transaction.atomic():
        payment = settling.lock(payment_id)
        if payment.state not in states:
            return payment
        before = payment.state
        payment.state, payment.settled_at, payment.ask_at = State.CANCELED, now, None
        payment.unanswered_by = connecting.place_of(payment) if payment.sent_at and not answered else ""
        payment.failure_code = payment.failure_message = ""
        payment.note = why[:200] if before == State.PARKED else payment.note
        changed = ["state", "settled_at", "ask_at", "failure_code", "failure_message", "note"]
        payment.save(update_fields=[*changed, "unanswered_by"])
        record(
            Action.PAYMENT_CANCELED,
            subject=("payment", payment.pk),
            actor=actor,
            now=now,
            before={"state": before},
            after={"state": payment.state},
            invoice=str(payment.invoice_id),
            why=why[:200],
        )
    return payment
