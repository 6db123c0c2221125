"""Proving the books by queries that share nothing with the code that wrote them. Reads only."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.db import connection, transaction

from billing.ledger_proofs import PROOFS

SHOWN: Final = 10

_FIGURES = """
SELECT currency, name, sum(amount)::bigint FROM (
    SELECT currency, 'invoices issued' AS name, count(*) AS amount FROM billing_invoice
        WHERE status <> 'draft' GROUP BY currency
    UNION ALL SELECT currency, 'billed', sum(total) FROM billing_invoice
        WHERE status IN ('open', 'paid') GROUP BY currency
    UNION ALL SELECT currency, 'paid', sum(amount_paid) FROM billing_invoice
        WHERE status IN ('open', 'paid') GROUP BY currency
    UNION ALL SELECT currency, 'outstanding', sum(total - amount_paid) FROM billing_invoice
        WHERE status IN ('open', 'paid') GROUP BY currency
    UNION ALL SELECT currency, 'ledger ' || account, sum(amount) FROM billing_posting
        GROUP BY currency, account
    UNION ALL SELECT currency, 'ledger sum', sum(amount) FROM billing_posting GROUP BY currency
) figures GROUP BY currency, name ORDER BY currency, name
"""


@dataclass(frozen=True, slots=True)
class Finding:
    """A difference: which proof failed, how often, and the first cases."""

    what: str
    count: int
    detail: str


@dataclass(frozen=True, slots=True)
class Report:
    """What was checked. `figures` are minor units (and one count) by currency and name."""

    figures: Mapping[str, Mapping[str, int]]
    proofs: int
    findings: Sequence[Finding]

    @property
    def is_whole(self) -> bool:
        return not self.findings


def check() -> Report:
    """Recompute everything in the tenant entered, as of one instant, and say what differs."""
    nested = connection.in_atomic_block
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")  # the tenant's role is taken before the snapshot is
    with transaction.atomic(), connection.cursor() as cursor:
        if not nested:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        findings = [finding for name, sql in PROOFS.items() if (finding := _prove(cursor, name, sql))]
        cursor.execute(_FIGURES)
        figures: dict[str, dict[str, int]] = {}
        for currency, name, amount in cursor.fetchall():
            figures.setdefault(currency, {})[name] = amount
    return Report(figures, len(PROOFS), findings)


def _prove(cursor: Any, name: str, sql: str) -> Finding | None:
    cursor.execute(f"SELECT detail, count(*) OVER () FROM ({sql}) found (detail) ORDER BY 1 LIMIT {SHOWN}")
    rows = cursor.fetchall()
    return Finding(name, rows[0][1], "; ".join(row[0] for row in rows)) if rows else None
