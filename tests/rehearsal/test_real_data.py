"""503 real companies and 1,061 subscriptions over thirteen months; the oracle says what must come of it."""

from datetime import date
from typing import Any

import pytest
from django.db import connection

from tests.conftest import ROOT
from tests.rehearsal import oracle
from tests.rehearsal.living import SINCE, live, live_twice_at_once, new_tenant
from tests.rehearsal.state import assert_billed, assert_sound
from tests.rehearsal.test_killed import Rehearsal, kill_again_and_again, seeded

DATA = ROOT.parent / "shared" / "data"
UNTIL = date(2027, 12, 31)
KILLS = 25

pytestmark = [
    pytest.mark.long,
    pytest.mark.usefixtures("committed"),
    pytest.mark.skipif(not DATA.is_dir(), reason=f"no data in {DATA}"),
    pytest.mark.timeout(3600),
]


def read(name: str) -> str:
    return (DATA / f"{name}.csv").read_text(encoding="utf-8")


@pytest.fixture
def real(committed: None) -> Any:
    tenant = new_tenant(read("customers"), read("subscriptions"))
    connection.close()
    return tenant


def assert_right(tenant: Any) -> None:
    wanted = oracle.bills(read("subscriptions"), since=SINCE, until=UNTIL)
    assert {bill.currency for bill in wanted} == {"USD", "EUR", "JPY"}
    assert_billed(tenant, wanted)
    assert_sound(tenant)
    paid = [bill for bill in wanted if bill.paid_on]
    for currency in ("USD", "EUR", "JPY"):
        its = [bill for bill in paid if bill.currency == currency]
        periods = sum(len(bill.lines) for bill in its)
        print(f"{currency}: {periods} periods, {len(its)} invoices, {sum(bill.total for bill in its)} paid")


def test_thirteen_months_of_real_subscriptions(real: Any) -> None:
    days = live(real, until=UNTIL)
    assert (days[0], days[-1], len(days)) == (SINCE, UNTIL, (UNTIL - SINCE).days + 1)
    assert_right(real)


def test_thirteen_months_with_each_run_started_twice_at_once(real: Any) -> None:
    live_twice_at_once(real, until=UNTIL)
    assert_right(real)


def test_thirteen_months_killed_again_and_again(real: Any) -> None:
    kill_again_and_again(real, until=UNTIL, kills=KILLS, span=15, chance=seeded())
    Rehearsal(real, until=UNTIL).finish(3000)
    assert_right(real)
