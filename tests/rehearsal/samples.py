"""A small book of customers with all that makes billing dates hard, as CSV files."""

import csv
import io
from datetime import date
from itertools import product
from typing import Any

from tests.rehearsal import oracle

FIRST_DUE = date(2026, 12, 1)
CURRENCIES = {"USD": "US", "EUR": "DE", "JPY": "JP"}
# Day of the month and cycle of the start; each pair once in a currency.
ANCHORS = (1, 15, 28, 29, 30, 31)
CYCLES = ("monthly", "quarterly", "semiannual", "annual")
CUSTOMERS = 24


def customers() -> str:
    rows = []
    for number, (currency, country) in zip(
        range(CUSTOMERS + 1), list(CURRENCIES.items()) * CUSTOMERS, strict=False
    ):
        rows.append(
            {
                "external_id": f"C-{number}",
                "name": f"Customer {number}",
                "email": f"c{number}@rehearsal.example",
                "phone": "",
                "address_line1": "",
                "city": "Springfield",
                "state": "",
                "postal_code": "",
                "country": country,
                "tax_id": "",
                "currency": currency,
            }
        )
    return _csv(rows)


def subscriptions() -> str:
    """46 subscriptions; several customers have more than one on a day, some in two currencies."""
    rows = [
        _row(number, f"C-{number % CUSTOMERS}", list(CURRENCIES)[number % 3], cycle, _start(day, number))
        for number, (cycle, day) in enumerate(product(CYCLES, ANCHORS))
    ]
    count = len(rows)
    # The same customers again: on the same days, in the same currency or in another one.
    for number in range(count, count + 18):
        twin = rows[number - count]
        currency = twin["currency"] if number % 2 else list(CURRENCIES)[(number + 1) % 3]
        start = date.fromisoformat(twin["started_on"])
        rows.append(_row(number, twin["customer_external_id"], currency, "monthly", start))
    rows += [
        _row(count + 18, "C-24", "EUR", "annual", date(2024, 2, 29)),
        _row(count + 19, "C-24", "EUR", "monthly", date(2024, 2, 29)),
        _row(count + 20, "C-24", "EUR", "quarterly", date(2022, 11, 30)),
        # Off its grid: it begins anew on the day that the file names.
        _row(count + 21, "C-24", "EUR", "monthly", date(2020, 1, 7)) | {"next_due_on": "2026-12-31"},
    ]
    return _csv(rows)


def _start(day: int, number: int) -> date:
    """A month of 31 days, so that every day of the month can be an anchor."""
    return date(2019 + number % 5, (1, 3, 5, 7, 8, 10, 12)[number % 7], day)


def _row(number: int, customer: str, currency: str, cycle: str, started: date) -> dict[str, Any]:
    step = oracle.MONTHS[cycle]
    count = step
    while oracle.months_after(started, count) < FIRST_DUE:
        count += step
    amount = f"{900 + number * 10}" if currency == "JPY" else f"{9 + number}.{number % 100:02d}"
    return {
        "external_id": f"S-{number}",
        "customer_external_id": customer,
        "product_code": f"hosting-{number % 4}",
        "product_name": f"Web hosting {number % 4}",
        "cycle": cycle,
        "currency": currency,
        "unit_amount": amount,
        "quantity": str(1 + number % 3),
        "started_on": started.isoformat(),
        "next_due_on": oracle.months_after(started, count).isoformat(),
    }


def _csv(rows: list[dict[str, Any]]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()
