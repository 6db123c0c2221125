"""Every kind of user there is, and their browsers."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from accounts.grants import Grant
from accounts.models import User
from accounts.people import add_contact, create_user
from tenants.context import enter, enter_public
from tests.accounts.conftest import PASSWORD, browser, people
from tests.accounts.factors import SETUP
from tests.billing.portal import making

__all__ = ["browser", "people"]
KINDS = ["platform staff", "owner", "tenant staff", "customer", "contact"]


@pytest.fixture(params=KINDS)
def anyone(request: pytest.FixtureRequest, tenant: Any, now: datetime) -> tuple[User, Client, Any]:
    """Somebody of each kind, a browser on their host, and the schema that they are in."""
    if request.param == "platform staff":
        with enter_public():
            user = create_user(
                email="robin@pro.example",
                name="Robin",
                role="platform",
                password=PASSWORD,
                actor=SETUP,
                now=now,
            )
        return user, Client(HTTP_HOST=settings.SITE_HOST), enter_public
    client = Client(HTTP_HOST="alpha.localhost")
    inside: Callable[[], Any] = lambda: enter(tenant)  # noqa: E731
    if request.param in {"owner", "tenant staff"}:
        role = "owner" if request.param == "owner" else "support"
        return making.person("nora@lind.example", role), client, inside
    account = making.account()
    if request.param == "customer":
        return account.user, client, inside
    sub = making.person("sub@lind.example")
    add_contact(sub, account.customer, grant=Grant.of(["invoices"]), actor=SETUP, now=now)
    return sub, client, inside
