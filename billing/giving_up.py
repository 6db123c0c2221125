"""Ending a payment here that cannot succeed any more, without a word of Stripe's."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from django.db import transaction

from audit.actions import Action
from audit.actors import Actor
from audit.recording import record
from billing import settling
from billing.models import Payment

State = Payment.State


def give_up(payment_id: UUID, why: str, *, states: Collection[str], actor: Actor, now: datetime) -> Payment:
    """Cancel the payment if it is in one of the states; its invoice is free for another one then."""
    with transaction.atomic():
        payment = settling.lock(payment_id)
        if payment.state not in states:
            return payment
        before = payment.state
        payment.state, payment.settled_at, payment.ask_at = State.CANCELED, now, None
        payment.failure_code = payment.failure_message = ""
        payment.note = why[:200] if before == State.PARKED else payment.note
        payment.save(
            update_fields=["state", "settled_at", "ask_at", "failure_code", "failure_message", "note"]
        )
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
