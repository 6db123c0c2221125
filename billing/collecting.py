"""Collecting an invoice: the payment's row first, committed; then Stripe; then what it answered.

Killed anywhere in between, the row says what is to be asked; its id is the idempotency key, so that no card
is charged twice.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.db import transaction

from accounts.models import Customer
from audit.actions import Action
from audit.actors import Actor
from audit.recording import Note, record, record_many
from billing import connecting, failpoints, scheduling, settling
from billing.card_keeping import forget_all
from billing.errors import Refused
from billing.models import Invoice, Payment, PaymentMethod, PaymentProfile
from billing.stripe_gateway import (
    CardDeclined,
    Failure,
    Gateway,
    IdempotencyConflict,
    Intent,
    IntentRequest,
    NoSuchCustomer,
    StripeBusy,
    StripeError,
    StripeNoAccess,
    StripeRefused,
    StripeUnavailable,
)
from privacy.restricting import Processing, allows
from privacy.subjects import Subject
from tenants.context import current_schema, current_tenant
from tenants.jobs import Asked, enqueue_many

State = Payment.State
# Why a payment failed: Stripe did not know its customer. The next one is of a customer made anew.
LOST = "no_such_customer"


class NothingDue(Refused):
    """The invoice is not open, or nothing of it is left to pay."""


class OutcomeOpen(Refused):
    """An earlier payment of the invoice was given up, and Stripe is to be asked about it first."""


def begin(invoice_id: UUID, *, actor: Actor, now: datetime) -> Payment:
    """Return the payment by which somebody pays the invoice: the one under way, or a new one.

    Raises `NothingDue`, `OutcomeOpen` or `NotConnected`. Locks customer and invoice.
    """
    connection = connecting.require()
    failpoints.reach("before_row")
    with transaction.atomic():
        invoice = lock_invoice(invoice_id)
        under_way = in_flight(invoice)
        if under_way is not None:
            return under_way
        if connecting.unanswered(connection).filter(invoice=invoice).exists():
            raise OutcomeOpen("Stripe is asked about an earlier payment of this invoice. Try again soon.")
        payment = _new(invoice, Payment.Method.CARD, None, now)
        jobs: list[Asked] = []
        scheduling.ask_later(payment, jobs, now=now)
        payment.save(force_insert=True)
        _record_begun([payment], actor=actor, now=now)
        transaction.on_commit(lambda: failpoints.reach("before_publish"))
        enqueue_many(jobs)
    failpoints.reach("after_row")
    return payment


def begin_autopay(wanted: Sequence[tuple[Invoice, PaymentMethod]], *, actor: Actor, now: datetime) -> None:
    """Write the payments that charge the saved cards, and have them sent; the invoices are locked already."""
    payments = [_new(invoice, Payment.Method.AUTOPAY, card, now) for invoice, card in wanted]
    for payment in payments:
        # No job of its own: found by the daily net, should the job below end without an answer.
        payment.ask_at = now + scheduling.STEPS[1]
    Payment.objects.bulk_create(payments)
    _record_begun(payments, actor=actor, now=now)
    transaction.on_commit(lambda: failpoints.reach("before_publish"))
    enqueue_many(
        [
            Asked("billing.collect", {"payment_id": str(payment.pk)}, key=f"collect:{payment.pk}")
            for payment in payments
        ]
    )


def lock_invoice(invoice_id: UUID) -> Invoice:
    """Lock customer, then invoice; raises `NothingDue` unless something of it is to be paid."""
    invoice = (
        Invoice.objects.select_related("customer")
        .select_for_update(of=("customer", "self"), no_key=True)
        .get(pk=invoice_id)
    )
    if invoice.status == Invoice.Status.PAID:
        raise NothingDue("This invoice is paid. Nothing is left to do.")
    if invoice.status != Invoice.Status.OPEN or invoice.amount_due.minor <= 0:
        raise NothingDue("There is nothing to pay on this invoice.")
    return invoice


def in_flight(invoice: Invoice) -> Payment | None:
    """Return the payment of the invoice whose outcome is open, if any."""
    return Payment.objects.filter(invoice=invoice, state__in=Payment.IN_FLIGHT).first()


def send(payment_id: UUID, *, actor: Actor, now: datetime) -> Payment:
    """Have Stripe carry the payment out, and write down what it answers.

    Talks to Stripe: no transaction may be open. Safe to repeat: within 23 hours of the first call Stripe
    answers as it did then; afterwards nothing is posted. Raises `StripeBusy` when it is to be tried again:
    a key that is refused says nothing of what an earlier call did.
    """
    gateway = connecting.gateway()
    payment = Payment.objects.select_related("customer", "invoice", "payment_method").get(pk=payment_id)
    if payment.state not in {State.CREATED, State.SENT, State.UNKNOWN} or payment.external_id:
        return payment
    try:
        customer = ensure_customer(payment.customer, gateway)
    except (StripeRefused, StripeUnavailable) as error:
        return _not_sent(payment_id, error, actor=actor, now=now)
    if not _mark_sent(payment_id, actor=actor, now=now):
        return Payment.objects.get(pk=payment_id)
    try:
        intent: Intent | Failure = gateway.create_intent(_request(payment, customer), key=str(payment_id))
    except CardDeclined as error:
        intent = error.intent or error.failure
    except IdempotencyConflict as error:
        return settling.park(payment_id, f"idempotency: {error}", actor=actor, now=now)
    except StripeNoAccess as error:
        if payment.sent_at is None and _hold_back(payment_id, str(error), actor=actor, now=now):
            raise StripeBusy(str(error)) from error
        return settling.mark_unknown(payment_id, str(error), actor=actor, now=now)
    except NoSuchCustomer as error:
        return _customer_lost(payment, customer, gateway, str(error), actor=actor, now=now)
    except StripeRefused as error:
        intent = _refusal(error)
        if payment.sent_at is not None:
            return _refused_again(payment_id, intent, customer, gateway, actor=actor, now=now)
    except StripeUnavailable as error:
        return settling.mark_unknown(payment_id, str(error), actor=actor, now=now)
    failpoints.reach("after_call")
    if isinstance(intent, Failure):
        return settling.fail(payment_id, intent, actor=actor, now=now)
    failpoints.reach("before_store")
    return settling.apply_intent(payment_id, intent, actor=actor, now=now)


def ensure_customer(customer: Customer, gateway: Gateway) -> str:
    """Return the id by which Stripe knows the customer, making it known first if it is not."""
    profile, _ = PaymentProfile.objects.get_or_create(customer=customer)
    if not profile.stripe_customer:
        key = f"customer-{connecting.require().pk}-{customer.pk}"
        made = _make_customer(customer, gateway, key=key)
        PaymentProfile.objects.filter(pk=profile.pk, stripe_customer="").update(stripe_customer=made)
        profile.refresh_from_db()
    return profile.stripe_customer


def renew_customer(customer: Customer, gateway: Gateway, *, lost: str, actor: Actor, now: datetime) -> str:
    """Make the customer known to Stripe anew, which knows of no `lost` any more, nor of its cards."""
    made = _make_customer(customer, gateway, key=f"customer-{connecting.require().pk}-{customer.pk}-{lost}")
    with transaction.atomic():
        Customer.objects.select_for_update(of=("self",), no_key=True).get(pk=customer.pk)
        if PaymentProfile.objects.filter(customer=customer, stripe_customer=lost).exists():
            notes = forget_all(why="Stripe does not know the customer any more", now=now, of=customer)
            PaymentProfile.objects.filter(customer=customer).update(stripe_customer=made)
            record_many(notes, actor=actor, now=now)
    return PaymentProfile.objects.get(customer=customer).stripe_customer


def _make_customer(customer: Customer, gateway: Gateway, *, key: str) -> str:
    return gateway.create_customer(
        name=customer.business_name or customer.name,
        email=customer.email,
        metadata={"customer_id": str(customer.pk), "tenant": current_schema()},
        key=key,
    )


def _not_sent(payment_id: UUID, error: StripeError, *, actor: Actor, now: datetime) -> Payment:
    """No call was made this time; what became of one that was made before is to be asked."""
    with transaction.atomic():
        if settling.lock(payment_id).sent_at is not None:
            return settling.mark_unknown(payment_id, str(error), actor=actor, now=now)
        if isinstance(error, StripeRefused) and not isinstance(error, StripeNoAccess):
            return settling.fail(payment_id, _refusal(error), actor=actor, now=now)
    raise StripeBusy(str(error)) from error


def _customer_lost(
    payment: Payment, lost: str, gateway: Gateway, why: str, *, actor: Actor, now: datetime
) -> Payment:
    """Stripe knows the customer no more. A first call charged nothing; what an earlier one did is open."""
    if payment.sent_at is not None:
        return settling.mark_unknown(payment.pk, why, actor=actor, now=now)
    failed = settling.fail(payment.pk, Failure(LOST, LOST, why), actor=actor, now=now)
    try:
        renew_customer(payment.customer, gateway, lost=lost, actor=actor, now=now)
    except StripeError:
        return failed  # the next payment comes by here again
    return failed


def _refused_again(
    payment_id: UUID, failure: Failure, customer: str, gateway: Gateway, *, actor: Actor, now: datetime
) -> Payment:
    """This post was refused, but an earlier one may have been carried out: look before calling it failed."""
    try:
        intent = gateway.find_intent(customer, payment_id=str(payment_id))
    except StripeError as error:
        return settling.mark_unknown(payment_id, str(error), actor=actor, now=now)
    if intent is None:
        return settling.fail(payment_id, failure, actor=actor, now=now)
    return settling.apply_intent(payment_id, intent, actor=actor, now=now)


def _hold_back(payment_id: UUID, why: str, *, actor: Actor, now: datetime) -> bool:
    """The first call was turned away at the door: the payment is unsent again, and may be given up."""
    with transaction.atomic():
        payment = settling.lock(payment_id)
        if payment.state != State.SENT or payment.external_id or payment.sent_at != now:
            return False
        payment.state, payment.sent_at = State.CREATED, None
        payment.save(update_fields=["state", "sent_at"])
        record(
            Action.PAYMENT_HELD_BACK,
            subject=("payment", payment.pk),
            actor=actor,
            now=now,
            invoice=str(payment.invoice_id),
            why=why[:200],
        )
    return True


def _mark_sent(payment_id: UUID, *, actor: Actor, now: datetime) -> bool:
    """Commit that the call is about to be made; False when it must not be made (any more)."""
    with transaction.atomic():
        payment = settling.lock(payment_id)
        if payment.state not in {State.CREATED, State.SENT, State.UNKNOWN} or payment.external_id:
            return False
        if not is_wanted(payment):
            if payment.sent_at is None:
                settling.cancel_unsent(payment_id, actor=actor, now=now)
            else:
                settling.mark_unknown(payment_id, "no longer wanted: only asked", actor=actor, now=now)
            return False
        if not scheduling.may_post_again(payment, now=now):
            settling.park(payment_id, "no answer within 23 hours; look in Stripe", actor=actor, now=now)
            return False
        jobs: list[Asked] = []
        if payment.sent_at is None:
            payment.sent_at = now
            record(
                Action.PAYMENT_SENT,
                subject=("payment", payment.pk),
                actor=actor,
                now=now,
                invoice=str(payment.invoice_id),
            )
        payment.state = State.SENT
        if not payment.asked or payment.ask_at is None or payment.ask_at <= now:
            scheduling.ask_later(payment, jobs, now=now)
        payment.save(update_fields=["sent_at", "state", "ask_at", "asked"])
        enqueue_many(jobs)
    return True


def is_wanted(payment: Payment) -> bool:
    """Whether nothing came between the row and a call: paid otherwise, voided, the card removed.

    A saved card is charged only while its customer wants that: autopay on, this card chosen, nothing paused.
    While processing is restricted, nobody's card is charged but by themselves.
    """
    card, invoice = payment.payment_method, payment.invoice
    fits = invoice.status == Invoice.Status.OPEN and payment.amount <= invoice.amount_due.minor
    if payment.method != Payment.Method.AUTOPAY or not fits:
        return fits
    chosen = card is not None and card.is_default and card.removed_at is None
    profile = PaymentProfile.objects.filter(customer=payment.customer_id, autopay=True, paused_reason="")
    return (
        chosen
        and not invoice.collection_paused
        and current_tenant().is_open
        and profile.exists()
        and allows(Subject("customer", str(payment.customer_id)), Processing.COLLECTION)
    )


def _request(payment: Payment, stripe_customer: str) -> IntentRequest:
    """The same for every post of this payment: Stripe compares."""
    return IntentRequest(
        amount=payment.money,
        customer=stripe_customer,
        description=f"Invoice {payment.invoice.number}",
        metadata={
            "payment_id": str(payment.pk),
            "invoice_id": str(payment.invoice_id),
            "tenant": current_schema(),
        },
        card=payment.payment_method.external_id if payment.payment_method else None,
        keep_card=payment.save_card,
    )


def _new(invoice: Invoice, method: Payment.Method, card: PaymentMethod | None, now: datetime) -> Payment:
    due = invoice.amount_due
    return Payment(
        invoice=invoice,
        customer=invoice.customer,
        method=method,
        amount=due.minor,
        currency=due.currency,
        payment_method=card,
        created_at=now,
    )


def _record_begun(payments: Sequence[Payment], *, actor: Actor, now: datetime) -> None:
    notes = [
        Note(
            Action.PAYMENT_BEGUN,
            "payment",
            str(payment.pk),
            {
                "invoice": str(payment.invoice_id),
                "amount": payment.amount,
                "currency": payment.currency,
                "method": str(payment.method),
            },
        )
        for payment in payments
    ]
    record_many(notes, actor=actor, now=now)


def _refusal(error: StripeRefused) -> Failure:
    """The row keeps the reason: by it autopay knows later whose fault it was."""
    reason = error.code if error.code in scheduling.NOT_THE_CARDS_FAULT else "refused"
    return Failure("refused", reason, str(error)[:400])
