"""Importing running subscriptions by external id, on the grid they were billed on elsewhere."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any, BinaryIO, Final, NamedTuple

from django.db import IntegrityError, connection, transaction

from accounts.models import Customer
from audit.actors import Actor
from billing import planning
from billing.errors import Refused
from billing.importing import bulk, cells, offers, reading
from billing.importing.laying import CHANGEABLE, Owner, Wanted, Work, lay
from billing.importing.offers import Offer
from billing.importing.outcome import Outcome, Progress, Tally, batches, take
from billing.importing.reading import Problems, Row
from billing.models import Subscription
from billing.periods import Anchoring, OffGrid, PeriodError, anchor_for, local_date
from tenants.context import current_tenant

COLUMNS: Final = (
    "external_id", "customer_external_id", "product_code", "product_name", "cycle", "currency",
    "unit_amount", "quantity", "started_on", "next_due_on",
)  # fmt: skip
_OFFER: Final = ("product_code", "product_name", "cycle", "currency")
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
# The customers named, and those who have the subscriptions named now.
_LOCK: Final = (
    "SELECT id, external_id, status FROM accounts_customer WHERE id IN ("
    "SELECT id FROM accounts_customer WHERE external_id = ANY(%s)"
    " UNION SELECT customer_id FROM billing_subscription WHERE external_id = ANY(%s)"
    ") ORDER BY id FOR NO KEY UPDATE"
)


class _Named(NamedTuple):
    """What a file names, gathered before anything is locked or written."""

    customers: set[str]
    subscriptions: list[str]
    offers: list[Offer]


def import_subscriptions(
    file: BinaryIO,
    *,
    actor: Actor,
    now: datetime,
    dry_run: bool = False,
    progress: Progress | None = None,
) -> Outcome:
    """Import a file in one transaction; with a problem anywhere, or in a dry run, nothing is kept.

    Products and prices are found or made; the next run is set. A subscription that was billed, paused or
    changed here keeps its place on its grid whatever the file says. Waits for other imports, then locks the
    customers named, then the tenant.
    """
    try:
        with transaction.atomic():
            tally = apply_subscriptions(file, now=now, progress=progress)
            if dry_run or tally.problems.count:
                transaction.set_rollback(True)
            else:
                tally.record(actor=actor, now=now)
            return tally.outcome()
    except IntegrityError as error:
        raise Refused("Somebody else brought in the same subscriptions at this moment. Try again.") from error


def apply_subscriptions(file: BinaryIO, *, now: datetime, progress: Progress | None = None) -> Tally:
    """Write what is good of the file in the open transaction, and say what is not.

    The caller records the tally before it commits, when all locks are taken.
    """
    bulk.wait_for_others()
    named = _gather(file)
    owners = _lock_owners(named)
    planning.lock_tenant()
    tally = Tally("subscriptions", progress)
    made = offers.find_or_make(named.offers, now=now)
    tally.notes += made.notes
    work = Work(
        owners=owners,
        offers=made,
        tally=tally,
        today=local_date(now, current_tenant().zone),
        now=now,
    )
    for batch in batches(file, COLUMNS, _parse, tally):
        _apply(batch, work)
    planning.replan(now=now)
    return tally


def _gather(file: BinaryIO) -> _Named:
    customers: set[str] = set()
    subscriptions: list[str] = []
    found: dict[tuple[str, ...], Offer | None] = {}
    for row in reading.rows(file, COLUMNS, Problems()):
        texts = tuple(row.cells[column] for column in (*_OFFER, "unit_amount"))
        if texts not in found:
            found[texts] = _offer(row, Problems())
        if cells.is_external_id(row.cells["customer_external_id"]):
            customers.add(row.cells["customer_external_id"])
        if cells.is_external_id(row.cells["external_id"]):
            subscriptions.append(row.cells["external_id"])
    return _Named(customers, subscriptions, [offer for offer in found.values() if offer is not None])


def _lock_owners(named: _Named) -> dict[str, Owner]:
    with connection.cursor() as cursor:
        cursor.execute(_LOCK, [list(named.customers), named.subscriptions])
        closed = Customer.Status.CLOSED.value
        return {external_id: Owner(pk, status == closed) for pk, external_id, status in cursor.fetchall()}


def _offer(row: Row, problems: Problems) -> Offer | None:
    values = take(row, problems, {column: _READERS[column] for column in _OFFER})
    return None if values is None else _priced(row, values, problems)


def _priced(row: Row, values: Mapping[str, Any], problems: Problems) -> Offer | None:
    amount = take(row, problems, {"unit_amount": lambda text: cells.amount(text, values["currency"])})
    if amount is None:
        return None
    code, name, cycle, currency = (values[column] for column in _OFFER)
    return Offer(code, name, cycle, currency, amount["unit_amount"])


def _parse(row: Row, problems: Problems) -> Wanted | None:
    values = take(row, problems, _READERS)
    if values is None:
        return None
    offer = _priced(row, values, problems)
    place = _anchor(row, values, problems)
    if offer is None or place is None:
        return None
    return Wanted(
        row.line, values["external_id"], values["customer_external_id"], offer, values["quantity"],
        values["started_on"], values["next_due_on"], *place,
    )  # fmt: skip


def _anchor(row: Row, values: Mapping[str, Any], problems: Problems) -> tuple[Anchoring, str] | None:
    """Place the row on its grid; the second part says why the grid is not that of `started_on`."""
    dates: tuple[date, date] = (values["started_on"], values["next_due_on"])
    try:
        return anchor_for(*dates, values["cycle"]), ""
    except OffGrid as error:
        return anchor_for(*dates, values["cycle"], strict=False), str(error)
    except PeriodError as error:
        problems.add(row.line, "next_due_on", str(error))
        return None


def _apply(batch: Sequence[Wanted], work: Work) -> None:
    laid = lay(batch, work)
    bulk.insert(Subscription, laid.made)
    bulk.update(Subscription, laid.changed, CHANGEABLE)
    work.tally.notes += laid.notes
    work.tally.created += len(laid.made)
    work.tally.changed += len(laid.changed)
