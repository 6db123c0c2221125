"""Which customers have something due, and the locked rows that a run bills them from. Reads only."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any, Final, NamedTuple
from uuid import UUID

from django.db import connection

from billing.composing import Due
from billing.snapshots import BUYER_FIELDS
from privacy.restricting import Processing, stops_sql

PAGE: Final = 5_000
# A chunk is one transaction: so many subscriptions, or one customer's if those are more.
CHUNK: Final = 500

# New periods are not billed to customers whose data may be kept, and no more, until that is lifted.
_NOT_RESTRICTED = f"NOT {stops_sql(Processing.INVOICING, 'customer', 'c.id')}"
_CANDIDATES = (
    "SELECT s.customer_id, count(*) FROM billing_subscription s"
    " JOIN accounts_customer c ON c.id = s.customer_id"
    " WHERE s.status = 'active' AND s.next_due_on <= %s AND s.customer_id > %s AND c.status = 'active'"
    f" AND {_NOT_RESTRICTED}"
    " GROUP BY s.customer_id ORDER BY s.customer_id LIMIT %s"
)
_CUSTOMER_FIELDS = ("id", "locale", *BUYER_FIELDS)
_CUSTOMERS = (
    f"SELECT {', '.join(_CUSTOMER_FIELDS)} FROM accounts_customer c"
    f" WHERE id = ANY(%s) AND status = 'active' AND {_NOT_RESTRICTED} ORDER BY id FOR NO KEY UPDATE OF c"
)
_SUBSCRIPTIONS = (
    "SELECT s.id, s.customer_id, CASE s.description WHEN '' THEN d.name ELSE s.description END, s.quantity,"
    " s.anchored_on, s.next_index, s.setup_billed, p.cycle, p.currency, p.amount, p.setup_fee,"
    " p.tax_inclusive, d.tax_class"
    " FROM billing_subscription s JOIN billing_price p ON p.id = s.price_id"
    " JOIN billing_product d ON d.id = p.product_id"
    " WHERE s.customer_id = ANY(%s) AND s.status = 'active' AND s.next_due_on <= %s"
    " ORDER BY s.customer_id, s.id FOR NO KEY UPDATE OF s"
)
_EARLIEST = (
    "SELECT s.next_due_on FROM billing_subscription s JOIN accounts_customer c ON c.id = s.customer_id"
    f" WHERE s.status = 'active' AND c.status = 'active' AND {_NOT_RESTRICTED} ORDER BY s.next_due_on LIMIT 1"
)


class DueCustomer(NamedTuple):
    """A locked customer, with all its locked subscriptions that are due; `fields` are BUYER_FIELDS."""

    id: UUID
    locale: str
    fields: Mapping[str, str]
    dues: Sequence[Due]


def chunks(until: date) -> Iterator[list[UUID]]:
    """Give the customers with something due up to the day `until`, in portions of one transaction each.

    Reads a page ahead by the customer's id, so that no query looks at what is done already.
    """
    last = UUID(int=0)
    while True:
        with connection.cursor() as cursor:
            cursor.execute(_CANDIDATES, [until, last, PAGE])
            page = cursor.fetchall()
        yield from _portions(page)
        if len(page) < PAGE:
            return
        last = page[-1][0]


def lock(customers: Sequence[UUID], until: date, *, wait: bool) -> tuple[list[DueCustomer], set[UUID]]:
    """Lock these customers, then all their due subscriptions, and return both.

    Without `wait`, customers that somebody else holds are left out and returned as the second part: whoever
    holds a customer bills or changes all of it, so that what is due on one day is never parted.
    """
    with connection.cursor() as cursor:
        cursor.execute(_CUSTOMERS + ("" if wait else " SKIP LOCKED"), [list(customers)])
        rows = cursor.fetchall()
        locked = [row[0] for row in rows]
        cursor.execute(_SUBSCRIPTIONS, [locked, until])
        dues: dict[UUID, list[Due]] = {}
        for row in cursor.fetchall():
            due = Due._make(row)
            dues.setdefault(due.customer, []).append(due)
    found = [_customer(row, dues[row[0]]) for row in rows if row[0] in dues]
    return found, set() if wait else set(customers).difference(locked)


def earliest() -> date | None:
    """The day on which the next period of any active subscription starts."""
    with connection.cursor() as cursor:
        cursor.execute(_EARLIEST)
        row = cursor.fetchone()
    return row[0] if row else None


def _customer(row: Sequence[Any], dues: Sequence[Due]) -> DueCustomer:
    return DueCustomer(row[0], row[1], dict(zip(BUYER_FIELDS, row[2:], strict=True)), dues)


def _portions(page: Sequence[tuple[UUID, int]]) -> Iterator[list[UUID]]:
    portion: list[UUID] = []
    size = 0
    for customer, subscriptions in page:
        if portion and size + subscriptions > CHUNK:
            yield portion
            portion, size = [], 0
        portion.append(customer)
        size += subscriptions
    if portion:
        yield portion
