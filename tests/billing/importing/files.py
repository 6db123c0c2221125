"""CSV files as people send them."""

import csv
import io
from typing import Any

from billing.importing.customers import COLUMNS as CUSTOMER_COLUMNS
from billing.importing.subscriptions import COLUMNS as SUBSCRIPTION_COLUMNS

CUSTOMER = {
    "external_id": "C-1",
    "name": "Müller & Söhne, KG",
    "email": "mueller@customer.example",
    "phone": "+49 30 1234",
    "address_line1": "Hauptstr. 5",
    "city": "Köln",
    "state": "",
    "postal_code": "50667",
    "country": "DE",
    "tax_id": "DE123456789",
    "currency": "EUR",
}
SUBSCRIPTION = {
    "external_id": "S-1",
    "customer_external_id": "C-1",
    "product_code": "hosting-l",
    "product_name": "Web hosting L",
    "cycle": "monthly",
    "currency": "EUR",
    "unit_amount": "24.90",
    "quantity": "2",
    "started_on": "2019-01-31",
    "next_due_on": "2026-11-30",
}


def customers(*changes: dict[str, Any]) -> io.BytesIO:
    """One customer a change (ids count up where none is given)."""
    return _file(CUSTOMER_COLUMNS, CUSTOMER, changes, "C")


def subscriptions(*changes: dict[str, Any]) -> io.BytesIO:
    return _file(SUBSCRIPTION_COLUMNS, SUBSCRIPTION, changes, "S")


def _file(
    columns: tuple[str, ...], usual: dict[str, str], changes: tuple[dict[str, Any], ...], letter: str
) -> io.BytesIO:
    text = io.StringIO()
    writer = csv.DictWriter(text, columns)
    writer.writeheader()
    for number, change in enumerate(changes or ({},), 1):
        writer.writerow(usual | {"external_id": f"{letter}-{number}"} | change)
    return io.BytesIO(text.getvalue().encode())
