"""What a rehearsal came to: invoices, payments and sums per currency. Reads only."""

from typing import Any

from django.db import connection

_INVOICES = (
    "SELECT currency, count(*), count(*) FILTER (WHERE status = 'paid'), coalesce(sum(total), 0)::bigint,"
    " coalesce(sum(amount_paid), 0)::bigint"
    " FROM billing_invoice WHERE status <> 'draft' GROUP BY currency ORDER BY 1"
)
_PAYMENTS = "SELECT state, count(*) FROM billing_payment GROUP BY state ORDER BY 1"
_LEDGER = "SELECT currency, account, sum(amount)::bigint FROM billing_posting GROUP BY 1, 2 ORDER BY 1, 2"


def report() -> dict[str, Any]:
    """Return the figures of the tenant entered; amounts in minor units."""
    with connection.cursor() as cursor:
        cursor.execute(_INVOICES)
        invoices = {
            row[0]: {"issued": row[1], "paid": row[2], "total": row[3], "collected": row[4]}
            for row in cursor.fetchall()
        }
        cursor.execute(_PAYMENTS)
        payments = dict(cursor.fetchall())
        cursor.execute(_LEDGER)
        ledger: dict[str, dict[str, int]] = {}
        for currency, account, amount in cursor.fetchall():
            ledger.setdefault(currency, {})[account] = amount
    balance = {currency: sum(accounts.values()) for currency, accounts in ledger.items()}
    return {"invoices": invoices, "payments": payments, "ledger": ledger, "ledger_sum": balance}
