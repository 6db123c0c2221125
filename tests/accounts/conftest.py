"""People who log in, and browsers on the hosts of tenants."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from accounts.people import create_user
from accounts.portal import email_pages
from audit.models import AuditEvent
from tenants.throttling import Rule

PASSWORD = "four words of a garden"


@pytest.fixture
def browser() -> Callable[..., Client]:
    """Make a browser on a tenant's host."""

    def make(slug: str = "alpha", **options: Any) -> Client:
        return Client(HTTP_HOST=f"{slug}.localhost", **options)

    return make


@pytest.fixture
def people(actor: Any, now: datetime) -> Callable[..., User]:
    """Make users in the tenant that is entered."""

    def make(email: str = "nora@lind.example", role: str = User.Role.OWNER, **more: Any) -> User:
        values = {"name": "Nora Lind", "password": PASSWORD} | more
        return create_user(email=email, role=role, actor=actor, now=now, **values)

    return make


@pytest.fixture
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    """Addresses are changed as often as a test needs: people may ask for it twice a day."""
    monkeypatch.setattr(email_pages, "EMAIL_CHANGE", Rule("change of address"))


@pytest.fixture
def member(fresh_tenant: Any, actor: Any, now: datetime) -> User:
    """Somebody whom other connections see as well."""
    return create_user(
        email="nora@lind.example", name="Nora", role="owner", password=PASSWORD, actor=actor, now=now
    )


def log_in(client: Client, email: str = "nora@lind.example", password: str = PASSWORD, **more: str) -> Any:
    return client.post("/log-in/", {"email": email, "password": password, **more})


def actions() -> list[str]:
    return list(AuditEvent.objects.order_by("seq").values_list("action", flat=True))
