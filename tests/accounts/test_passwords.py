"""Forgotten passwords: a link by mail, single use, of one tenant, for an hour."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils.http import urlsafe_base64_encode

from accounts import jobs, passwords
from accounts.models import User
from tenants.context import enter
from tenants.models import Job
from tests.accounts.conftest import PASSWORD, actions, log_in
from tests.humans import stamped

Browser = Callable[..., Client]
People = Callable[..., User]
NEW = "another row of four words"


def asking(email: str) -> dict[str, str]:
    return {"email": email} | stamped("reset", work=False)


def link_for(user: User) -> str:
    return f"/reset/{urlsafe_base64_encode(user.pk.bytes)}/{passwords.tokens.make_token(user)}/"


def test_a_known_address_gets_a_mail_by_job(tenant: Any, browser: Browser, people: People) -> None:
    user = people()
    answer = browser().post("/forgotten/", asking("Nora@lind.example"))
    assert answer.status_code == 200
    job = Job.objects.get(name="accounts.mail_reset")
    assert job.args == {"user_id": str(user.pk)}
    assert actions()[-1] == "user.password_reset_asked"


def mailed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Do the jobs that wait for a reset, and return whom they wrote to."""
    sent: list[str] = []
    monkeypatch.setattr(jobs, "send", lambda mail, *, to: sent.append(to))
    for job in Job.objects.filter(name="accounts.mail_reset"):
        jobs.mail_reset(**job.args)
    return sent


def test_an_unknown_address_gets_the_same_answer_and_no_mail(
    tenant: Any, browser: Browser, people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    people()
    known, unknown = (
        browser().post("/forgotten/", asking(email)).content.decode().replace(email, "")
        for email in ("nora@lind.example", "nobody@lind.example")
    )
    assert known == unknown
    assert mailed(monkeypatch) == ["nora@lind.example"]


def test_somebody_deactivated_gets_no_mail(
    tenant: Any, browser: Browser, people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = people()
    User.objects.filter(pk=user.pk).update(is_active=False)
    browser().post("/forgotten/", asking(user.email))
    assert mailed(monkeypatch) == []


def test_no_address_is_an_error(tenant: Any, browser: Browser) -> None:
    assert browser().post("/forgotten/", {"email": "nobody"}).status_code == 422


def test_the_mailed_link_opens_the_form(
    tenant: Any, browser: Browser, people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[Any] = []
    monkeypatch.setattr(jobs, "send", lambda mail, *, to: sent.append((mail, to)))
    user = people()
    jobs.mail_reset(user_id=str(user.pk))
    mail, to = sent[0]
    found = re.search(r"http://alpha\.localhost(?::\d+)?(/reset/\S+/)", mail.text)
    assert found is not None and to == user.email
    assert browser().get(found.group(1)).status_code == 200


def test_a_new_password_is_set_and_the_link_is_void_then(
    tenant: Any, browser: Browser, people: People
) -> None:
    link = link_for(people())
    answer = browser().post(link, {"password": NEW})
    assert (answer.status_code, answer["Location"]) == (302, "/log-in/")
    assert log_in(browser(), password=NEW).status_code == 302
    assert log_in(browser(), password=PASSWORD).status_code == 422
    again = browser().post(link, {"password": "yet another four words"})
    assert again.status_code == 410
    assert log_in(browser(), password=NEW).status_code == 302
    assert "user.password_changed" in actions()


def test_every_session_ends_with_a_new_password(tenant: Any, browser: Browser, people: People) -> None:
    user, client = people(), browser()
    log_in(client)
    user.refresh_from_db()
    browser().post(link_for(user), {"password": NEW})
    assert client.get("/log-in/").wsgi_request.user.is_anonymous


def test_a_link_is_void_after_an_hour(
    tenant: Any, browser: Browser, people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    link = link_for(people())
    later = datetime.now(UTC).replace(tzinfo=None) + timedelta(hours=1, minutes=1)
    monkeypatch.setattr(passwords.tokens, "_now", lambda: later)
    assert browser().get(link).status_code == 410


def test_a_link_is_void_once_its_owner_logged_in(tenant: Any, browser: Browser, people: People) -> None:
    user = people()
    link = link_for(user)
    log_in(browser())
    assert browser().get(link).status_code == 410


def test_a_link_of_one_tenant_opens_nothing_in_another(
    two_tenants: Any, browser: Browser, people: People
) -> None:
    with enter(two_tenants[0]):
        user = people()
        token = passwords.tokens.make_token(user)
        values = {
            name: getattr(user, name) for name in ("id", "email", "name", "role", "password", "created_at")
        }
    with enter(two_tenants[1]):
        User(**values).save(force_insert=True)
        assert passwords.user_of_reset(user.pk, token) is None
    link = f"/reset/{urlsafe_base64_encode(user.pk.bytes)}/{token}/"
    assert browser("beta").get(link).status_code == 410
    assert browser("alpha").get(link).status_code == 200


@pytest.mark.parametrize(
    "link",
    [
        "/reset/x/y/",
        "/reset/MQ/abc-def/",
        "/reset/%C3%A9/ü/",
        f"/reset/{'A' * 22}/{'b' * 39}/",
        "/reset/AAAA%00/x/",
    ],
)
def test_a_made_up_link_is_void(tenant: Any, browser: Browser, people: People, link: str) -> None:
    people()
    answer = browser().get(link)
    assert answer.status_code == 410
    assert "not valid" in answer.content.decode()


@pytest.mark.parametrize("weak", ["short", "nora@lind.example", "password", " " * 14])
def test_a_weak_password_is_refused(tenant: Any, browser: Browser, people: People, weak: str) -> None:
    user = people()
    answer = browser().post(link_for(user), {"password": weak})
    assert answer.status_code == 422
    user.refresh_from_db()
    assert user.check_password(PASSWORD)
