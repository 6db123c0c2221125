"""The floor of an invoice run: the rows that one leaves, as bare COPY on the project's own tables, guards on.

Nothing is decided here: one price, one rate, no snapshot taken, no document composed. What the product
adds to this is the cost of being right.
"""

import hashlib
import json
from datetime import date, datetime
from typing import Any
from uuid import UUID

import uuid_utils.compat
from django.db import connection, transaction

CHUNK = 500
TODAY, NEXT = date(2026, 11, 23), date(2027, 1, 1)
SELLER = json.dumps({"business_name": "Bench Hosting", "city": "Berlin", "country": "DE"})
BUYER = json.dumps({"name": "Somebody", "email": "a@customer.example", "city": "Berlin", "country": "DE"})
DUE = (
    "SELECT s.id, s.customer_id, p.amount, s.next_due_on FROM billing_subscription s"
    " JOIN billing_price p ON p.id = s.price_id WHERE s.status = 'active' AND s.next_due_on <= %s"
    " ORDER BY s.next_due_on, s.customer_id LIMIT %s FOR NO KEY UPDATE OF s SKIP LOCKED"
)
COPIES = {
    "audit_auditevent": "id, seq, at, action, actor_kind, actor_id, actor_label, subject_kind, subject_id,"
    " details, ip, user_agent, prev_hash, hash",
    "billing_invoice": "id, number, status, customer_id, currency, locale, subtotal, tax, total,"
    " amount_paid, tax_summary, seller, buyer, note, issued_on, due_on, created_at, issued_at,"
    " collection_paused",
    "billing_invoiceline": "id, invoice_id, position, subscription_id, kind, description, period_start,"
    " period_end, quantity, unit_amount, tax_inclusive, tax_class, tax_name, rate_ppm, net, tax, gross",
    "billing_journalentry": "id, key, audit_event_id, customer_id, invoice_id, booked_at, booked_on",
    "billing_posting": "id, entry_id, account, currency, amount",
}
JOBS = (
    "INSERT INTO tenants_job (id, schema_name, name, args, key, state, attempts, run_at, last_error,"
    " created_at) SELECT id, current_user, 'billing.mail_invoice', args::jsonb, key, 'waiting', 0, now(), '',"
    " now() FROM unnest(%s::uuid[], %s::text[], %s::text[]) AS asked (id, args, key)"
)


def run(now: datetime) -> int:
    """Bill all that is due in the tenant entered, barely; returns the number of invoices."""
    done, previous, counted = 0, b"\0" * 32, 0
    while True:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(DUE, [date(2026, 12, 1), CHUNK])
            due = cursor.fetchall()
            if not due:
                return done
            cursor.execute(
                "INSERT INTO billing_numberseries AS s (key, last) VALUES ('FLOOR', %s)"
                " ON CONFLICT (key) DO UPDATE SET last = s.last + excluded.last RETURNING last",
                [len(due)],
            )
            first: int = cursor.fetchone()[0] - len(due)
            rows, jobs, previous = _rows(due, first, previous, counted, now)
            counted += len(due)
            for table, columns in COPIES.items():
                with cursor.copy(f"COPY {table} ({columns}) FROM STDIN") as copy:
                    for row in rows[table]:
                        copy.write_row(row)
            cursor.execute(JOBS, [list(column) for column in zip(*jobs, strict=True)])
            cursor.execute(
                "UPDATE billing_subscription SET next_due_on = %s, next_index = next_index + 1"
                " WHERE id = ANY(%s)",
                [NEXT, [row[0] for row in due]],
            )
        done += len(due)


def _rows(
    due: list[Any], first: int, previous: bytes, counted: int, now: datetime
) -> tuple[dict[str, list[tuple[Any, ...]]], list[tuple[UUID, str, str]], bytes]:
    rows: dict[str, list[tuple[Any, ...]]] = {table: [] for table in COPIES}
    jobs = []
    new = uuid_utils.compat.uuid7
    for position, (subscription, customer, amount, starts) in enumerate(due, 1):
        invoice, event, entry = new(), new(), new()
        tax = (amount * 19 + 50) // 100
        number = f"FLOOR-{first + position:06d}"
        details = json.dumps({"after": {"number": number, "total": amount + tax}})
        digest = hashlib.sha256(previous + details.encode()).digest()
        rows["audit_auditevent"].append(
            (event, 10**9 + counted + position, now, "invoice.issued", "system", "", "bench", "invoice",
             str(invoice), details, None, "", previous, digest)
        )  # fmt: skip
        previous = digest
        summary = json.dumps([{"name": "VAT", "rate_ppm": 190_000, "net": amount, "tax": tax}])
        rows["billing_invoice"].append(
            (invoice, number, "open", customer, "EUR", "en", amount, tax, amount + tax, 0, summary, SELLER,
             BUYER, "", TODAY, starts, now, now, False)
        )  # fmt: skip
        rows["billing_invoiceline"].append(
            (new(), invoice, 1, subscription, "recurring", "Hosting", starts, NEXT, 1, amount, False,
             "standard", "VAT", 190_000, amount, tax, amount + tax)
        )  # fmt: skip
        rows["billing_journalentry"].append(
            (entry, f"invoice:{invoice}:issued", event, customer, invoice, now, TODAY)
        )
        sides = (("receivable", amount + tax), ("revenue", -amount), ("tax", -tax))
        rows["billing_posting"].extend((new(), entry, account, "EUR", side) for account, side in sides)
        jobs.append((new(), json.dumps({"invoice_id": str(invoice)}), f"mail:{invoice}"))
    return rows, jobs, previous
