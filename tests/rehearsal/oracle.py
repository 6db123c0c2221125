"""What a rehearsal must come to, worked out from the CSV text alone: it imports nothing of the product."""

import calendar
import csv
import io
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from typing import NamedTuple

MONTHS = {"monthly": 1, "quarterly": 3, "semiannual": 6, "annual": 12, "biennial": 24, "triennial": 36}
DECIMALS = {"USD": 2, "EUR": 2, "JPY": 0}
DAYS_AHEAD = timedelta(days=14)


class Period(NamedTuple):
    """One period that must be billed: from `start` up to but not including `end`, for `gross` minor units."""

    subscription: str
    customer: str
    start: date
    end: date
    currency: str
    gross: int


class Bill(NamedTuple):
    """One invoice that must be there. `paid_on` is None while it is not due yet."""

    customer: str
    due_on: date
    currency: str
    total: int
    issued_on: date
    paid_on: date | None
    lines: tuple[Period, ...]


def months_after(anchor: date, months: int) -> date:
    """The same day of a later month, or that month's last day."""
    year, month = anchor.year, anchor.month + months
    while month > 12:
        year, month = year + 1, month - 12
    return date(year, month, min(anchor.day, calendar.monthrange(year, month)[1]))


def grid(started_on: date, next_due_on: date, step: int) -> Iterator[date]:
    """The first days of all periods from `next_due_on` on, counted from the start; else from the due date."""
    anchor, count = started_on, 0
    while months_after(anchor, count) < next_due_on:
        count += step
    if months_after(anchor, count) != next_due_on:
        anchor, count = next_due_on, 0
    while True:
        yield months_after(anchor, count)
        count += step


def periods(subscriptions: str, *, until: date) -> list[Period]:
    """Every period that starts up to and including `until`."""
    found = []
    for row in csv.DictReader(io.StringIO(subscriptions)):
        scaled = Decimal(row["unit_amount"]) * int(row["quantity"]) * 10 ** DECIMALS[row["currency"]]
        gross = int(scaled)
        assert gross == scaled
        started, due = (date.fromisoformat(row[name]) for name in ("started_on", "next_due_on"))
        days = grid(started, due, MONTHS[row["cycle"]])
        start = next(days)
        while start <= until:
            end = next(days)
            found.append(
                Period(row["external_id"], row["customer_external_id"], start, end, row["currency"], gross)
            )
            start = end
    return sorted(found)


def bills(subscriptions: str, *, since: date, until: date) -> list[Bill]:
    """The invoices of a rehearsal lived from `since` to `until`, both included, with autopay."""
    grouped: dict[tuple[str, date, str], list[Period]] = {}
    for each in periods(subscriptions, until=until + DAYS_AHEAD):
        grouped.setdefault((each.customer, each.start, each.currency), []).append(each)
    found = []
    for (customer, due, currency), lines in sorted(grouped.items()):
        issued = max(since, due - DAYS_AHEAD)
        paid = max(since, due) if due <= until else None
        total = sum(line.gross for line in lines)
        found.append(Bill(customer, due, currency, total, issued, paid, tuple(sorted(lines))))
    return found
