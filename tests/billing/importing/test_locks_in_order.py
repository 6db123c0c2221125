"""An import takes the audit chain's head last: who settles a payment meanwhile never waits in a circle."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.db import connection, transaction

from accounts.customers import create_customer
from accounts.models import Customer
from audit.actors import Actor
from audit.models import AuditEvent, ChainHead
from audit.verifying import verify
from billing import collecting, drafting, issuing, payments
from billing.errors import Refused
from billing.importing import outcome as outcomes
from billing.importing.customers import import_customers
from billing.importing.files import import_files, preview
from billing.models import Invoice
from tenants.context import enter
from tests.billing.importing import files

NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
SYSTEM = Actor.system("tests")
# pg_locks and not pg_stat_activity, which shows a transaction the same all along.
BLOCKED = "SELECT count(*) FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY (pg_blocking_pids(pid))"


@pytest.fixture
def invoice(fresh_tenant: Any) -> Invoice:
    """An open invoice of C-1, who is known here already."""
    import_customers(files.customers(), actor=SYSTEM, now=NOW)
    someone = Customer.objects.get(external_id="C-1")
    lines = [{"description": "Migration", "amount": 9900}]
    draft = drafting.draft(someone, lines=lines, due_on=date(2026, 12, 7), actor=SYSTEM, now=NOW)
    return issuing.issue(draft, actor=SYSTEM, now=NOW)


def until_somebody_waits_for_us(finished: threading.Event) -> None:
    """Return once another connection waits for a lock that this one holds, or the other has finished."""
    until = time.monotonic() + 20
    while time.monotonic() < until and not finished.is_set():
        with connection.cursor() as cursor:
            cursor.execute(BLOCKED)
            if cursor.fetchone()[0]:
                return
        time.sleep(0.02)


def side_by_side(
    tenant: Any, hold: Callable[[], object], go_on: Callable[[], object], other: Callable[[], Any]
) -> Any:
    """Hold something in one transaction, let `other` run into it from another thread, go on; its answer."""
    held, finished = threading.Event(), threading.Event()

    def first() -> None:
        try:
            with enter(tenant), transaction.atomic():
                hold()
                held.set()
                until_somebody_waits_for_us(finished)
                go_on()
        finally:
            held.set()
            connection.close()

    def second() -> Any:
        try:
            assert held.wait(20)
            with enter(tenant):
                return other()
        finally:
            finished.set()
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        one, two = pool.submit(first), pool.submit(second)
        one.result(30)
        return two.result(30)


def test_a_preview_and_a_settlement_at_once(fresh_tenant: Any, invoice: Invoice) -> None:
    """The first file brings a customer, the second wants the one whose payment is being settled."""
    found = side_by_side(
        fresh_tenant,
        hold=lambda: collecting.lock_invoice(invoice.pk),
        go_on=lambda: payments.record_manual(
            invoice, amount=invoice.total, received_on=NOW.date(), actor=SYSTEM, now=NOW
        ),
        other=lambda: preview(
            files.customers({"external_id": "C-2"}), files.subscriptions(), actor=SYSTEM, now=NOW
        ),
    )
    assert (found.is_fine, found.customers.created, found.subscriptions.created) == (True, 1, 1)
    invoice.refresh_from_db()
    assert (invoice.status, Customer.objects.count()) == ("paid", 1)
    assert verify().problem is None


def test_an_import_and_somebody_who_makes_one_of_its_customers(
    fresh_tenant: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The import waits for the name that the other has taken, holding nothing that the other needs."""
    monkeypatch.setattr(outcomes, "BATCH", 1)
    place = {"name": "Ida", "email": "ida@holm.example", "country": "DE", "currency": "EUR"}
    theirs = Customer(external_id="C-2", created_at=NOW, **place)

    def other() -> str:
        with pytest.raises(Refused) as refused:
            import_customers(files.customers({}, {}), actor=SYSTEM, now=NOW)
        return str(refused.value)

    said = side_by_side(
        fresh_tenant,
        hold=lambda: theirs.save(force_insert=True),
        go_on=lambda: create_customer(actor=SYSTEM, now=NOW, **place),
        other=other,
    )
    assert "at this moment" in said
    assert set(Customer.objects.values_list("external_id", flat=True)) == {"C-2", None}
    assert verify().problem is None


def test_a_preview_leaves_the_chain_alone_and_an_import_writes_it_whole(fresh_tenant: Any) -> None:
    """What is taken back is not recorded, and so holds nobody up."""
    before = AuditEvent.objects.count()

    def pair() -> tuple[Any, Any]:
        return files.customers({}, {"external_id": "C-2"}), files.subscriptions()

    with transaction.atomic():
        ChainHead.objects.select_for_update().get()
        with ThreadPoolExecutor(1) as pool:
            assert pool.submit(_previewed, fresh_tenant, pair()).result(20).is_fine
    assert AuditEvent.objects.count() == before
    later = NOW + timedelta(minutes=1)
    import_files(*pair(), actor=SYSTEM, now=later)
    told = list(AuditEvent.objects.filter(at=later).order_by("seq").values_list("action", flat=True))
    assert told == [
        "customer.created", "customer.created", "import.done",
        "product.created", "price.created", "subscription.created", "import.done",
    ]  # fmt: skip


def _previewed(tenant: Any, given: tuple[Any, Any]) -> Any:
    try:
        with enter(tenant), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET LOCAL lock_timeout = '5s'")
            return preview(*given, actor=SYSTEM, now=NOW)
    finally:
        connection.close()
