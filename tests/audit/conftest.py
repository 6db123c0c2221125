"""A database of its own for whoever falls upon the record."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import connection

from audit.actions import Action
from tenants import checkpointing
from tenants.context import enter
from tenants.directory import tenant_of_slug
from tests.audit.alphas import CHECKPOINTS, LONG_AGO, add, found
from tests.audit.own_database import Own, own_database
from tests.conftest import NOW


@pytest.fixture(scope="module")
def history(django_db_setup: None, django_db_blocker: Any) -> Iterator[Own]:
    """Alpha's record over two years, three checkpoints, all of them outside as well."""
    with django_db_blocker.unblock(), own_database() as own, enter(tenant_of_slug("alpha")):
        for number in range(5):
            add(LONG_AGO, n=number)
        add(LONG_AGO, action=Action.INVOICE_ISSUED, n=5)
        checkpointing.take(now=CHECKPOINTS[0])
        for number in range(3):
            add(datetime(2026, 10, 2 + number, tzinfo=UTC), n=number)
        checkpointing.take(now=CHECKPOINTS[1])
        for number in range(3):
            add(datetime(2026, 11, 10, tzinfo=UTC), n=number)
        checkpointing.take(now=CHECKPOINTS[2])
        assert checkpointing.store_waiting(now=NOW) == 3
        own.save()
        with enter(tenant_of_slug("alpha")):
            assert found() == []
        yield own
        connection.close()


@pytest.fixture
def own(history: Own, django_db_blocker: Any) -> Iterator[Own]:
    with django_db_blocker.unblock(), enter(tenant_of_slug("alpha")):
        yield history
        connection.close()
        history.restore()
