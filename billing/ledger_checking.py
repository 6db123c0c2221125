"""Proving the books by queries that share nothing with the code that wrote them. Reads only."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.db import connection, transaction

from billing import numbering
from billing.ledger_proofs import PROOFS
from billing.models import BillingSettings

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
_COUNTED = "SELECT coalesce((SELECT sum(last) FROM billing_numberseries), 0)::bigint"
_NUMBERS = "SELECT number FROM billing_invoice WHERE number IS NOT NULL ORDER BY number"


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
        findings.extend(_prove_numbers(cursor))
        cursor.execute(_FIGURES)
        figures: dict[str, dict[str, int]] = {}
        for currency, name, amount in cursor.fetchall():
            figures.setdefault(currency, {})[name] = amount
    return Report(figures, len(PROOFS) + 1, findings)


def _prove(cursor: Any, name: str, sql: str) -> Finding | None:
    cursor.execute(f"SELECT detail, count(*) OVER () FROM ({sql}) found (detail) ORDER BY 1 LIMIT {SHOWN}")
    rows = cursor.fetchall()
    return Finding(name, rows[0][1], "; ".join(row[0] for row in rows)) if rows else None


def _prove_numbers(cursor: Any) -> list[Finding]:
    """Numbers are without gap: as many invoices as were counted, and none missing among those of a format."""
    cursor.execute(_COUNTED)
    counted: int = cursor.fetchone()[0]
    cursor.execute(_NUMBERS)
    numbers = [row[0] for row in cursor.fetchall()]
    template = BillingSettings.objects.values_list("number_format", flat=True).get()
    series, strange = _by_series(numbers, _reader(template))
    holes: list[str] = []
    for name, found in sorted(series.items()):
        missing = sorted(set(range(min(found), max(found) + 1)).difference(found))
        holes.extend(f"{name}: {n} is missing" for n in missing[:SHOWN])
    findings = []
    if counted != len(numbers):
        holes.insert(0, f"{counted} numbers were drawn, {len(numbers)} invoices bear one")
        findings.append(Finding("numbers without gap", abs(counted - len(numbers)), "; ".join(holes)))
    elif holes and not strange:  # where the format was changed, its numbers go on under another one
        findings.append(Finding("numbers without gap", len(holes), "; ".join(holes)))
    return findings


def _reader(template: str) -> Callable[[str], tuple[str, int] | None]:
    patterns = {"prefix": r"[A-Za-z0-9._-]{1,20}?", "year": r"\d{4}", "month": r"\d{2}"}
    pattern = "".join(
        re.escape(part.text)
        if part.name == "literal"
        else f"(?P<n>[0-9]{{{max(part.width, 1)},}})"
        if part.name == "n"
        else f"(?P<{part.name}>{patterns[part.name]})"
        for part in numbering.parse(template).parts
    )
    compiled = re.compile(pattern)

    def read(number: str) -> tuple[str, int] | None:
        match = compiled.fullmatch(number)
        if match is None:
            return None
        groups = match.groupdict()
        return f"{groups.get('prefix', '')}/{groups.get('year', '')}", int(groups["n"])

    return read


def _by_series(
    numbers: Sequence[str], read: Callable[[str], tuple[str, int] | None]
) -> tuple[dict[str, list[int]], int]:
    series: dict[str, list[int]] = {}
    strange = 0
    for number in numbers:
        if (parsed := read(number)) is None:
            strange += 1
        else:
            series.setdefault(parsed[0], []).append(parsed[1])
    return series, strange
