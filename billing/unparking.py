"""The ways out for a payment that waits for a person.

Ask Stripe again; book what Stripe has taken though it does not fit; or say that it did not happen.
"""

from datetime import datetime
from uuid import UUID

from django.db import transaction

from audit.actors import Actor
from billing import asking, connecting, scheduling, settling
from billing.errors import Refused
from billing.giving_up import give_up
from billing.models import Payment
from billing.stripe_gateway import Gateway, Intent, IntentStatus, NotFound, StripeError, StripeRefused

State = Payment.State
TAKEN = frozenset({IntentStatus.SUCCEEDED, IntentStatus.PROCESSING, IntentStatus.NEEDS_CAPTURE})


def ask_again(payment: Payment, *, actor: Actor, now: datetime) -> Payment:
    """Bring a parked payment to where Stripe says it is. Talks to Stripe: no transaction may be open.

    Raises `Refused` when Stripe does not answer, or knows of no such payment.
    """
    payment, gateway = _parked(payment.pk), connecting.gateway()
    intent = _find(payment, gateway)
    if intent is None:
        raise Refused("Stripe knows of no such payment. If nothing was charged, say that it did not happen.")
    with transaction.atomic():
        if settling.lock(payment.pk).state == State.PARKED:
            # Why it was parked; said again if it still is.
            Payment.objects.filter(pk=payment.pk).update(note="")
        payment = settling.apply_intent(payment.pk, intent, actor=actor, now=now)
    if not scheduling.is_idle(payment, now=now):
        return payment
    try:
        return asking.cancel(payment.pk, actor=actor, now=now)
    except StripeError:
        return payment


def take_in(payment: Payment, *, actor: Actor, now: datetime) -> Payment:
    """Book a parked payment that Stripe has: what is due is paid by it, the rest is the customer's credit.

    Raises `Refused` when Stripe has taken nothing, or another currency. Talks to Stripe.
    """
    payment, gateway = _parked(payment.pk), connecting.gateway()
    intent = _find(payment, gateway)
    if intent is None:
        raise Refused("Stripe knows of no such payment. If nothing was charged, say that it did not happen.")
    return settling.take_in(payment.pk, intent, actor=actor, now=now)


def did_not_happen(payment: Payment, *, reason: str, actor: Actor, now: datetime) -> Payment:
    """Cancel a parked payment by a person's word, unless Stripe, asked afresh, has taken its money.

    What could still be paid is cancelled at Stripe first. While its account is not connected the word alone
    counts; the account is asked when it returns. Raises `Refused`. Talks to Stripe.
    """
    payment, why = _parked(payment.pk), reason.strip()
    if not why:
        raise Refused("Say how you know that nothing was charged.")
    connection = connecting.current()
    if connection is None or connection.place != connecting.place_of(payment):
        _refuse_fresh(payment, now=now)
        return give_up(payment.pk, why, states={State.PARKED}, actor=actor, now=now)
    gateway = connecting.gateway()
    intent = _find(payment, gateway)
    if intent is None:
        _refuse_fresh(payment, now=now)
    if intent is not None and intent.status not in TAKEN | {IntentStatus.CANCELED}:
        try:
            intent = gateway.cancel_intent(intent.id)
        except StripeRefused:
            intent = _find(payment, gateway)
        except StripeError as error:
            raise Refused("Stripe does not answer. Nothing was changed; try again soon.") from error
    if intent is not None and intent.status != IntentStatus.CANCELED:
        raise Refused(f"Stripe has this payment as {intent.status}: {intent.id}. Ask Stripe again.")
    return give_up(payment.pk, why, states={State.PARKED}, answered=True, actor=actor, now=now)


def _refuse_fresh(payment: Payment, *, now: datetime) -> None:
    if payment.sent_at is not None and scheduling.may_post_again(payment, now=now):
        raise Refused("It was sent to Stripe less than 23 hours ago. Ask Stripe again, or wait.")


def _parked(payment_id: UUID) -> Payment:
    payment = Payment.objects.get(pk=payment_id)
    if payment.state != State.PARKED:
        raise Refused("This payment waits for nobody any more.")
    return payment


def _find(payment: Payment, gateway: Gateway) -> Intent | None:
    try:
        return asking.find_anywhere(payment, gateway)
    except NotFound:
        return None
    except StripeRefused as error:
        raise Refused(f"Stripe does not tell: {error}") from error
    except StripeError as error:
        raise Refused("Stripe does not answer. Nothing was changed; try again soon.") from error
