"""The janitor: asks Stripe what became of payments whose outcome is open. It never charges by guessing."""

from datetime import datetime
from uuid import UUID

from django.db import transaction

from audit.actors import Actor
from billing import collecting, connecting, ledger, scheduling, settling
from billing.connecting import NotConnected
from billing.giving_up import give_up, take_no_answer
from billing.models import Invoice, Payment, PaymentProfile
from billing.periods import local_date
from billing.stripe_gateway import (
    Gateway,
    Intent,
    IntentStatus,
    NotFound,
    StripeBusy,
    StripeError,
    StripeNoAccess,
    StripeRefused,
)
from tenants.context import current_tenant
from tenants.jobs import Asked, enqueue_many

State = Payment.State
SETTLED = frozenset({State.FAILED, State.CANCELED, State.PARKED})
WAITING = frozenset({State.CREATED, State.NEEDS_ACTION})
PAYABLE = frozenset({IntentStatus.NEEDS_CARD, IntentStatus.NEEDS_CONFIRMATION, IntentStatus.NEEDS_ACTION})


def ask(payment_id: UUID, *, actor: Actor, now: datetime) -> Payment:
    """Bring the payment to where Stripe says it is; ask again later if that is not its end.

    Talks to Stripe: no transaction may be open. Idle payments are cancelled; what Stripe never heard of is
    sent again within 23 hours, and parked for a person after that. What waits for its payer in an account
    that is connected no more is cancelled.
    """
    payment = Payment.objects.get(pk=payment_id)
    if payment.unanswered_by:
        return _ask_given_up(payment, actor=actor, now=now)
    if payment.state in SETTLED or payment.method == Payment.Method.MANUAL or _is_whole(payment):
        return payment
    try:
        payment = _ask(payment, connecting.gateway(), actor=actor, now=now)
    except (NotConnected, StripeError) as error:
        ended = _end(payment, error, actor=actor, now=now)
        if ended is not None:
            return ended
        _again(payment_id, now=now)
        raise
    if payment.state in Payment.IN_FLIGHT or (payment.state == State.SUCCEEDED and not _is_whole(payment)):
        _again(payment_id, now=now)
    if payment.state == State.CANCELED and payment.method == Payment.Method.CARD:
        # It kept autopay from the invoice on its day.
        today = local_date(now, current_tenant().zone)
        with transaction.atomic():
            scheduling.collect_today(Invoice.objects.filter(pk=payment.invoice_id), today=today)
    return payment


def cancel(payment_id: UUID, *, actor: Actor, now: datetime) -> Payment:
    """Cancel a payment that waits for its payer, unless it has succeeded meanwhile. Talks to Stripe."""
    payment = Payment.objects.get(pk=payment_id)
    if payment.state == State.CREATED and payment.sent_at is None:
        return settling.cancel_unsent(payment_id, actor=actor, now=now)
    if payment.state != State.NEEDS_ACTION or not payment.external_id:
        return payment
    intent = _cancel_intent(payment.external_id, connecting.gateway())
    return settling.apply_intent(payment_id, intent, actor=actor, now=now)


def ask_given_up(invoice: Invoice, *, actor: Actor, now: datetime) -> None:
    """Ask about payments of the invoice that were given up without Stripe's word, where it can be had now.

    Talks to Stripe: no transaction may be open. Nothing new is collected for the invoice before.
    """
    connection = connecting.current()
    if connection is not None:
        for pk in connecting.unanswered(connection).filter(invoice=invoice).values_list("pk", flat=True):
            ask(pk, actor=actor, now=now)


def _ask_given_up(payment: Payment, *, actor: Actor, now: datetime) -> Payment:
    """Book what was paid after all; see to it that what was not cannot be any more."""
    connection = connecting.current()
    if connection is None or connection.place != payment.unanswered_by:
        return payment  # asked when that account is connected again
    gateway = connecting.gateway()
    try:
        intent = find_anywhere(payment, gateway)
        if intent is not None and intent.status in PAYABLE:
            intent = _cancel_intent(intent.id, gateway)
    except NotFound:
        intent = None
    except StripeError:
        _again(payment.pk, now=now)
        raise
    if intent is None:
        take_no_answer(payment.pk)
        return Payment.objects.get(pk=payment.pk)
    payment = settling.apply_intent(payment.pk, intent, actor=actor, now=now)
    if payment.unanswered_by:
        _again(payment.pk, now=now)
    return payment


def _cancel_intent(intent_id: str, gateway: Gateway) -> Intent:
    """Cancel it, unless something became of it meanwhile; returns it as it then is."""
    try:
        return gateway.cancel_intent(intent_id)
    except StripeRefused:
        return gateway.intent(intent_id)


def due(now: datetime) -> list[UUID]:
    """Return the payments to be asked about by now."""
    return list(
        Payment.objects.filter(ask_at__lte=now).order_by("ask_at").values_list("pk", flat=True)[:5000]
    )


def _ask(payment: Payment, gateway: Gateway, *, actor: Actor, now: datetime) -> Payment:
    intent = find(payment, gateway)
    unwanted = intent is None and _is_unwanted(payment, now=now)
    if unwanted:
        intent = _find_of_anybody(payment, gateway)
    if intent is not None:
        payment = settling.apply_intent(payment.pk, intent, actor=actor, now=now)
    elif payment.sent_at is None:
        return _unsent(payment, actor=actor, now=now)
    elif unwanted:
        why = "no longer wanted, and Stripe knows of no such payment"
        states = {State.SENT, State.UNKNOWN}
        answered = not _is_of_another_account(payment)
        return give_up(payment.pk, why, states=states, answered=answered, actor=actor, now=now)
    elif scheduling.may_post_again(payment, now=now):
        return collecting.send(payment.pk, actor=actor, now=now)
    else:
        why = "Stripe knows of no such payment, and 23 hours have passed since it was sent"
        return settling.park(payment.pk, why, actor=actor, now=now)
    if scheduling.is_idle(payment, now=now):
        return cancel(payment.pk, actor=actor, now=now)
    return payment


def _is_unwanted(payment: Payment, *, now: datetime) -> bool:
    """It was sent an hour ago, and in the meantime nobody wants it any more."""
    is_old = payment.sent_at is not None and now - payment.sent_at >= scheduling.STEPS[1]
    return is_old and not collecting.is_wanted(payment)


def _unsent(payment: Payment, *, actor: Actor, now: datetime) -> Payment:
    """A saved card is charged after all; a payer who never came so far is not waited for."""
    if payment.method == Payment.Method.AUTOPAY:
        try:
            return collecting.send(payment.pk, actor=actor, now=now)
        except StripeBusy:
            if now - payment.created_at < scheduling.IDLE_UNSENT:
                raise
            return settling.cancel_unsent(payment.pk, actor=actor, now=now)
    if now - payment.created_at >= scheduling.STEPS[1]:
        return settling.cancel_unsent(payment.pk, actor=actor, now=now)
    return payment


def _end(
    payment: Payment, error: NotConnected | StripeError, *, actor: Actor, now: datetime
) -> Payment | None:
    """End what no later asking could bring to its end; None when one could."""
    match error:
        case NotConnected():
            why = "the Stripe account is connected no more"
            ended = give_up(payment.pk, why, states=WAITING, actor=actor, now=now)
        case NotFound() if payment.external_id and _is_of_another_account(payment):
            why = "the Stripe account that knew of it is connected no more"
            ended = give_up(payment.pk, why, states=WAITING, actor=actor, now=now)
        case StripeNoAccess() if payment.state in {State.SENT, State.UNKNOWN}:
            if scheduling.may_post_again(payment, now=now):
                return None
            ended = settling.park(payment.pk, f"Stripe does not tell: {error}", actor=actor, now=now)
        case _:
            return None
    return None if ended.state in {*WAITING, State.SENT, State.UNKNOWN, State.PROCESSING} else ended


def _is_of_another_account(payment: Payment) -> bool:
    return connecting.require().place != connecting.place_of(payment)


def find(payment: Payment, gateway: Gateway) -> Intent | None:
    """Return its intent: by its id; where the answer with the id was lost, by the customer and our own id."""
    if payment.external_id:
        return gateway.intent(payment.external_id)
    profile = PaymentProfile.objects.filter(customer=payment.customer_id).first()
    if payment.sent_at is None or profile is None or not profile.stripe_customer:
        return None
    try:
        return gateway.find_intent(profile.stripe_customer, payment_id=str(payment.pk))
    except NotFound:
        return None


def find_anywhere(payment: Payment, gateway: Gateway) -> Intent | None:
    """As `find`, and where that finds nothing among all intents of the account: before it is said to be none.

    The customer there may be another by now.
    """
    found = find(payment, gateway)
    if found is not None or payment.external_id or payment.sent_at is None:
        return found
    return _find_of_anybody(payment, gateway)


def _find_of_anybody(payment: Payment, gateway: Gateway) -> Intent | None:
    # A rehearsing tenant lives in another time than the stand-in.
    since = None if current_tenant().is_rehearsal else payment.sent_at
    return gateway.find_intent_of_anybody(payment_id=str(payment.pk), since=since)


def _is_whole(payment: Payment) -> bool:
    """Paid, and its fee booked: in another currency than the payment's it stands in the ledger only."""
    if payment.state != State.SUCCEEDED:
        return False
    return payment.fee is not None or ledger.is_booked(f"payment:{payment.pk}:fee")


def _again(payment_id: UUID, *, now: datetime) -> None:
    """Put the next asking down, unless it is down already."""
    with transaction.atomic():
        payment = Payment.objects.select_for_update(of=("self",), no_key=True).get(pk=payment_id)
        if payment.ask_at is not None and payment.ask_at > now:
            return
        jobs: list[Asked] = []
        scheduling.ask_later(payment, jobs, now=now)
        payment.save(update_fields=["ask_at", "asked"])
        enqueue_many(jobs)
