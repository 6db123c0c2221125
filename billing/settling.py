"""What became of a payment, written down once: ledger, invoice, audit and what follows, in one transaction.

Everything here is given what Stripe says now and may be called any number of times, in any order.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from uuid import UUID

from django.db import connection, transaction
from django.db.models import QuerySet

from audit.actions import Action
from audit.actors import Actor
from audit.recording import Note, record_many
from billing import failpoints, ledger, scheduling
from billing.card_keeping import keep_card
from billing.errors import Refused
from billing.ledger import Entry
from billing.models import Invoice, Payment
from billing.models.ledger import Account
from billing.money import Money
from billing.periods import local_date
from billing.stripe_gateway import Card, Failure, Fee, Intent, IntentStatus
from tenants.context import current_tenant
from tenants.jobs import Asked, enqueue_many

State = Payment.State
AT_OUR_END = frozenset({State.CREATED, State.SENT, State.UNKNOWN, State.PROCESSING})
RECEIPT_AFTER = timedelta(seconds=5)
AUTHENTICATION = "authentication_required"


@dataclass(slots=True)
class _Change:
    """What one call writes besides the payment's row: collected first, then written together."""

    payment: Payment
    actor: Actor
    now: datetime
    booked_on: date | None = None
    notes: list[Note] = field(default_factory=list)
    bookings: list[tuple[int, str, list[tuple[Account, Money]]]] = field(default_factory=list)
    jobs: list[Asked] = field(default_factory=list)
    is_paid: bool = False

    def note(self, action: Action, **details: object) -> None:
        about = {"invoice": str(self.payment.invoice_id), **details}
        self.notes.append(Note(action, "payment", str(self.payment.pk), about))

    def book(
        self, what: str, action: Action, postings: list[tuple[Account, Money]], **details: object
    ) -> None:
        """Move what the first posting says to its account, once for this payment; the event says so."""
        money = postings[0][1]
        self.note(action, amount=money.minor, currency=money.currency, **details)
        self.bookings.append((len(self.notes) - 1, f"payment:{self.payment.pk}:{what}", postings))


def lock(payment_id: UUID) -> Payment:
    """Lock customer, invoice and payment, in this order, and return the payment with both."""
    return _locked().get(pk=payment_id)


def _locked() -> QuerySet[Payment]:
    rows = Payment.objects.select_related("customer", "invoice")
    return rows.select_for_update(of=("customer", "invoice", "self"), no_key=True)


def apply_intent(payment_id: UUID, intent: Intent, *, actor: Actor, now: datetime) -> Payment:
    """Bring the payment to where its intent is now. Money is booked once; what does not fit is parked."""
    return apply_intents([(payment_id, intent)], actor=actor, now=now)[payment_id]


def apply_intents(told: Sequence[tuple[UUID, Intent]], *, actor: Actor, now: datetime) -> dict[UUID, Payment]:
    """The same for many payments at once, in one transaction; returns them by their ids."""
    with transaction.atomic():
        rows = _locked().filter(pk__in={pk for pk, _ in told})
        # The order in which everybody locks, so that nobody waits for somebody who waits.
        locked = {each.pk: each for each in rows.order_by("customer_id", "invoice_id", "pk")}
        invoices: dict[UUID, Invoice] = {}
        for payment in locked.values():
            payment.invoice = invoices.setdefault(payment.invoice_id, payment.invoice)
        changes = {pk: _Change(payment, actor, now) for pk, payment in locked.items()}
        for pk, intent in told:
            _apply(changes[pk], intent)
        _write(*changes.values())
    return locked


def _apply(change: _Change, intent: Intent) -> None:
    payment = change.payment
    if intent.status == IntentStatus.CANCELED:
        payment.unanswered_by = ""
        if payment.state == State.CANCELED:
            payment.ask_at = None
    if payment.external_id is None:
        payment.external_id = intent.id
    if payment.external_id != intent.id and payment.state == State.SUCCEEDED:
        # Another intent that bears its id: the payment stands as it is, a person has to look at the other.
        change.note(
            Action.PAYMENT_PARKED, why=f"intent {intent.id} is {intent.status}, but not this payment's"
        )
    elif not _is_ours(payment, intent):
        _park(
            change, f"intent {intent.id} is for {intent.amount}, not {payment.money} by {payment.external_id}"
        )
    elif payment.state == State.SUCCEEDED:
        _book_late_fee(change, intent.fee)
    elif intent.status == IntentStatus.SUCCEEDED:
        _succeed(change, intent)
    elif payment.state in Payment.IN_FLIGHT:
        _follow(change, intent)


def fail(payment_id: UUID, failure: Failure, *, actor: Actor, now: datetime) -> Payment:
    """Note a definite no that came without an intent."""
    with transaction.atomic():
        payment = lock(payment_id)
        change = _Change(payment, actor, now)
        if payment.state in Payment.IN_FLIGHT:
            _fail(change, failure)
        _write(change)
    return payment


def mark_unknown(payment_id: UUID, why: str, *, actor: Actor, now: datetime) -> Payment:
    """Stripe did not answer: whether the card was charged is to be asked, never guessed."""
    with transaction.atomic():
        payment = lock(payment_id)
        change = _Change(payment, actor, now)
        if payment.state in {State.CREATED, State.SENT}:
            payment.state = State.UNKNOWN
            scheduling.ask_later(payment, change.jobs, now=now)
            change.note(Action.PAYMENT_UNKNOWN, why=why[:200])
        _write(change)
    return payment


def park(payment_id: UUID, why: str, *, actor: Actor, now: datetime) -> Payment:
    """Leave the payment to a person."""
    with transaction.atomic():
        payment = lock(payment_id)
        change = _Change(payment, actor, now)
        if payment.state in Payment.IN_FLIGHT:
            _park(change, why)
        _write(change)
    return payment


def cancel_unsent(payment_id: UUID, *, actor: Actor, now: datetime) -> Payment:
    """Give up a payment that Stripe never heard of."""
    with transaction.atomic():
        payment = lock(payment_id)
        change = _Change(payment, actor, now)
        if payment.state == State.CREATED and payment.sent_at is None:
            _end(payment, State.CANCELED, now)
            change.note(Action.PAYMENT_CANCELED, why="never sent")
        _write(change)
    return payment


def take_in(payment_id: UUID, intent: Intent, *, actor: Actor, now: datetime) -> Payment:
    """Book what Stripe has taken though it does not fit: what is due pays the invoice, the rest is credit.

    Does nothing for a payment that is booked. Raises `Refused` unless the intent has succeeded in the
    payment's currency.
    """
    with transaction.atomic():
        payment = lock(payment_id)
        if payment.state == State.SUCCEEDED:
            return payment
        if intent.status != IntentStatus.SUCCEEDED or not intent.received:
            raise Refused(f"Stripe has taken nothing: {intent.id} is {intent.status}.")
        if intent.amount.currency != payment.currency:
            raise Refused(f"Stripe has taken {intent.amount}, another currency. Give it back there first.")
        change = _Change(payment, actor, now)
        payment.external_id, payment.amount, payment.note = intent.id, intent.received, ""
        invoice = payment.invoice
        due = invoice.amount_due.minor if invoice.status == Invoice.Status.OPEN else 0
        credit = Money(max(0, payment.amount - due), payment.currency)
        _take(change, intent, credit)
        _write(change)
    return payment


def settle_in_hand(payment: Payment, *, received_on: date, actor: Actor, now: datetime) -> None:
    """Book money received outside Stripe for a payment just made; invoice and customer are locked already."""
    change = _Change(payment, actor, now, booked_on=received_on)
    _book(change, Account.BANK, Action.PAYMENT_RECORDED)
    _write(change)


def _is_ours(payment: Payment, intent: Intent) -> bool:
    return (
        payment.external_id == intent.id
        and intent.amount == payment.money
        and (intent.status != IntentStatus.SUCCEEDED or intent.received == payment.amount)
    )


def _succeed(change: _Change, intent: Intent) -> None:
    payment, invoice = change.payment, change.payment.invoice
    if invoice.status != Invoice.Status.OPEN or payment.amount > invoice.amount_due.minor:
        _park(change, f"paid, but invoice {invoice.number} is {invoice.status} with {invoice.amount_due} due")
        return
    _take(change, intent, Money(0, payment.currency))


def _take(change: _Change, intent: Intent, credit: Money) -> None:
    payment = change.payment
    if intent.card is not None:
        payment.note = payment.note or card_name(intent.card)
    _book(change, Account.STRIPE, Action.PAYMENT_SUCCEEDED, credit=credit)
    if intent.fee is not None:
        _book_fee(change, intent.fee)
    if intent.keeps_card and intent.card is not None and intent.customer == intent.card.customer:
        change.notes += keep_card(payment.customer, intent.card, autopay=True, now=change.now)
    if intent.fee is None:
        scheduling.ask_later(payment, change.jobs, now=change.now)


def _book(change: _Change, to: Account, action: Action, *, credit: Money | None = None) -> None:
    """The payment has its money: invoice, ledger, receipt. `credit` of it is more than what is due."""
    payment, invoice, now = change.payment, change.payment.invoice, change.now
    _end(payment, State.SUCCEEDED, now)
    over = credit or Money(0, payment.currency)
    pays = payment.money - over
    postings = [(to, payment.money), (Account.RECEIVABLE, -pays), (Account.CREDIT, -over)]
    change.book("succeeded", action, postings, **({"credit": over.minor} if over.minor else {}))
    if not pays.minor:
        return
    invoice.amount_paid += pays.minor
    if invoice.amount_paid == invoice.total:
        invoice.status, invoice.paid_at = Invoice.Status.PAID, now
        about = {"payment": str(payment.pk), "number": invoice.number}
        change.notes.append(Note(Action.INVOICE_PAID, "invoice", str(invoice.pk), about))
    change.is_paid = True
    # Receipts wait until a burst of events is settled.
    receipt = {"payment_id": str(payment.pk)}
    key = f"receipt:{payment.pk}"
    change.jobs.append(Asked("billing.mail_receipt", receipt, run_at=now + RECEIPT_AFTER, key=key))


def _book_late_fee(change: _Change, fee: Fee | None) -> None:
    """A fee that was not known yet when the payment succeeded."""
    if fee is None or change.payment.fee is not None:
        return
    if not ledger.is_booked(f"payment:{change.payment.pk}:fee"):
        change.payment.ask_at = None
        _book_fee(change, fee)


def _book_fee(change: _Change, fee: Fee) -> None:
    if fee.amount.currency == change.payment.currency:
        change.payment.fee = fee.amount.minor
    if fee.amount.minor:
        source = fee.transaction
        postings = [(Account.FEES, fee.amount), (Account.STRIPE, -fee.amount)]
        change.book("fee", Action.FEE_BOOKED, postings, source=source)


def _follow(change: _Change, intent: Intent) -> None:
    """Everything short of success."""
    payment = change.payment
    match intent.status:
        case IntentStatus.CANCELED:
            _end(payment, State.CANCELED, change.now)
            change.note(Action.PAYMENT_CANCELED)
        case IntentStatus.PROCESSING | IntentStatus.NEEDS_CAPTURE:
            _move(change, State.PROCESSING, None)
        case _ if intent.failure is not None and _is_final(payment, intent):
            _fail(change, intent.failure)
        case _:
            _wait_for_payer(change, intent.failure)


def _is_final(payment: Payment, intent: Intent) -> bool:
    """A saved card that was refused; where a payer is there, the same payment goes on with another card."""
    if payment.method != Payment.Method.AUTOPAY or intent.status != IntentStatus.NEEDS_CARD:
        return False
    assert intent.failure is not None
    return payment.state in AT_OUR_END and AUTHENTICATION not in {intent.failure.code, intent.failure.reason}


def _wait_for_payer(change: _Change, failure: Failure | None) -> None:
    payment = change.payment
    absent = payment.method == Payment.Method.AUTOPAY and payment.state in AT_OUR_END
    if failure is not None and (payment.failure_code, payment.state) != (
        failure.reason[:80],
        State.NEEDS_ACTION,
    ):
        change.note(Action.PAYMENT_FAILED, code=failure.code, reason=failure.reason)
    _move(change, State.NEEDS_ACTION, failure)
    if absent:
        args = {"payment_id": str(payment.pk)}
        change.jobs.append(Asked("billing.mail_confirm_payment", args, key=f"confirm:{payment.pk}"))


def _move(change: _Change, state: Payment.State, failure: Failure | None) -> None:
    payment = change.payment
    payment.failure_code = failure.reason[:80] if failure else ""
    payment.failure_message = failure.message if failure else ""
    if payment.state == state:
        return
    if state == State.NEEDS_ACTION:
        change.note(Action.PAYMENT_NEEDS_ACTION)
    payment.state = state
    if payment.ask_at is None:
        scheduling.ask_later(payment, change.jobs, now=change.now)


def _fail(change: _Change, failure: Failure) -> None:
    payment = change.payment
    _end(payment, State.FAILED, change.now)
    payment.failure_code, payment.failure_message = failure.reason[:80], failure.message
    change.note(Action.PAYMENT_FAILED, code=failure.code, reason=failure.reason)
    if payment.method == Payment.Method.AUTOPAY and failure.code not in scheduling.NOT_THE_CARDS_FAULT:
        args = {"payment_id": str(payment.pk)}
        change.jobs.append(Asked("billing.mail_payment_failed", args, key=f"failed:{payment.pk}"))


def _park(change: _Change, why: str) -> None:
    payment = change.payment
    others = Payment.objects.filter(invoice=payment.invoice_id, state__in=Payment.IN_FLIGHT)
    if payment.state not in {State.SUCCEEDED, State.PARKED} and not others.exclude(pk=payment.pk).exists():
        payment.state = State.PARKED
    payment.ask_at, payment.note, payment.unanswered_by = None, why[:200], ""
    change.note(Action.PAYMENT_PARKED, why=why[:400])


def _end(payment: Payment, state: Payment.State, now: datetime) -> None:
    payment.state, payment.settled_at, payment.ask_at, payment.unanswered_by = state, now, None, ""
    if state != State.FAILED:
        payment.failure_code = payment.failure_message = ""


def _write(*changes: _Change) -> None:
    """Write all changes: of one actor, at one instant, in the transaction that locked them."""
    actor, now = changes[0].actor, changes[0].now
    notes = [note for change in changes for note in change.notes]
    events = iter(record_many(notes, actor=actor, now=now))
    entries: list[Entry] = []
    for change in changes:
        own = [next(events) for _ in change.notes]
        who = {"customer": change.payment.customer_id, "invoice": change.payment.invoice_id}
        entries += [Entry(key, own[note], postings, **who) for note, key, postings in change.bookings]
    if entries:
        day = changes[0].booked_on or local_date(now, current_tenant().zone)
        ledger.book(entries, now=now, on=day)
    _save([change.payment for change in changes])
    _save_invoices({c.payment.invoice_id: c.payment.invoice for c in changes if c.is_paid}.values())
    failpoints.reach("before_commit")
    transaction.on_commit(lambda: failpoints.reach("before_publish"))
    enqueue_many([job for change in changes for job in change.jobs])


_COLUMNS = {
    "state": "text", "amount": "bigint", "external_id": "text", "failure_code": "text",
    "failure_message": "text", "note": "text", "ask_at": "timestamptz", "asked": "int",
    "settled_at": "timestamptz", "fee": "bigint", "unanswered_by": "text",
}  # fmt: skip
_SAVE = (
    f"UPDATE billing_payment p SET {', '.join(f'{name} = n.{name}' for name in _COLUMNS)}"
    f" FROM unnest(%s::uuid[], {', '.join(f'%s::{kind}[]' for kind in _COLUMNS.values())})"
    f" AS n (id, {', '.join(_COLUMNS)}) WHERE p.id = n.id"
)
_SAVE_INVOICES = (
    "UPDATE billing_invoice i SET amount_paid = n.amount_paid, status = n.status, paid_at = n.paid_at"
    " FROM unnest(%s::uuid[], %s::bigint[], %s::text[], %s::timestamptz[])"
    " AS n (id, amount_paid, status, paid_at) WHERE i.id = n.id"
)


def _save(payments: Sequence[Payment]) -> None:
    values = [[getattr(payment, name) for payment in payments] for name in _COLUMNS]
    with connection.cursor() as cursor:
        cursor.execute(_SAVE, [[payment.pk for payment in payments], *values])


def _save_invoices(invoices: Collection[Invoice]) -> None:
    if not invoices:
        return
    columns = zip(*((i.pk, i.amount_paid, i.status, i.paid_at) for i in invoices), strict=True)
    with connection.cursor() as cursor:
        cursor.execute(_SAVE_INVOICES, [list(column) for column in columns])


def card_name(card: Card) -> str:
    """The card as its owner knows it: "Visa •••• 4242"."""
    return f"{card.brand.title()} •••• {card.last4}" if card.last4 else card.brand.title()
