"""Making a rehearsal tenant with customers and subscriptions, and living through its days."""

import io
import os
import sys
from datetime import UTC, date, datetime
from typing import Any

from audit.actors import Actor
from billing import rehearsal_setup, rehearsing
from billing.importing.files import import_files
from billing.periods import local_date
from billing.rehearsal_setup import Autopay
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


def command(tenant: Any, *, until: date, more: tuple[str, ...] = ()) -> list[str]:
    """The command line of the same."""
    days = ["--from", SINCE.isoformat(), "--until", until.isoformat()]
    rehearse = [sys.executable, "manage.py", "rehearse", "--tenant", tenant.slug]
    return [*rehearse, *days, "--autopay", "succeed", *more]


def day_of(tenant: Any, instant: datetime | None) -> date | None:
    return None if instant is None else local_date(instant, tenant.zone)
