"""Making a rehearsal tenant with customers and subscriptions, and living through its days."""

import io
import os
import sys
from datetime import UTC, date, datetime
from threading import Barrier, Thread
from typing import Any

from django.db import connection

from audit.actors import Actor
from billing import payments, rehearsal_setup, rehearsing
from billing.importing.files import import_files
from billing.periods import local_date, local_midnight
from billing.rehearsal_setup import Autopay
from billing.running import run_invoices
from tenants import clock
from tenants.context import enter
from tests.twins import make

SINCE, UNTIL = date(2026, 11, 16), date(2027, 3, 31)
SYSTEM = Actor.system("tests")


def new_tenant(customers: str, subscriptions: str, *, zone: str = "Europe/Berlin") -> Any:
    """A committed rehearsal tenant into which these CSV files were imported."""
    tenant = make(f"r{os.urandom(5).hex()}", name="Rehearsal", time_zone=zone, is_rehearsal=True)
    now = datetime(2026, 11, 15, 12, tzinfo=UTC)
    with enter(tenant):
        files = (io.BytesIO(text.encode()) for text in (customers, subscriptions))
        done = import_files(*files, actor=SYSTEM, now=now)
    assert done.is_fine and done.kept
    return tenant


def get_ready(tenant: Any, autopay: Autopay = "succeed") -> None:
    """Connect the stand-in and save everybody's card."""
    with enter(tenant):
        rehearsal_setup.connect(actor=SYSTEM, now=clock.now())
        list(rehearsal_setup.give_cards(autopay, actor=SYSTEM, now=clock.now()))


def live(tenant: Any, *, until: date, autopay: Autopay = "succeed") -> list[date]:
    """Live through all days; returns them."""
    get_ready(tenant, autopay)
    return [lived.day for lived in rehearsing.live(tenant, start=SINCE, until=until)]


def live_twice_at_once(tenant: Any, *, until: date) -> None:
    """Live through the same days in two threads that start each day's run, and its collecting, together."""
    get_ready(tenant)
    both = Barrier(2)
    failures: list[BaseException] = []

    def live_along() -> None:
        try:
            with enter(tenant):
                day = SINCE
                while day <= until:
                    now = local_midnight(day, tenant.zone) + rehearsing.HOUR_OF_DAY
                    both.wait(300)
                    run_invoices(actor=SYSTEM, now=now)
                    both.wait(300)
                    payments.collect_due(actor=SYSTEM, now=now)
                    both.wait(300)
                    rehearsing.live_one_day(tenant, day=day)
                    day += rehearsing.ONE_DAY
        except BaseException as failure:
            failures.append(failure)
            both.abort()
        finally:
            connection.close()

    threads = [Thread(target=live_along) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures


def command(tenant: Any, *, until: date, more: tuple[str, ...] = ()) -> list[str]:
    """The command line of the same."""
    days = ["--from", SINCE.isoformat(), "--until", until.isoformat()]
    rehearse = [sys.executable, "manage.py", "rehearse", "--tenant", tenant.slug]
    return [*rehearse, *days, "--autopay", "succeed", *more]


def day_of(tenant: Any, instant: datetime | None) -> date | None:
    return None if instant is None else local_date(instant, tenant.zone)
