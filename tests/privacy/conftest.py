"""A mailbox of our own, people whose data is held, and the jobs that are done for them."""

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from accounts.models import User
from accounts.people import create_user
from privacy.staffing import Colleague
from tenants import clock
from tenants.context import current_schema, enter, enter_public
from tenants.models import Job
from tenants.working import work_off
from tests import logging_in
from tests.accounts.conftest import browser, people
from tests.billing.portal import making
from tests.privacy.mails import OURS, Box

__all__ = ["browser", "people"]


@pytest.fixture
def alpha(two_tenants: tuple[Any, Any]) -> Any:
    """The tenant alpha, not entered."""
    return two_tenants[0]


@pytest.fixture
def platform(db: None) -> Iterator[None]:
    """The platform's schema, entered; all is rolled back."""
    with enter_public():
        yield


@pytest.fixture
def box(platform: None, monkeypatch: pytest.MonkeyPatch, settings: Any, now: datetime) -> Iterator[Box]:
    """An empty folder, which the product is told to read, at the instant that tests live in."""
    made = Box()
    made.make()
    monkeypatch.setattr(clock, "now", lambda: now)
    settings.PRIVACY_IMAP_URL, settings.MAIL_AUTHSERV_ID = made.url, OURS
    yield made
    client = made.client()
    client.delete(made.folder)
    client.logout()


@pytest.fixture
def ida(alpha: Any) -> making.Account:
    """A customer of alpha who logs in with her own address."""
    with enter(alpha):
        return making.account("ida@holm.example", name="Ida Holm", business_name="Canary Holm")


@pytest.fixture
def robin(db: None, actor: Any, now: datetime) -> User:
    """Somebody of the platform's staff."""
    with enter_public():
        return create_user(
            email="robin@pro.example", name="Robin", role="platform", password=None, actor=actor, now=now
        )


@pytest.fixture
def colleague(robin: User) -> Colleague:
    return Colleague(str(robin.pk), robin.name, robin.email)


@pytest.fixture
def desk(robin: User) -> Client:
    """Robin's browser, in the admin."""
    client = Client(HTTP_HOST=settings.SITE_HOST)
    with enter_public():
        logging_in.enter(client, robin, methods={"password", "totp"})
    return client


@pytest.fixture
def account(fresh_tenant: Any) -> making.Account:
    """A customer whose person decides about privacy, committed, in a tenant of its own."""
    return making.account()


@pytest.fixture
def work(fresh_tenant: Any) -> Callable[..., int]:
    """Do the tenant's jobs that are due, with those that they ask for in turn."""

    def run(now: Any = None) -> int:
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
