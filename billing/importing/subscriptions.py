"""Importing running subscriptions by external id, on the grid they were billed on elsewhere."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any, BinaryIO, Final, NamedTuple
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Q

from accounts.models import Customer
from audit.actions import Action
from audit.actors import Actor
from audit.recording import Note, record, record_many
from billing import planning
from billing.composing import MAX_PERIODS
from billing.errors import Refused
from billing.importing import cells, reading
from billing.importing.offers import Offer, Offers
from billing.importing.outcome import Outcome, Tally, batches, take
from billing.importing.reading import Problems, Row, shown
from billing.models import InvoiceLine, Price, Subscription
from billing.periods import Anchoring, Cycle, PeriodError, anchor_for, index_of, local_date
from tenants.context import current_tenant

COLUMNS: Final = (
    "external_id", "customer_external_id", "product_code", "product_name", "cycle", "currency",
    "unit_amount", "quantity", "started_on", "next_due_on",
)  # fmt: skip
_READERS: Final = {
    "external_id": cells.external_id,
    "customer_external_id": cells.external_id,
    "product_code": cells.code,
    "product_name": lambda value: cells.text(value, 200, required=True),
    "cycle": cells.cycle,
    "currency": cells.currency,
    "quantity": cells.quantity,
    "started_on": cells.day,
    "next_due_on": cells.day,
}


class _Wanted(NamedTuple):
    """A good row: what is agreed, and where it stands on its grid."""

    line: int
    external_id: str
    customer: str
    offer: Offer
    quantity: int
    started_on: date
    next_due_on: date
    anchoring: Anchoring


def import_subscriptions(file: BinaryIO, *, actor: Actor, now: datetime, dry_run: bool = False) -> Outcome:
    """Import a file in one transaction; with a problem anywhere, or in a dry run, nothing is kept.

    Products and prices are found or made. A subscription billed here already keeps its place: its next due
    date is no longer the file's. Sets the next run. Locks the customers named, then the tenant.
    """
    try:
        with transaction.atomic():
            tally = apply_subscriptions(file, actor=actor, now=now)
            if dry_run or tally.problems.count:
                transaction.set_rollback(True)
            return tally.outcome()
    except IntegrityError as error:
        raise Refused("Somebody else brought in the same subscriptions at this moment. Try again.") from error


def apply_subscriptions(file: BinaryIO, *, actor: Actor, now: datetime) -> Tally:
    """Write what is good of the file in the open transaction, and say what is not."""
    # All locks come before the first audit event: who holds the chain waits for nobody.
    customers = _lock_customers(file)
    planning.lock_tenant()
    today = local_date(now, current_tenant().zone)
    tally, offers = Tally(), Offers(actor=actor, now=now)

    def parse(row: Row, problems: Problems) -> _Wanted | None:
        return _parse(row, problems, today)

    for batch in batches(file, COLUMNS, parse, tally):
        _apply(batch, customers, offers, tally, actor=actor, now=now)
    planning.replan(now=now)
    if tally.created or tally.changed:
        counts: dict[str, Any] = {"rows": tally.rows, "created": tally.created, "changed": tally.changed}
        record(Action.IMPORT_DONE, subject=("import", "subscriptions"), actor=actor, now=now, **counts)
    return tally


def _lock_customers(file: BinaryIO) -> dict[str, UUID]:
    """Lock the customers named, and those who have the subscriptions named now; in the order of their ids."""
    named, subscriptions = set(), []
    for row in reading.rows(file, COLUMNS, Problems()):
        named.add(row.cells["customer_external_id"])
        subscriptions.append(row.cells["external_id"])
    owned = Subscription.objects.filter(external_id__in=subscriptions)
    rows = Customer.objects.filter(Q(external_id__in=named) | Q(pk__in=owned.values("customer_id")))
    locked = rows.order_by("id").select_for_update(of=("self",), no_key=True)
    return {str(external_id): pk for external_id, pk in locked.values_list("external_id", "pk")}


def _parse(row: Row, problems: Problems, today: date) -> _Wanted | None:
    values = take(row, problems, _READERS)
    if values is None:
        return None
    amount = take(row, problems, {"unit_amount": lambda text: cells.amount(text, values["currency"])})
    anchoring = _anchor(row, values, problems, today)
    if amount is None or anchoring is None:
        return None
    offer = Offer(
        values["product_code"], values["product_name"], values["cycle"], values["currency"],
        amount["unit_amount"],
    )  # fmt: skip
    return _Wanted(
        row.line, values["external_id"], values["customer_external_id"], offer, values["quantity"],
        values["started_on"], values["next_due_on"], anchoring,
    )  # fmt: skip


def _anchor(row: Row, values: Mapping[str, Any], problems: Problems, today: date) -> Anchoring | None:
    cycle: Cycle = values["cycle"]
    try:
        anchoring = anchor_for(values["started_on"], values["next_due_on"], cycle)
        overdue = 0
        if values["next_due_on"] <= today:
            overdue = index_of(anchoring.anchor, cycle, today) - anchoring.next_index + 1
    except PeriodError as error:
        problems.add(row.line, "next_due_on", str(error))
        return None
    if overdue > MAX_PERIODS:
        problems.add(
            row.line, "next_due_on", f"lies {overdue} periods back; at most {MAX_PERIODS} are billed"
        )
        return None
    return anchoring


def _apply(
    batch: Sequence[_Wanted],
    customers: Mapping[str, UUID],
    offers: Offers,
    tally: Tally,
    *,
    actor: Actor,
    now: datetime,
) -> None:
    prices = offers.prices([wanted.offer for wanted in batch])
    known, billed = _known(batch)
    made: list[Subscription] = []
    changed: list[Subscription] = []
    notes: list[Note] = []
    for wanted in batch:
        customer = customers.get(wanted.customer)
        if customer is None:
            reason = f"there is no customer {shown(wanted.customer)}"
            tally.problems.add(wanted.line, "customer_external_id", reason)
            continue
        fields = _fields(wanted, customer, prices[wanted.offer])
        subscription = known.get(wanted.external_id)
        if subscription is None:
            made.append(_new(wanted, fields, now=now))
            notes.append(_note(Action.SUBSCRIPTION_CREATED, made[-1], {"after": _shown(fields)}))
        elif subscription.pk in billed and not _keep_place(wanted, subscription, fields, tally.problems):
            continue
        elif change := _change(subscription, fields):
            changed.append(subscription)
            notes.append(_note(Action.SUBSCRIPTION_CHANGED, subscription, change))
        else:
            tally.unchanged += 1
    Subscription.objects.bulk_create(made)
    Subscription.objects.bulk_update(changed, _CHANGEABLE)
    record_many(notes, actor=actor, now=now)
    tally.created += len(made)
    tally.changed += len(changed)


def _known(batch: Sequence[_Wanted]) -> tuple[dict[str, Subscription], set[UUID]]:
    """The subscriptions that exist, locked, by external id; and which of them were billed here."""
    rows = Subscription.objects.filter(external_id__in=[wanted.external_id for wanted in batch])
    locked = rows.order_by("id").select_for_update(of=("self",), no_key=True).select_related("price")
    known = {str(subscription.external_id): subscription for subscription in locked}
    lines = InvoiceLine.objects.filter(subscription__in=known.values())
    billed = set(lines.values_list("subscription_id", flat=True).distinct())
    return known, {pk for pk in billed if pk is not None}


def _new(wanted: _Wanted, fields: Mapping[str, Any], *, now: datetime) -> Subscription:
    # Its setup fee, if there was one, was paid where it began.
    return Subscription(external_id=wanted.external_id, setup_billed=True, created_at=now, **fields)


_CHANGEABLE: Final = (
    "customer_id", "price_id", "quantity", "started_on", "anchored_on", "next_index", "next_due_on",
)  # fmt: skip
_PLACE: Final = ("started_on", "anchored_on", "next_index", "next_due_on")


def _fields(wanted: _Wanted, customer: UUID, price: Price) -> dict[str, Any]:
    return {
        "customer_id": customer,
        "price_id": price.pk,
        "quantity": wanted.quantity,
        "started_on": wanted.started_on,
        "anchored_on": wanted.anchoring.anchor,
        "next_index": wanted.anchoring.next_index,
        "next_due_on": wanted.next_due_on,
    }


def _keep_place(
    wanted: _Wanted, subscription: Subscription, fields: dict[str, Any], problems: Problems
) -> bool:
    """Leave the place on the grid; False when the row would lay another grid under billed periods."""
    wrong = [
        ("customer_external_id", fields["customer_id"] != subscription.customer_id),
        ("started_on", wanted.started_on != subscription.started_on),
        ("cycle", wanted.offer.cycle != subscription.price.cycle),
    ]
    for column, differs in wrong:
        if differs:
            reason = "was billed here already and cannot change; cancel it and bring it under another id"
            problems.add(wanted.line, column, reason)
            return False
    for name in _PLACE:
        fields.pop(name)
    return True


def _change(subscription: Subscription, fields: Mapping[str, Any]) -> dict[str, Any]:
    different = {name: value for name, value in fields.items() if getattr(subscription, name) != value}
    before = {name: getattr(subscription, name) for name in different}
    for name, value in different.items():
        setattr(subscription, name, value)
    return {"before": _shown(before), "after": _shown(different)} if different else {}


def _shown(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value if isinstance(value, int) else str(value) for name, value in fields.items()}


def _note(action: Action, subscription: Subscription, details: dict[str, Any]) -> Note:
    return Note(action, "subscription", str(subscription.pk), details)
