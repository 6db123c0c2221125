"""Importing customers by external id: new ones are made, known ones get what differs."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, BinaryIO, Final, NamedTuple

from django.db import IntegrityError, connection, transaction

from accounts.models import Customer
from audit.actions import Action
from audit.actors import Actor
from audit.recording import Note
from billing.errors import Refused
from billing.importing import bulk, cells, reading
from billing.importing.outcome import Outcome, Progress, Tally, batches, take
from billing.importing.reading import Problems, Row
from tenants.context import current_tenant

COLUMNS: Final = (
    "external_id", "name", "email", "phone", "address_line1", "city", "state", "postal_code", "country",
    "tax_id", "currency",
)  # fmt: skip
_READERS: Final[Mapping[str, Callable[[str], Any]]] = {
    "external_id": cells.external_id,
    "name": lambda value: cells.text(value, 200, required=True),
    "email": cells.email,
    "phone": cells.phone,
    "address_line1": lambda value: cells.text(value, 200),
    "city": lambda value: cells.text(value, 100),
    "state": lambda value: cells.text(value, 100),
    "postal_code": lambda value: cells.text(value, 20),
    "country": cells.country,
    "tax_id": lambda value: cells.text(value, 40),
    "currency": cells.currency,
}
_LOCK: Final = "SELECT id FROM accounts_customer WHERE external_id = ANY(%s) ORDER BY id FOR NO KEY UPDATE"


class _Wanted(NamedTuple):
    external_id: str
    fields: dict[str, str]


def import_customers(
    file: BinaryIO,
    *,
    actor: Actor,
    now: datetime,
    dry_run: bool = False,
    progress: Progress | None = None,
) -> Outcome:
    """Import a file in one transaction; with a problem anywhere, or in a dry run, nothing is kept.

    Empty cells leave what a known customer has. Waits for other imports, then locks the customers named.
    """
    try:
        with transaction.atomic():
            tally = apply_customers(file, now=now, progress=progress)
            if dry_run or tally.problems.count:
                transaction.set_rollback(True)
            else:
                tally.record(actor=actor, now=now)
            return tally.outcome()
    except IntegrityError as error:
        raise Refused("Somebody else brought in the same customers at this moment. Try again.") from error


def apply_customers(file: BinaryIO, *, now: datetime, progress: Progress | None = None) -> Tally:
    """Write what is good of the file in the open transaction, and say what is not.

    The caller records the tally before it commits, when all locks are taken.
    """
    bulk.wait_for_others()
    _lock(file)
    tally = Tally("customers", progress)
    for batch in batches(file, COLUMNS, _parse, tally):
        _apply(batch, tally, now=now)
    return tally


def _lock(file: BinaryIO) -> None:
    named = [row.cells["external_id"] for row in reading.rows(file, COLUMNS, Problems())]
    with connection.cursor() as cursor:
        cursor.execute(_LOCK, [[each for each in named if cells.is_external_id(each)]])


def _parse(row: Row, problems: Problems) -> _Wanted | None:
    values = take(row, problems, _READERS)
    return _Wanted(values.pop("external_id"), values) if values else None


def _apply(batch: Sequence[_Wanted], tally: Tally, *, now: datetime) -> None:
    known = {
        str(customer.external_id): customer
        for customer in Customer.objects.filter(external_id__in=[each.external_id for each in batch])
    }
    locale = current_tenant().locale
    made: list[Customer] = []
    changed: list[Customer] = []
    notes = tally.notes
    for wanted in batch:
        customer = known.get(wanted.external_id)
        if customer is None:
            new = Customer(external_id=wanted.external_id, locale=locale, created_at=now, **wanted.fields)
            made.append(new)
            about = ("customer", str(new.pk))
            personal = {"after": {"external_id": wanted.external_id, **_filled(wanted.fields)}}
            notes.append(Note(Action.CUSTOMER_CREATED, *about, {}, personal))
        elif change := _change(customer, wanted.fields):
            changed.append(customer)
            notes.append(Note(Action.CUSTOMER_CHANGED, "customer", str(customer.pk), {}, change))
        else:
            tally.unchanged += 1
    bulk.insert(Customer, made)
    bulk.update(Customer, changed, [name for name in COLUMNS if name != "external_id"])
    tally.created += len(made)
    tally.changed += len(changed)


def _change(customer: Customer, fields: Mapping[str, str]) -> dict[str, Any]:
    different = {name: value for name, value in _filled(fields).items() if getattr(customer, name) != value}
    before = {name: getattr(customer, name) for name in different}
    for name, value in different.items():
        setattr(customer, name, value)
    return {"before": before, "after": different} if different else {}


def _filled(fields: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in fields.items() if value}
