"""One rehearsal of the small book, lived through without trouble: what all others are held against."""

from typing import Any

import pytest
from django.db import connection

from tests.rehearsal import samples


@pytest.fixture(scope="session")
def undisturbed(django_db_setup: None, django_db_blocker: Any) -> Any:
    """The tenant that lived from `SINCE` to `UNTIL` with autopay; only to be read."""
    from tests.rehearsal.living import UNTIL, live, new_tenant

    with django_db_blocker.unblock():
        tenant = new_tenant(samples.customers(), samples.subscriptions())
        live(tenant, until=UNTIL)
        connection.close()
    return tenant


@pytest.fixture
def newcomer(committed: None) -> Any:
    """A tenant with the same customers and subscriptions, its time still ahead."""
    from tests.rehearsal.living import new_tenant

    return new_tenant(samples.customers(), samples.subscriptions())
