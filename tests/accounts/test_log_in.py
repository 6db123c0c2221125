"""Logging in and out: who gets in, where it leads, what is written down."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth import hashers
from django.test import Client

from accounts import backends
from accounts.models import User
from tenants.context import enter
from tests.accounts.conftest import PASSWORD, actions, log_in

Browser = Callable[..., Client]
People = Callable[..., User]


def test_the_page_asks_for_address_and_password(tenant: Any, browser: Browser) -> None:
    page = browser().get("/log-in/?next=/invoices/")
    assert page.status_code == 200
    html = page.content.decode()
    assert 'autocomplete="username"' in html and 'autocomplete="current-password"' in html
    assert 'name="next" value="/invoices/"' in html
    assert page["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    ("role", "leads_to"),
    [("owner", "/manage/"), ("billing", "/manage/"), ("read_only", "/manage/"), ("contact", "/")],
)
def test_log_in_leads_to_ones_own_start_page(
    tenant: Any, browser: Browser, people: People, role: str, leads_to: str
) -> None:
    people(role=role)
    answer = log_in(browser())
    assert (answer.status_code, answer["Location"]) == (302, leads_to)


def test_log_in_goes_on_to_where_the_person_was_going(tenant: Any, browser: Browser, people: People) -> None:
    people()
    assert log_in(browser(), next="/invoices/?status=open")["Location"] == "/invoices/?status=open"


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example/", "//evil.example/", "http:evil.example", "///evil.example",
        "\\\\evil.example",
        "/\\evil.example", "javascript:alert(1)", "https://beta.localhost/", "http://alpha.localhost@evil.example/",
        " //evil.example", "\x00//evil.example", "data:text/html,x",
    ],
)  # fmt: skip
def test_log_in_never_leads_to_another_host(
    tenant: Any, browser: Browser, people: People, target: str
) -> None:
    people()
    assert log_in(browser(), next=target)["Location"] == "/manage/"
    assert target not in browser().get("/log-in/", {"next": target}).content.decode()


def test_the_address_is_found_whatever_its_case(tenant: Any, browser: Browser, people: People) -> None:
    people()
    assert log_in(browser(), email="NORA@Lind.Example").status_code == 302


def test_wrong_password_and_unknown_address_get_the_same_answer(
    tenant: Any, browser: Browser, people: People
) -> None:
    people()
    wrong = log_in(browser(), password="not the password at all")
    unknown = log_in(browser(), email="nobody@lind.example")
    assert wrong.status_code == unknown.status_code == 422
    said = "do not belong together"
    assert said in wrong.content.decode() and said in unknown.content.decode()
    assert "PROE_SID" not in wrong.cookies


def test_an_unknown_address_costs_a_hash_as_well(
    tenant: Any, people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    people()
    hashed: list[str] = []

    def note(raw: str) -> str:
        hashed.append(raw)
        return hashers.make_password(raw)

    monkeypatch.setattr(backends, "make_password", note)
    asked = {"username": "nobody@lind.example", "password": "guess"}
    assert backends.EmailBackend().authenticate(None, **asked) is None
    assert hashed == ["guess"]


@pytest.mark.parametrize("asked", [{"email": "", "password": ""}, {"email": "no address", "password": "x"}])
def test_an_incomplete_form_says_so(tenant: Any, browser: Browser, asked: dict[str, str]) -> None:
    answer = browser().post("/log-in/", asked)
    assert answer.status_code == 422
    assert 'role="alert"' in answer.content.decode()


@pytest.mark.parametrize("field", ["email", "password"])
def test_text_that_no_database_holds_is_refused(
    tenant: Any, browser: Browser, people: People, field: str
) -> None:
    people()
    asked = {"email": "nora@lind.example", "password": PASSWORD} | {field: "nora\x00@lind.example"}
    assert browser().post("/log-in/", asked).status_code == 422


def test_a_password_of_a_megabyte_is_not_hashed(tenant: Any, browser: Browser, people: People) -> None:
    people()
    assert log_in(browser(), password="x" * 1_000_000).status_code == 422
    assert "user.login_failed" not in actions()


def test_somebody_deactivated_stays_outside_and_is_put_out(
    tenant: Any, browser: Browser, people: People
) -> None:
    user, client = people(role="contact"), browser()
    log_in(client)
    User.objects.filter(pk=user.pk).update(is_active=False)
    assert client.get("/log-in/").wsgi_request.user.is_anonymous
    assert log_in(browser()).status_code == 422


def test_a_password_without_hash_never_fits(tenant: Any, browser: Browser, people: People) -> None:
    people(password=None)
    assert log_in(browser(), password="!").status_code == 422


def test_log_in_begins_a_new_session(tenant: Any, browser: Browser, people: People) -> None:
    people()
    client = browser()
    client.get("/log-in/")
    session = client.session
    session["seen"] = "before"
    session.save()
    before = str(session.session_key)
    client.cookies["PROE_SID"] = before
    log_in(client)
    assert client.cookies["PROE_SID"].value != before


def test_success_failure_and_log_out_are_on_record(tenant: Any, browser: Browser, people: People) -> None:
    people()
    client = browser()
    log_in(client, password="not the password at all")
    log_in(client)
    client.post("/log-out/")
    assert actions()[-3:] == ["user.login_failed", "user.logged_in", "user.logged_out"]


def test_log_out_leaves_nothing_in_the_browser(tenant: Any, browser: Browser, people: People) -> None:
    people()
    client = browser()
    log_in(client)
    assert client.post("/log-out/")["Clear-Site-Data"] == '"cache", "storage"'


def test_log_out_ends_the_session_and_needs_a_post(tenant: Any, browser: Browser, people: People) -> None:
    people()
    client = browser()
    log_in(client)
    key = client.cookies["PROE_SID"].value
    assert client.get("/log-out/").status_code == 405
    assert client.post("/log-out/")["Location"] == "/log-in/"
    client.cookies["PROE_SID"] = key
    assert client.get("/log-in/").wsgi_request.user.is_anonymous


def test_a_log_in_of_one_tenant_is_none_of_another(
    two_tenants: Any, browser: Browser, people: People
) -> None:
    with enter(two_tenants[0]):
        people()
    assert log_in(browser("alpha")).status_code == 302
    assert log_in(browser("beta")).status_code == 422


def test_a_session_of_one_tenant_is_none_on_another_host(
    two_tenants: Any, browser: Browser, people: People
) -> None:
    for each in two_tenants:
        with enter(each):
            people()
    client = browser("alpha")
    log_in(client)
    key = client.cookies["PROE_SID"].value
    other = browser("beta")
    other.cookies["PROE_SID"] = key
    assert other.get("/")["Location"] == "/log-in/?next=/"
    assert client.get("/").status_code == 403  # known, though no customer's contact
