"""Imports at the same moment make one set of rows; a batch costs the same queries whatever its size."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import Customer
from audit.actors import Actor
from audit.verifying import verify
from billing.importing import outcome as outcomes
from billing.importing.customers import import_customers
from billing.importing.files import Imported, import_files
from billing.importing.subscriptions import import_subscriptions
from billing.models import Price, Product, Subscription
from tenants.context import enter
from tests.billing.importing import files

NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
SYSTEM = Actor.system("tests")
COUNT = 120


def of_customers(*, backwards: bool = False) -> Any:
    numbers = range(COUNT, 0, -1) if backwards else range(1, COUNT + 1)
    return files.customers(*({"external_id": f"C-{n}"} for n in numbers))


def of_subscriptions(*, backwards: bool = False) -> Any:
    numbers = range(COUNT, 0, -1) if backwards else range(1, COUNT + 1)
    rows = (
        {"external_id": f"S-{n}", "customer_external_id": f"C-{n}", "product_code": f"p-{n % 7}"}
        for n in numbers
    )
    return files.subscriptions(*rows)


def test_imports_at_once_make_one_set_of_rows(fresh_tenant: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outcomes, "BATCH", 10)

    def bring(number: int) -> Imported:
        odd = bool(number % 2)
        try:
            with enter(fresh_tenant):
                return import_files(
                    of_customers(backwards=odd), of_subscriptions(backwards=odd), actor=SYSTEM, now=NOW
                )
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        done = list(pool.map(bring, range(4)))
    assert all(each.is_fine for each in done)
    assert sum(each.customers.created for each in done if each.customers) == COUNT
    assert sum(each.subscriptions.created for each in done if each.subscriptions) == COUNT
    assert (Customer.objects.count(), Subscription.objects.count()) == (COUNT, COUNT)
    assert (Product.objects.count(), Price.objects.count(), verify().problem) == (7, 7, None)
    fresh_tenant.refresh_from_db()
    assert fresh_tenant.next_run_at == NOW
    assert set(Subscription.objects.values_list("next_due_on", flat=True)) == {date(2026, 11, 30)}


def queries(batch: int, monkeypatch: pytest.MonkeyPatch, *, changed: bool) -> int:
    monkeypatch.setattr(outcomes, "BATCH", batch)
    change = {"city": f"City {batch}"} if changed else {}
    rows = [{"external_id": f"C-{n}", **change} for n in range(1, COUNT + 1)]
    more = {"quantity": str(batch)} if changed else {}
    agreed = [
        {"external_id": f"S-{n}", "customer_external_id": f"C-{n}", **more} for n in range(1, COUNT + 1)
    ]
    with CaptureQueriesContext(connection) as captured:
        assert import_customers(files.customers(*rows), actor=SYSTEM, now=NOW, dry_run=not changed).is_fine
        if changed:
            assert import_subscriptions(files.subscriptions(*agreed), actor=SYSTEM, now=NOW).is_fine
    return len(captured)


@pytest.mark.parametrize("changed", [False, True])
def test_a_batch_costs_the_same_queries_whatever_its_size(
    tenant: Any, monkeypatch: pytest.MonkeyPatch, changed: bool
) -> None:
    if changed:
        import_files(of_customers(), of_subscriptions(), actor=SYSTEM, now=NOW)
        queries(120, monkeypatch, changed=True)  # makes the product that the others find
        import_files(of_customers(), of_subscriptions(), actor=SYSTEM, now=NOW)
    few, more, most = (queries(size, monkeypatch, changed=changed) for size in (120, 60, 40))
    assert most - more == more - few
    assert few < 30
