"""Two cookies, of one host only; no form is taken without its token."""

import re
import runpy
from collections.abc import Callable
from importlib import import_module
from typing import Any
from uuid import uuid4

import pytest
from django.conf import settings
from django.core.checks import run_checks
from django.test import Client, override_settings
from django.urls import URLResolver

from accounts.models import User
from tenants.context import enter as enter_tenant
from tenants.context import enter_public
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


def test_with_https_the_forms_cookie_has_the_name_that_browsers_guard(
    tenant: Any, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`__Host-`: Secure, of the whole host, of no domain; so no sibling host can set it."""
    monkeypatch.setenv("SITE_URL", "https://pro.example")
    name = runpy.run_path(str(settings.BASE_DIR / "proecommerce/settings.py"))["CSRF_COOKIE_NAME"]
    assert (name, settings.CSRF_COOKIE_NAME) == ("__Host-csrftoken", "csrftoken")
    client = browser(enforce_csrf_checks=True)
    with override_settings(CSRF_COOKIE_NAME=name, CSRF_COOKIE_SECURE=True, SESSION_COOKIE_SECURE=True):
        page = client.get("/forgotten/").content.decode()
        cookie = client.cookies[name]
        assert (cookie["secure"], cookie["path"], cookie["domain"]) == (True, "/", "")
        found = re.search(r'csrfmiddlewaretoken" value="(\w+)"', page)
        assert found is not None
        sent = client.post("/forgotten/", {"csrfmiddlewaretoken": found[1], "email": "x"})
        assert sent.status_code == 422  # the form was read
        twice = f"{name}=a; {name}=b"
        assert browser().get("/forgotten/", headers={"cookie": twice}).status_code == 400


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


def test_nobody_is_logged_in_or_out_by_a_form_of_another_site(
    tenant: Any, browser: Browser, people: People
) -> None:
    people()
    client = browser(enforce_csrf_checks=True)
    client.get("/log-in/")
    asked = {"email": "nora@lind.example", "password": PASSWORD}
    foreign = {"origin": "http://evil.example"}
    for sent in (asked, asked | {"csrfmiddlewaretoken": "a" * 64}):
        assert client.post("/log-in/", sent, headers=foreign).status_code == 403
    assert "PROE_SID" not in client.cookies
    enter(client, User.objects.get())
    assert client.post("/log-out/", headers=foreign).status_code == 403
    assert client.get("/log-out/").status_code == 405
    assert client.get("/account/sessions/").status_code == 200


def test_the_token_of_a_form_changes_with_log_in(tenant: Any, browser: Browser, people: People) -> None:
    people()
    client = browser(enforce_csrf_checks=True)
    client.get("/log-in/")
    before = client.cookies["csrftoken"].value
    log_in(client, csrfmiddlewaretoken=before)
    assert client.cookies["csrftoken"].value != before
    assert client.post("/log-out/", {"csrfmiddlewaretoken": before}).status_code == 403


@pytest.mark.parametrize("name", ["PROE_SID", "csrftoken"])
def test_a_cookie_that_comes_twice_is_refused_and_neither_is_used(
    tenant: Any, browser: Browser, people: People, name: str
) -> None:
    people()
    client = browser()
    log_in(client)
    mine = client.cookies["PROE_SID"].value
    thrown = Client(HTTP_HOST="alpha.localhost", HTTP_COOKIE=f"PROE_SID={mine}; x=1; {name}=b; {name} = a")
    for path in ("/account/sessions/", "/log-in/", "/brand.css"):
        answer = thrown.get(path)
        assert answer.status_code == 400, path
        assert f"sent the cookie {name} twice" in answer.content.decode()
        assert not answer.cookies and answer["Cache-Control"] == "no-store"
    assert client.get("/account/sessions/").status_code == 200
    once = Client(HTTP_HOST="alpha.localhost", HTTP_COOKIE=f"PROE_SIDE=1; PROE_SID={mine}; xPROE_SID=2")
    assert once.get("/account/sessions/").status_code == 200


def _addresses(patterns: Any, prefix: str = "") -> Any:
    """Every path of the URL configuration, with something in place of what it takes."""
    for each in patterns:
        part = re.sub(r"<uuid:\w+>", str(uuid4()), str(each.pattern)).lstrip("^")
        part = re.sub(r"<int:\w+>", "1", re.sub(r"<(?:\w+:)?\w+>", "x", part))
        if isinstance(each, URLResolver):
            yield from _addresses(each.url_patterns, prefix + part)
        elif not re.search(r"[(\[\\?*$]", part):
            yield f"/{prefix}{part}"


@pytest.mark.parametrize(
    ("urls", "host", "role"),
    [
        ("proecommerce.urls", "alpha.localhost", ""),
        ("proecommerce.urls", "alpha.localhost", "owner"),
        ("proecommerce.urls", "alpha.localhost", "contact"),
        ("proecommerce.urls_public", settings.SITE_HOST, ""),
        ("proecommerce.urls_public", settings.SITE_HOST, "platform"),
        ("proecommerce.urls_pay", settings.PAY_HOST, ""),
    ],
)
def test_no_page_ever_sets_a_third_cookie(
    two_tenants: Any, people: People, urls: str, host: str, role: str
) -> None:
    client, names = Client(HTTP_HOST=host, raise_request_exception=False), set()
    public = host != "alpha.localhost"
    with enter_public() if public else enter_tenant(two_tenants[0]):
        user = people(role=role) if role else None
    paths = sorted(set(_addresses(import_module(urls).urlpatterns)), key=lambda path: "log" in path)
    assert len(paths) >= (1 if "pay" in urls else 10)
    for path in paths:
        for method in ("get", "post"):
            if user is not None and not client.cookies.get("PROE_SID", None):
                with enter_public() if public else enter_tenant(two_tenants[0]):
                    enter(client, user)
            answer = getattr(client, method)(path)
            for name, cookie in answer.cookies.items():
                names.add(name)
                flags = (cookie["domain"], cookie["path"], cookie["samesite"])
                assert flags == ("", "/", "Lax"), (path, name)
                assert cookie["httponly"] or not cookie.value, (path, name)
    assert names <= {"PROE_SID", "csrftoken"}
    assert names or "pay" in urls


@pytest.mark.full_hashes
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
