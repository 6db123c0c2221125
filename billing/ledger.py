"""Booking money: balanced entries, once a key, each tied to the audit event of the change it belongs to."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from django.db import connection

from billing.models.ledger import Account, JournalEntry, Posting
from billing.money import Money
from tenants.ids import new_id

ENTRY_COLUMNS = "id, key, audit_event_id, customer_id, invoice_id, booked_at, booked_on"
POSTING_COLUMNS = "id, entry_id, account, currency, amount"


class Unbalanced(ValueError):
    """The postings of an entry do not sum to zero."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One booking to be made: signed amounts by account, debits positive, summing to zero per currency.

    `key` makes it happen once; `audit_event` is the event of the same transaction.
    """

    key: str
    audit_event: UUID
    postings: Sequence[tuple[Account, Money]]
    customer: UUID | None = None
    invoice: UUID | None = None


def book(entries: Sequence[Entry], *, now: datetime, on: date) -> None:
    """Write the entries by COPY; zero amounts are left out.

    Raises `Unbalanced`, or IntegrityError when a key is booked already. Needs an open transaction, in which
    the database checks the sums once more at commit.
    """
    with connection.cursor() as cursor:
        entry_ids = []
        statement = f"COPY {JournalEntry._meta.db_table} ({ENTRY_COLUMNS}) FROM STDIN"
        with cursor.copy(statement) as copy:
            for entry in entries:
                _check(entry)
                entry_id = new_id()
                entry_ids.append(entry_id)
                copy.write_row(
                    (entry_id, entry.key, entry.audit_event, entry.customer, entry.invoice, now, on)
                )
        with cursor.copy(f"COPY {Posting._meta.db_table} ({POSTING_COLUMNS}) FROM STDIN") as copy:
            for entry_id, entry in zip(entry_ids, entries, strict=True):
                for account, amount in entry.postings:
                    if amount.minor:
                        copy.write_row((new_id(), entry_id, account.value, amount.currency, amount.minor))


def is_booked(key: str) -> bool:
    """Tell whether an entry of this key exists."""
    return JournalEntry.objects.filter(key=key).exists()


def _check(entry: Entry) -> None:
    sums: dict[str, int] = {}
    for _, amount in entry.postings:
        sums[amount.currency] = sums.get(amount.currency, 0) + amount.minor
    if any(sums.values()):
        raise Unbalanced(f"{entry.key}: {sums}")
