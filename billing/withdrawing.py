"""Ending a payment that only waits for its payer, so that its invoice may be voided or paid otherwise."""

from datetime import datetime

from audit.actors import Actor
from billing import asking, collecting
from billing.errors import Refused
from billing.models import Invoice, Payment
from billing.stripe_gateway import StripeError

State = Payment.State


def end(payment: Payment, *, actor: Actor, now: datetime) -> Payment:
    """Cancel the payment, at Stripe first: from then on nobody can pay by it. Talks to Stripe.

    Raises `Refused` when it was paid meanwhile, when its outcome is open, or when Stripe does not answer.
    """
    if payment.state not in Payment.IN_FLIGHT:
        raise Refused(f"This payment has ended: {payment.get_state_display().lower()}.")
    try:
        ended = asking.cancel(payment.pk, actor=actor, now=now)
    except StripeError as error:
        raise Refused(f"Stripe did not end this payment, nothing was changed: {error}") from error
    if ended.state == State.SUCCEEDED:
        raise Refused("It was paid in this very moment. Nothing was canceled.")
    if ended.state in Payment.IN_FLIGHT:
        raise Refused("Stripe is at work on this payment. Wait until it is settled.")
    return ended


def make_way(invoice: Invoice, *, actor: Actor, now: datetime) -> None:
    """End the payment of the invoice that waits for its payer, if there is one. Talks to Stripe.

    One whose outcome is open stays; the rule that follows refuses then. Raises `Refused`.
    """
    payment = collecting.in_flight(invoice)
    if payment is not None and payment.state in asking.WAITING:
        end(payment, actor=actor, now=now)
