"""Where paying an invoice stands, as its payer is to see it, and what the pay page does about it."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from django.core.cache import cache

from audit.actors import Actor
from billing import asking, collecting, connecting
from billing.collecting import NothingDue, OutcomeOpen
from billing.connecting import NotConnected
from billing.models import Invoice, Payment
from billing.stripe_gateway import StripeError

ASK_EVERY_SECONDS = 5
State = Payment.State


class Step(StrEnum):
    """What the pay page shows."""

    BEGIN = "begin"
    FORM = "form"
    WAITING = "waiting"
    PROCESSING = "processing"
    FAILED = "failed"
    PARKED = "parked"
    PAID = "paid"
    CLOSED = "closed"
    NO_CARDS = "no_cards"


@dataclass(frozen=True, slots=True)
class Standing:
    """The step, and the payment that it is about."""

    step: Step
    payment: Payment | None = None


def standing_of(invoice: Invoice) -> Standing:
    """Tell where paying the invoice stands."""
    if invoice.status == Invoice.Status.PAID:
        return Standing(Step.PAID)
    if invoice.status != Invoice.Status.OPEN or invoice.amount_due.minor <= 0:
        return Standing(Step.CLOSED)
    last = Payment.objects.filter(invoice=invoice).order_by("-created_at", "-id").first()
    if last is not None and last.state in Payment.IN_FLIGHT:
        return Standing(_step_of(last), last)
    connection = connecting.current()
    if connection is None:
        return Standing(Step.NO_CARDS)
    if last is not None and last.unanswered_by == connection.place:
        return Standing(Step.WAITING, last)
    if last is not None and last.state == State.FAILED and last.method == Payment.Method.CARD:
        return Standing(Step.FAILED, last)
    return Standing(Step.BEGIN, last)


def pay(invoice: Invoice, *, actor: Actor, now: datetime) -> None:
    """Begin the payment or go on with the one under way. Talks to Stripe; the standing shows what fails."""
    try:
        asking.ask_given_up(invoice, actor=actor, now=now)
        for _ in range(2):
            payment = collecting.begin(invoice.pk, actor=actor, now=now)
            payment = collecting.send(payment.pk, actor=actor, now=now)
            if payment.failure_code != collecting.LOST:
                return
    except (NothingDue, NotConnected, OutcomeOpen, StripeError):
        return


def look_closer(invoice: Invoice, *, actor: Actor, now: datetime) -> None:
    """Ask Stripe about the payment under way, at most every few seconds; the event may be late or lost."""
    payment = collecting.in_flight(invoice)
    if payment is None or not cache.add(f"ask:{payment.pk}", 1, ASK_EVERY_SECONDS):
        return
    try:
        asking.ask(payment.pk, actor=actor, now=now)
    except (NotConnected, StripeError):
        return


def _step_of(payment: Payment) -> Step:
    """Created and no further: Stripe was not there, and the payer, not the page, tries again."""
    match payment.state:
        case State.PARKED:
            return Step.PARKED
        case State.PROCESSING:
            return Step.PROCESSING
        case State.NEEDS_ACTION if payment.external_id:
            return Step.FORM
        case _:
            return Step.WAITING
