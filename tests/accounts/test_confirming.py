"""Confirm that it is you: asked before what matters, held for a quarter of an hour."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory

from accounts import confirming
from accounts.models import User
from tenants import clock
from tests.accounts.conftest import PASSWORD, actions, log_in

Browser = Callable[..., Client]
People = Callable[..., User]
HOST = "alpha.localhost"


class Person:
    is_authenticated = True


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch, now: datetime) -> Callable[..., None]:
    """Let time go on at the edges."""
    monkeypatch.setattr(clock, "now", lambda: now)

    def go(**span: float) -> None:
        monkeypatch.setattr(clock, "now", lambda: now + timedelta(**span))

    return go


def asking(method: str = "GET", path: str = "/manage/x/?a=1", **headers: str) -> HttpRequest:
    request = RequestFactory(HTTP_HOST=HOST).generic(method, path, headers=headers)
    request.session = {}  # type: ignore[assignment]
    request.user = Person()  # type: ignore[assignment]
    return request


@confirming.confirmed_page
def page(request: HttpRequest) -> HttpResponse:
    return HttpResponse("in")


@confirming.confirmed_change
def change(request: HttpRequest) -> HttpResponse:
    return HttpResponse("in")


def test_a_confirmation_holds_for_fifteen_minutes(now: datetime) -> None:
    request = asking()
    assert not confirming.is_confirmed(request, now)
    confirming.confirm(request, now)
    assert confirming.is_confirmed(request, now + timedelta(minutes=14, seconds=59))
    assert not confirming.is_confirmed(request, now + timedelta(minutes=15))
    assert not confirming.is_confirmed(request, now - timedelta(seconds=1))
    confirming.forget(request)
    assert not confirming.is_confirmed(request, now)


@pytest.mark.parametrize("odd", [None, "", "x", [1], {"a": 1}])
def test_a_stamp_of_another_shape_confirms_nothing(now: datetime, odd: Any) -> None:
    request = asking()
    request.session[confirming.CONFIRMED_AT] = odd
    assert not confirming.is_confirmed(request, now)


def test_a_page_asks_first_and_a_form_is_led_back_to_where_it_stood(later: Callable[..., None]) -> None:
    assert page(asking())["Location"] == "/account/confirm/?next=%2Fmanage%2Fx%2F%3Fa%3D1"
    stood = asking("POST", referer=f"http://{HOST}/manage/settings/?tab=2")
    assert page(stood)["Location"] == "/account/confirm/?next=%2Fmanage%2Fsettings%2F%3Ftab%3D2&lost=1"
    for foreign in ("http://evil.example/manage/", "javascript:alert(1)", "//evil.example/", ""):
        answer = page(asking("POST", referer=foreign))
        assert answer["Location"] == "/account/confirm/?next=%2Fmanage%2F&lost=1", foreign


def test_reads_stay_open_where_only_changes_ask(later: Callable[..., None]) -> None:
    assert change(asking()).content == b"in"
    assert change(asking("POST")).status_code == 302


def test_log_in_confirms_and_the_password_does_again(
    tenant: Any, browser: Browser, people: People, later: Callable[..., None]
) -> None:
    people()
    client = browser()
    log_in(client)
    assert client.get("/account/confirm/").status_code == 200
    later(minutes=20)
    wrong = client.post("/account/confirm/", {"password": "not the words of it", "next": "/manage/"})
    assert wrong.status_code == 422 and actions()[-1] == "user.confirm_failed"
    right = client.post("/account/confirm/", {"password": PASSWORD, "next": "/manage/audit/", "lost": "1"})
    assert (right.status_code, right["Location"]) == (302, "/manage/audit/")
    assert actions()[-1] == "user.confirmed"
    assert "please send it once more" in client.get("/manage/").content.decode()
    away = client.post("/account/confirm/", {"password": PASSWORD, "next": "//evil.example/"})
    assert away["Location"] == "/manage/"


OF_ONES_LOG_IN = (
    "/account/email/", "/account/security/app/begin/", "/account/security/app/", "/account/security/codes/",
    "/account/security/passkeys/ask/", "/account/security/passkeys/", "/account/sessions/end-others/",
)  # fmt: skip


def test_what_changes_a_log_in_or_ends_sessions_asks_who_it_is(
    tenant: Any, browser: Browser, people: People, now: datetime
) -> None:
    """Or for the password itself, where one is typed in on the page anyhow."""
    from tests import logging_in
    from tests.accounts.factors import with_app

    user = people()
    client, other = browser(), browser()
    with_app(user, now)
    logging_in.enter(client, user, methods={"password", "totp"})
    elsewhere = logging_in.enter(other, user, methods={"password", "totp"})
    session = client.session
    del session["confirmed_at"]
    session.save()
    before = actions()
    for path in (*OF_ONES_LOG_IN, f"/account/sessions/{elsewhere.pk}/end/"):
        answer = client.post(path, {"email": "thief@x.example", "code": "123456"})
        assert answer["Location"].startswith("/account/confirm/?next="), path
    assert actions() == before and other.get("/manage/").status_code == 200
    for path in ("/account/security/app/remove/", "/account/security/password/"):
        assert client.post(path, {"password": "wrong as ever"}).status_code == 422, path
    assert client.post("/account/security/app/remove/", {"password": PASSWORD}).status_code == 302
    assert client.get("/manage/").status_code == 200  # and what was logged in elsewhere logs in anew
    assert other.get("/manage/")["Location"].startswith("/log-in/")


def test_strangers_log_in_first(tenant: Any, browser: Browser) -> None:
    assert browser().get("/account/confirm/")["Location"].startswith("/log-in/?next=/account/confirm/")
