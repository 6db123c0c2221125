"""503 companies and their 1,061 subscriptions, as they came from elsewhere; skipped without the files."""

from collections import Counter
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest

from accounts.models import Customer
from audit.verifying import verify
from billing.importing.files import import_files
from billing.models import Subscription
from billing.periods import Cycle, local_midnight, period
from tenants.models import Tenant

DATA = Path(__file__).resolve().parents[4] / "shared" / "data"
FILES = (DATA / "customers.csv", DATA / "subscriptions.csv")

pytestmark = pytest.mark.skipif(not all(path.exists() for path in FILES), reason="the files are not here")


def test_real_files_come_whole_and_change_nothing_again(tenant: Any, actor: Any, now: datetime) -> None:
    with FILES[0].open("rb") as customers, FILES[1].open("rb") as subscriptions:
        done = import_files(customers, subscriptions, actor=actor, now=now)
        assert done.customers and done.subscriptions
        assert (done.customers.created, done.subscriptions.created) == (503, 1061)
        assert (done.is_fine, done.subscriptions.warning_count) == (True, 0)
        again = import_files(customers, subscriptions, actor=actor, now=now)
        assert again.customers and again.subscriptions
        assert (again.customers.unchanged, again.subscriptions.unchanged) == (503, 1061)
    assert (Customer.objects.count(), Subscription.objects.count()) == (503, 1061)
    assert verify().problem is None
    days: Counter[int] = Counter()
    for each in Subscription.objects.select_related("price"):
        assert period(each.anchored_on, Cycle(each.price.cycle), each.next_index).start == each.next_due_on
        assert each.anchored_on == each.started_on
        days[each.anchored_on.day] += 1
    assert days[29] + days[30] + days[31] > 50
    first = min(day for day in Subscription.objects.values_list("next_due_on", flat=True) if day)
    assert first == date(2026, 12, 1)
    planned = local_midnight(date(2026, 11, 17), tenant.zone)
    assert Tenant.objects.get().next_run_at == max(planned, now)
