"""A run's cost an invoice does not grow with the invoices that are there."""

from datetime import datetime
from typing import Any

import pytest
from django.db import connection

from billing import due, running
from tests.billing.invoicing import making

CHUNK, CHUNKS = 20, 20
READ = "SELECT seq_tup_read FROM pg_stat_xact_user_tables WHERE relid = 'billing_invoice'::regclass"


def test_no_chunk_reads_the_invoices_of_those_before(
    tenant: Any, actor: Any, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(due, "CHUNK", CHUNK)
    making.vat()
    price = making.price()
    first, second = (_bill(price, actor, now) for _ in "12")
    assert second <= CHUNK * CHUNKS, f"{second} invoices were read one by one, and {first} in the run before"


def _bill(price: Any, actor: Any, now: datetime) -> int:
    """Bill as many customers as fill the chunks; return how many invoices were read without an index."""
    for _ in range(CHUNK * CHUNKS):
        making.subscription(at=price)
    before = _read()
    assert running.run_invoices(actor=actor, now=now).invoices == CHUNK * CHUNKS
    return _read() - before


def _read() -> int:
    with connection.cursor() as cursor:
        cursor.execute(READ)
        return int(cursor.fetchone()[0])
