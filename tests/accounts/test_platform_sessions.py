"""The platform's staff on the public host: the same log-in, sessions and limits as everybody's."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from accounts import jobs
from accounts.models import User
from tenants import clock
from tenants.context import enter, enter_public
from tests import logging_in
from tests.accounts.conftest import PASSWORD, log_in

People = Callable[..., User]


@pytest.fixture
def staff(db: None, people: People) -> User:
    with enter_public():
        return people("staff@proe.example", User.Role.PLATFORM)


def browser(host: str = settings.SITE_HOST) -> Client:
    return Client(HTTP_HOST=host)


def test_the_admin_leads_to_the_one_log_in_and_its_session_is_on_record(staff: User) -> None:
    client = browser()
    asked = client.get("/admin/")
    assert asked["Location"].startswith("/admin/login/")
    assert client.get(asked["Location"])["Location"] == "/log-in/?next=/admin/"
    assert client.get("/log-in/?next=/admin/").status_code == 200
    log_in(client, staff.email)
    with enter_public():
        assert staff.sessions.get().host == settings.SITE_HOST
    assert client.get("/account/sessions/").status_code == 200
    assert client.get("/admin/logout/").status_code in {302, 405}
    assert client.get("/account/sessions/").status_code == 200
    with enter_public():
        strong = client.session
        strong["methods"] = ["password", "totp"]
        strong.save()
    client.post("/admin/logout/")
    assert client.get("/account/sessions/").status_code == 302


def test_staff_are_out_after_half_an_hour_and_back_where_they_were(
    staff: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = browser()
    with enter_public():
        logging_in.enter(client, staff)
    late = clock.now() + timedelta(minutes=30)
    monkeypatch.setattr(clock, "now", lambda: late)
    assert client.get("/account/sessions/")["Location"] == "/log-in/?next=/account/sessions/"
    assert "because nothing happened" in client.get("/log-in/").content.decode()


def test_staff_are_out_after_twelve_hours_however_busy(staff: User, monkeypatch: pytest.MonkeyPatch) -> None:
    client, start = browser(), clock.now()
    with enter_public():
        logging_in.enter(client, staff)
    for minutes in range(25, 12 * 60, 25):
        monkeypatch.setattr(clock, "now", lambda at=minutes: start + timedelta(minutes=at))
        assert client.get("/account/sessions/").status_code == 200, minutes
    monkeypatch.setattr(clock, "now", lambda: start + timedelta(hours=12, seconds=9))
    assert client.get("/account/sessions/")["Location"] == "/log-in/?next=/account/sessions/"
    assert "lasted its longest" in client.get("/log-in/").content.decode()


def test_a_platform_session_is_none_at_a_tenants(staff: User, two_tenants: Any, people: People) -> None:
    client = browser()
    with enter_public():
        logging_in.enter(client, staff)
    with enter(two_tenants[0]):
        people(staff.email)
    other = browser("alpha.localhost")
    other.cookies["PROE_SID"] = client.cookies["PROE_SID"].value
    assert other.get("/account/sessions/").status_code == 302
    assert client.get("/account/sessions/").status_code == 200


def test_mails_of_the_platform_name_the_platform(staff: User, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[Any] = []
    monkeypatch.setattr(jobs, "send", lambda mail, *, to: sent.append((mail, to)))
    client = browser()
    with enter_public():
        row = logging_in.enter(client, staff)
        jobs.mail_new_device(session_id=str(row.pk))
        jobs.mail_reset(user_id=str(staff.pk))
    assert [to for _, to in sent] == [staff.email] * 2
    assert all("ProEcommerce" in mail.text and settings.SITE_URL in mail.text for mail, _ in sent)
    assert client.post("/account/confirm/", {"password": PASSWORD})["Location"] == "/admin/"
