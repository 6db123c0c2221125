"""Runs in parallel, killed and started again end where one quiet run ends."""

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from typing import Any

import pytest
from django.db import connection

from audit.actors import Actor
from audit.verifying import verify
from billing import due
from billing.ledger_checking import check
from billing.models import Invoice, InvoiceLine, JournalEntry, Subscription
from billing.running import run_invoices
from tenants.context import enter
from tenants.models import Job, Tenant
from tests.billing.invoicing import making

NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
SYSTEM = Actor.system("tests")


def fill(customers: int) -> None:
    """Customers with three subscriptions each: two of one day, one of which missed a month, and another."""
    making.vat()
    price, yen = making.price(995), making.price(1200, currency="JPY")
    for _ in range(customers):
        someone = making.customer()
        making.subscription(someone, price)
        making.subscription(someone, price, due=date(2026, 11, 1))
        making.subscription(someone, yen, due=date(2026, 12, 7))


def expect_whole(customers: int) -> None:
    """The state after any number of runs over `fill`, however they went."""
    shapes = Counter(
        (invoice.currency, invoice.total, invoice.lines.count())
        for invoice in Invoice.objects.prefetch_related("lines")
    )
    assert shapes == {
        ("EUR", 2368, 2): customers,  # 1 December: both subscriptions on one invoice
        ("EUR", 1184, 1): customers,  # 1 November, missed
        ("JPY", 1428, 1): customers,
    }
    numbers = sorted(str(number) for number in Invoice.objects.values_list("number", flat=True))
    prefix = numbers[0].rsplit("-", 1)[0]
    assert numbers == [f"{prefix}-{n:06d}" for n in range(1, 3 * customers + 1)]
    assert JournalEntry.objects.count() == 3 * customers
    assert Job.objects.filter(name="billing.mail_invoice").count() == 3 * customers
    assert InvoiceLine.objects.count() == 4 * customers
    assert set(Subscription.objects.values_list("next_due_on", flat=True)) == {
        date(2027, 1, 1),
        date(2027, 1, 7),
    }
    assert (check().findings, verify().problem) == ([], None)


def run_in_thread(tenant: Any) -> int:
    try:
        with enter(tenant):
            return run_invoices(actor=SYSTEM, now=NOW).invoices
    finally:
        connection.close()


def test_eight_runs_at_once_bill_each_period_once(fresh_tenant: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(due, "CHUNK", 12)
    fill(60)
    with ThreadPoolExecutor(8) as pool:
        counts = list(pool.map(run_in_thread, [fresh_tenant] * 8))
    assert sum(counts) == 180
    expect_whole(60)


def test_a_run_waits_for_a_customer_that_is_being_changed_and_bills_it_too(fresh_tenant: Any) -> None:
    fill(2)
    held = Subscription.objects.values_list("customer_id", flat=True).first()
    with ThreadPoolExecutor(1) as pool:
        from django.db import transaction

        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute("SELECT 1 FROM accounts_customer WHERE id = %s FOR NO KEY UPDATE", [held])
            other = pool.submit(run_in_thread, fresh_tenant)
            time.sleep(0.5)
        assert other.result(timeout=30) == 6
    expect_whole(2)


KILLED = """
import os, sys, django
django.setup()
from datetime import UTC, datetime
from audit.actors import Actor
from billing import due, running, writing
from tenants.context import enter
from tenants.directory import tenant_of_slug
due.CHUNK = 12
step, at = sys.argv[2], int(sys.argv[3])
module = {"replan": running.planning, "enqueue_many": writing, "record_many": writing, "write": writing}[step]
real, count = getattr(module, step), 0
def dying(*args, **kwargs):
    global count
    count += 1
    if count == at:
        os.kill(os.getpid(), 9)
    return real(*args, **kwargs)
setattr(module, step, dying)
with enter(tenant_of_slug(sys.argv[1])):
    running.run_invoices(actor=Actor.system("killed"), now=datetime(2026, 11, 23, 9, 30, tzinfo=UTC))
"""


@pytest.mark.parametrize(
    ("step", "at"), [("record_many", 1), ("enqueue_many", 3), ("write", 4), ("replan", 1)]
)
def test_a_run_that_is_killed_goes_on_where_it_was(fresh_tenant: Any, step: str, at: int) -> None:
    fill(20)
    killed = subprocess.run(
        [sys.executable, "-c", KILLED, fresh_tenant.slug, step, str(at)],
        env=os.environ | {"DJANGO_SETTINGS_MODULE": "proecommerce.settings"},
        check=False,
    )
    assert killed.returncode == -signal.SIGKILL
    run_invoices(actor=SYSTEM, now=NOW)
    expect_whole(20)


def test_runs_killed_at_random_and_again_and_again_lose_and_double_nothing(fresh_tenant: Any) -> None:
    fill(120)
    command = [
        sys.executable,
        "manage.py",
        "run_invoices",
        "--tenant",
        fresh_tenant.slug,
        "--now",
        NOW.isoformat(),
    ]
    for wait in (1.2, 1.5, 1.8):
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(wait)
        process.kill()
        process.wait()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    expect_whole(120)


def test_a_change_during_the_last_chunk_is_planned_for(fresh_tenant: Any, monkeypatch: Any) -> None:
    from billing import planning, subscribing

    fill(1)
    real = planning.replan

    def subscribe_first(*, now: datetime) -> Any:
        monkeypatch.setattr(planning, "replan", real)
        subscribing.subscribe(
            making.customer(), price=making.price(), started_on=date(2026, 11, 20), actor=SYSTEM, now=now
        )
        return real(now=now)

    monkeypatch.setattr(planning, "replan", subscribe_first)
    run_invoices(actor=SYSTEM, now=NOW)
    assert Tenant.objects.get().next_run_at == NOW
