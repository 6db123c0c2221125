"""Who attacks and who is attacked: browsers of strangers and of people, and mails as they leave."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from django.test import Client

from accounts import jobs, one_time
from accounts.models import User
from tests import logging_in
from tests.accounts.conftest import browser, member, people

__all__ = ["browser", "member", "people"]


@pytest.fixture
def inside() -> Callable[..., Client]:
    """Make a browser on a tenant's host in which this person of the schema entered is logged in."""

    def make(user: User, slug: str = "alpha", **options: Any) -> Client:
        client = Client(HTTP_HOST=f"{slug}.localhost", **options)
        logging_in.enter(client, user)
        return client

    return make


@pytest.fixture
def mails(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, Any]]:
    """Whom the accounts' mails would go to, and what they say; the jobs are done by whoever asks."""
    sent: list[tuple[str, Any]] = []
    monkeypatch.setattr(jobs, "send", lambda mail, *, to: sent.append((to, mail)))
    return sent


def link_in(text: str) -> str:
    """The first address in a mail."""
    found = re.search(r"https?://\S+", text)
    assert found is not None
    return found.group(0)


def at_step(seconds: int = 3) -> datetime:
    """An instant that far into the present time step of authenticator apps."""
    return datetime.fromtimestamp(one_time.step_at(datetime.now(UTC)) * 30 + seconds, UTC)
