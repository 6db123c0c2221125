"""A line that comes while its invoice is being issued, on another connection, waits and is refused."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, date, datetime
from typing import Any

import pytest
from django.db import Error, connection, transaction

from audit.actors import Actor
from billing import drafting, issuing
from billing.models import Invoice, InvoiceLine
from tenants.context import enter
from tests.billing.invoicing import making

NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
SYSTEM = Actor.system("tests")
# pg_locks and not pg_stat_activity, which shows a transaction the same all along.
WAITING = "SELECT count(*) FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY (pg_blocking_pids(pid))"


def drafted(amount: int) -> Invoice:
    lines = [{"description": "Migration", "amount": amount}]
    return drafting.draft(making.customer(), lines=lines, due_on=date(2026, 12, 7), actor=SYSTEM, now=NOW)


def moved(draft: Invoice, other: Invoice) -> None:
    InvoiceLine.objects.filter(invoice=other).update(invoice=draft, position=99)


def added(draft: Invoice, other: Invoice) -> None:
    line = InvoiceLine(invoice=draft, position=99, description="More", unit_amount=0, net=0, tax=0, gross=0)
    line.save(force_insert=True)


def once_somebody_waits(other: Future[None]) -> bool:
    """Whether another connection waits for this transaction, rather than going on beside it."""
    until = time.monotonic() + 20
    while time.monotonic() < until and not other.done():
        with connection.cursor() as cursor:
            cursor.execute(WAITING)
            if cursor.fetchone()[0]:
                return True
        time.sleep(0.02)
    return False


# A line of nothing changes no sum: nothing but these guards would notice it.
@pytest.mark.parametrize("amount", [9900, 0])
@pytest.mark.parametrize("bring", [moved, added])
@pytest.mark.parametrize("issued_already", [True, False])
def test_no_line_slips_onto_an_invoice_being_issued(
    fresh_tenant: Any, bring: Callable[[Invoice, Invoice], None], amount: int, issued_already: bool
) -> None:
    draft, other = drafted(9900), drafted(amount)
    held = threading.Event()

    def meanwhile() -> None:
        try:
            assert held.wait(20)
            with enter(fresh_tenant), transaction.atomic():
                bring(draft, other)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        second = pool.submit(meanwhile)
        try:
            with transaction.atomic():
                if issued_already:
                    issuing.issue(draft, actor=SYSTEM, now=NOW)
                else:
                    drafting.lock_draft(draft.pk)
                held.set()
                waits = once_somebody_waits(second)
                issuing.issue(draft, actor=SYSTEM, now=NOW) if not issued_already else None
        finally:
            held.set()
        with pytest.raises(Error, match="issued invoice"):
            second.result(20)
    assert waits
    assert list(InvoiceLine.objects.filter(invoice=draft).values_list("gross", flat=True)) == [9900]
    assert InvoiceLine.objects.filter(invoice=other).count() == 1
