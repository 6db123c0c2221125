"""A browser in which a contact of a customer of `alpha` is logged in."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from tenants import clock
from tests.billing.portal import making
from tests.billing.portal.making import Account
from tests.logging_in import enter


@pytest.fixture(autouse=True)
def today(monkeypatch: pytest.MonkeyPatch, now: datetime) -> None:
    """The edges' clock stands at the instant that tests live in."""
    monkeypatch.setattr(clock, "now", lambda: now)


@pytest.fixture
def lind(tenant: Any) -> Account:
    """A customer with a contact."""
    return making.account()


@pytest.fixture
def browser() -> Callable[..., Client]:
    """Make a browser on a tenant's host, logged in as the user given."""

    def make(user: User | None = None, slug: str = "alpha", **options: Any) -> Client:
        client = Client(HTTP_HOST=f"{slug}.localhost", **options)
        if user is not None:
            enter(client, user)
        return client

    return make


@pytest.fixture
def page(lind: Account, browser: Callable[..., Client]) -> Client:
    """The browser of the customer's contact."""
    return browser(lind.user)


def text(answer: Any) -> str:
    """The page's words without markup, spaces made one."""
    import re
    from html import unescape

    body = re.sub(r"<(script|style|title)\b.*?</\1>", " ", answer.content.decode(), flags=re.S)
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", body)).split())
