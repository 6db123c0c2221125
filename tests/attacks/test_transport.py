"""Attacks T1–T8 on what travels and what is kept on the way, each test named by its number."""

import io
import logging
import subprocess
from typing import Any
from urllib.parse import urljoin, urlsplit

import pytest
from django.conf import settings as site
from django.test import Client, override_settings

from accounts.models import User
from tests import routes
from tests.accounts.conftest import PASSWORD, log_in
from tests.billing.portal import making
from tests.conftest import ROOT

EVIL = "https://evil.example"


@pytest.fixture
def page(tenant: Any, inside: Any) -> Client:
    """The browser of somebody who acts for a customer."""
    browser: Client = inside(making.account().user)
    return browser


@pytest.mark.parametrize("tail", ["", "x.css", "logo.png", "%2fx.js", ";x.css", "?x=.css", "x.css?v=1"])
def test_t1_no_cache_keeps_what_is_private_whatever_its_address_ends_in(page: Client, tail: str) -> None:
    """Web cache deception: the victim is led to /invoices/x.css, the attacker asks the cache for it."""
    answer = page.get(f"/invoices/{tail}")
    assert "no-store" in answer["Cache-Control"]
    assert answer.status_code == (200 if tail in {"", "?x=.css"} else 404)


def test_t2_cookies_stay_on_their_host_off_scripts_and_on_tls(tenant: Any, browser: Any, people: Any) -> None:
    people()
    with override_settings(SESSION_COOKIE_SECURE=True, CSRF_COOKIE_SECURE=True):
        client = browser()
        client.get("/log-in/")
        log_in(client)
    assert set(client.cookies) == {"PROE_SID", "csrftoken"}
    for cookie in client.cookies.values():
        assert (cookie["domain"], cookie["path"], cookie["samesite"]) == ("", "/", "Lax")
        assert cookie["secure"] and cookie["httponly"]


@pytest.mark.parametrize(
    "origin", [EVIL, "null", "http://beta.localhost", "http://alpha.localhost.evil.example"]
)
def test_t3_no_other_origin_is_told_that_it_may_read(page: Client, origin: str) -> None:
    for method in ("get", "options", "head"):
        ask = {"origin": origin, "access-control-request-method": "GET"}
        answer = getattr(page, method)("/invoices/", headers=ask)
        assert not [name for name in answer.headers if name.lower().startswith("access-control")]
        assert answer["Cross-Origin-Resource-Policy"] == "same-origin"


def test_t4_nothing_is_framed_but_the_card_form_by_its_own_tenants(page: Client, tenant: Any) -> None:
    """Clickjacking: a page of ours under a page of the attacker's."""
    for path in ("/", "/invoices/", "/log-in/", "/nothing-here/"):
        answer = page.get(path)
        assert "frame-ancestors 'none'" in answer["Content-Security-Policy"], path
        assert answer["X-Frame-Options"] == "DENY", path
    frame = Client(HTTP_HOST=site.PAY_HOST).get("/frame/forged/")
    assert "frame-ancestors *" not in frame["Content-Security-Policy"]
    assert "frame-ancestors" in frame["Content-Security-Policy"]


TARGETS = [
    EVIL, "//evil.example", "///evil.example", "/\\evil.example", "\\\\evil.example", "https:evil.example",
    "http://alpha.localhost@evil.example/", "http://alpha.localhost.evil.example/", "javascript:alert(1)",
    "\tjavascript:alert(1)", "/\t/evil.example", "data:text/html,x", "//alpha.localhost@evil.example",
    "http:///evil.example", "%2f%2fevil.example/..", "http://beta.localhost/",
]  # fmt: skip


def test_t5_no_form_leads_out_of_the_house(tenant: Any, browser: Any, people: Any, inside: Any) -> None:
    """Open redirect, by `next` in the address, in the form, and by where the form stood."""
    user: User = people()
    for target in TARGETS:
        client = browser()
        told = [log_in(client, next=target)["Location"], inside(user).get("/log-in/", {"next": target})]
        asked = inside(user).post("/account/confirm/", {"password": PASSWORD, "next": target})
        stood = inside(user).post("/log-out/", headers={"referer": target})
        found = [told[0], *(each.headers.get("Location", "/") for each in (told[1], asked, stood))]
        for location in found:
            assert not location.startswith(("//", "/\\", "\\", "\t")), (target, location)
            leads_to = urlsplit(urljoin("http://alpha.localhost/log-in/", location))
            assert (leads_to.scheme, leads_to.hostname) == ("http", "alpha.localhost"), (target, location)
        for moved in (browser().get("/%2F%2Fevil.example/x"), browser().get("/manage//evil.example")):
            assert not moved.headers.get("Location", "/").startswith(("//", "http"))


@pytest.mark.parametrize("method", ["TRACE", "TRACK", "CONNECT", "DEBUG", "PROPFIND", "get\r\nX: y"])
def test_t6_methods_that_echo_or_debug_are_refused(tenant: Any, method: str) -> None:
    answer = Client(HTTP_HOST="alpha.localhost").generic(method, "/log-in/", HTTP_X_SECRET="canary")
    assert answer.status_code == 405 and b"canary" not in answer.content
    for path in (
        "/__debug__/",
        "/debug",
        "/console",
        "/.env",
        "/.git/config",
        "/server-status",
        "/static/../.env",
    ):
        assert Client(HTTP_HOST="alpha.localhost").get(path).status_code == 404, path


def test_t7_no_answer_says_what_it_is_made_of(tenant: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Errors of every kind, on every host: no versions, no names of software, no traces."""
    monkeypatch.setattr(User, "check_password", lambda *a: 1 / 0)
    making.person("nora@lind.example")
    answers = [
        Client(HTTP_HOST=host).get(path) for host in routes.hosts() for path in ("/", "/none/", "/%00")
    ]
    alpha = Client(HTTP_HOST="alpha.localhost", raise_request_exception=False)
    answers += [
        alpha.post("/log-in/", {"email": "nora@lind.example", "password": "x"}),
        alpha.put("/log-in/"),
    ]
    assert 500 in {answer.status_code for answer in answers}
    for answer in answers:
        told = f"{answer.headers} {answer.content.decode(errors='replace')}".lower()
        for word in ("django", "python/", "gunicorn", "psycopg", "postgres", "traceback", "zerodivision",
                     f"{ROOT}/".lower(), "site-packages", "x-powered-by"):  # fmt: skip
            assert word not in told, word
        assert answer["Server"] == "ProEcommerce"


class TestT8Secrets:
    def test_t8_no_secret_stands_in_the_repository(self) -> None:
        """What keys look like, in every file that is kept but tests, which make some up."""
        looks = (
            r"(AKIA|ASIA)[0-9A-Z]{16}|sk_live_[0-9a-zA-Z]{10}|rk_live_[0-9a-zA-Z]{10}"
            r"|-----BEGIN (RSA |EC |OPENSSH )?PRIVATE KEY|ghp_[0-9A-Za-z]{30}|xox[bp]-[0-9]{8}"
        )
        files = ["git", "-C", str(site.BASE_DIR), "grep", "-nIE", looks, "--", ":!tests"]
        found = subprocess.run(files, capture_output=True, text=True, check=False)
        assert found.returncode == 1, found.stdout + found.stderr

    def test_t8_a_crash_tells_logs_and_page_no_secret(
        self, tenant: Any, browser: Any, people: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A canary as password, as cookie and in a mailed link, when the page breaks; at every level."""
        from proecommerce.hiding import HideLinks

        people()
        written = io.StringIO()
        handler = logging.StreamHandler(written)
        handler.addFilter(HideLinks())
        logging.root.addHandler(handler)

        def breaks(*args: Any) -> None:
            raise RuntimeError("the log-in is broken")

        monkeypatch.setattr(User, "check_password", breaks)
        canary = "canary7-of-some-words-or-more"
        client = browser(raise_request_exception=False)
        client.cookies["PROE_SID"] = canary
        answer = client.post("/log-in/", {"email": "nora@lind.example", "password": canary})
        assert answer.status_code == 500
        linked = client.get(f"/reset/MQ/{canary}/nothing/")
        assert linked.status_code == 404
        logging.root.removeHandler(handler)
        assert "the log-in is broken" in written.getvalue() and "/reset/MQ/…" in written.getvalue()
        assert canary not in written.getvalue() + answer.content.decode()
        assert site.SECRET_KEY not in written.getvalue()
