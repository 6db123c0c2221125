"""A connected tenant of its own for each test."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.billing.payments import standin


@pytest.fixture
def now() -> datetime:
    """The real time: Stripe's stand-in lives in it too."""
    return datetime.now(UTC) + timedelta(seconds=1)


@pytest.fixture
def shop(fresh_tenant: Any, now: datetime) -> Any:
    """A committed tenant with a Stripe account of its own, entered; webhooks held back by the stand-in."""
    connection = standin.connect(now)
    standin.control("fault", kind="drop_events", account=connection.account_id)
    return fresh_tenant


@pytest.fixture
def customer(shop: Any, now: datetime) -> Any:
    return standin.make_customer(now)


@pytest.fixture
def invoice(customer: Any, now: datetime) -> Any:
    return standin.make_invoice(customer, now)
