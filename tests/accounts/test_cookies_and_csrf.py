"""Two cookies, of one host only; no form is taken without its token."""

from collections.abc import Callable
from typing import Any

import pytest
from django.conf import settings
from django.core.checks import run_checks
from django.test import Client, override_settings

from accounts.models import User
from tests.accounts.conftest import PASSWORD, log_in
from tests.logging_in import enter

Browser = Callable[..., Client]
People = Callable[..., User]


def test_there_are_exactly_two_cookies(tenant: Any, browser: Browser, people: People) -> None:
    people()
    client = browser()
    client.get("/log-in/")
    log_in(client)
    assert set(client.cookies) == {"PROE_SID", "csrftoken"}


@pytest.mark.parametrize("name", ["PROE_SID", "csrftoken"])
def test_each_cookie_is_of_this_host_and_out_of_reach_of_scripts(
    tenant: Any, browser: Browser, people: People, name: str
) -> None:
    people()
    client = browser()
    client.get("/log-in/")
    log_in(client)
    cookie = client.cookies[name]
    assert cookie["domain"] == ""
    assert cookie["path"] == "/"
    assert cookie["httponly"] is True
    assert cookie["samesite"] == "Lax"


def test_cookies_are_secure_wherever_the_site_is(tenant: Any, browser: Browser, people: People) -> None:
    assert (
        settings.SESSION_COOKIE_SECURE
        == settings.CSRF_COOKIE_SECURE
        == settings.SITE_URL.startswith("https:")
    )
    people()
    client = browser()
    with override_settings(SESSION_COOKIE_SECURE=True, CSRF_COOKIE_SECURE=True):
        client.get("/log-in/")
        log_in(client)
    assert client.cookies["PROE_SID"]["secure"] and client.cookies["csrftoken"]["secure"]


def test_a_visitor_who_only_looks_gets_no_session(tenant: Any, browser: Browser) -> None:
    client = browser()
    client.get("/log-in/")
    assert "PROE_SID" not in client.cookies


@pytest.mark.parametrize(
    ("path", "asked"),
    [
        ("/log-in/", {"email": "nora@lind.example", "password": PASSWORD}),
        ("/log-out/", {}),
        ("/forgotten/", {"email": "nora@lind.example"}),
        ("/details/", {"name": "Somebody else"}),
        ("/switch/", {"customer": "1"}),
    ],
)
def test_no_form_is_taken_without_its_token(
    tenant: Any, browser: Browser, people: People, path: str, asked: dict[str, str]
) -> None:
    people()
    client = browser(enforce_csrf_checks=True)
    enter(client, User.objects.get())
    assert client.post(path, asked).status_code == 403


def test_a_form_with_its_token_is_taken(tenant: Any, browser: Browser, people: People) -> None:
    people()
    client = browser(enforce_csrf_checks=True)
    client.get("/log-in/")
    token = client.cookies["csrftoken"].value
    assert log_in(client, csrfmiddlewaretoken=token).status_code == 302


def test_a_token_does_not_help_from_another_origin(tenant: Any, browser: Browser, people: People) -> None:
    people()
    client = browser(enforce_csrf_checks=True)
    client.get("/log-in/")
    token = client.cookies["csrftoken"].value
    asked = {"email": "nora@lind.example", "password": PASSWORD, "csrfmiddlewaretoken": token}
    answer = client.post("/log-in/", asked, headers={"origin": "http://beta.localhost"})
    assert answer.status_code == 403


def test_passwords_are_hashed_with_argon2id(tenant: Any, people: People) -> None:
    assert people().password.startswith("argon2$argon2id$v=19$m=19456,t=2,p=1$")


def test_an_old_hash_is_renewed_at_log_in(tenant: Any, browser: Browser, people: People) -> None:
    from django.contrib.auth.hashers import BCryptSHA256PasswordHasher

    user, hasher = people(), BCryptSHA256PasswordHasher()
    hasher.rounds = 4
    User.objects.filter(pk=user.pk).update(password=hasher.encode(PASSWORD, hasher.salt()))
    assert log_in(browser()).status_code == 302
    user.refresh_from_db()
    assert user.password.startswith("argon2$argon2id$")


def test_nothing_starts_without_argon2(db: None) -> None:
    with override_settings(PASSWORD_HASHERS=["django.contrib.auth.hashers.PBKDF2PasswordHasher"]):
        assert "accounts.E001" in [each.id for each in run_checks()]
    with override_settings(PASSWORD_HASHERS=["no.such.Hasher"]):
        assert "accounts.E001" in [each.id for each in run_checks()]
    assert "accounts.E001" not in [each.id for each in run_checks()]
