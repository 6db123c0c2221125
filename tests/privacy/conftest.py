"""Tenants with customers who know their rights, and what happens to their data."""

from collections.abc import Callable
from typing import Any

import pytest

from tenants.context import current_schema, enter_public
from tenants.models import Job
from tenants.working import work_off
from tests.accounts.conftest import browser, people
from tests.billing.portal import making

__all__ = ["browser", "people"]


@pytest.fixture
def account(fresh_tenant: Any) -> making.Account:
    """A customer whose person decides about privacy, committed, in a tenant of its own."""
    return making.account()


@pytest.fixture
def work(fresh_tenant: Any) -> Callable[..., int]:
    """Do the tenant's jobs that are due, with those that they ask for in turn."""

    def run(now: Any = None) -> int:
        from tenants import clock

        done = 0
        for _ in range(10):
            at = now or clock.now()
            with enter_public():
                ids = list(
                    Job.objects.filter(schema_name=schema, state="waiting", run_at__lte=at).values_list(
                        "id", flat=True
                    )
                )
            if not ids:
                break
            done += work_off(ids, now=at)
        return done

    schema = current_schema()
    return run
