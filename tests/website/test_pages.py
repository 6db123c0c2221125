"""The public site: what it says, and that it says it without script, cookies or strangers."""

import re
from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from tests import logging_in
from tests.billing.portal import making

PAGES = ["/", "/plans/", "/sign-up/", "/contact/", "/terms/", "/status/", "/privacy/", "/privacy/versions/"]
FORMS = {"/sign-up/", "/contact/"}
# Links that one may follow; nothing is fetched from there.
LINKS = {
    "https://status.stripe.com/",
    "https://ico.org.uk/make-a-complaint/",
    "https://www.edoeb.admin.ch/",
    "https://cppa.ca.gov/",
    "https://www.edpb.europa.eu/about-edpb/about-edpb/members_en",
}
MOST = 100_000  # bytes a page, with all that it loads


@pytest.fixture
def visitor(db: None) -> Client:
    return Client(HTTP_HOST=settings.SITE_HOST)


@pytest.mark.parametrize("path", PAGES)
def test_pages_stand_alone_without_script_or_foreign_hosts(visitor: Client, path: str) -> None:
    answer = visitor.get(path)
    assert answer.status_code == 200
    html = answer.content.decode()
    scripts = re.findall(r"<script[^>]*>", html)
    assert all("/js/proof." in each for each in scripts) and len(scripts) == (path in FORMS)
    assert "style=" not in html
    assert not re.findall(r'(?:src|action)="(?:https?:)?//[^"]*"', html)
    assert not re.findall(r'<link[^>]*"(?:https?:)?//[^"]*"', html)
    assert set(re.findall(r'href="((?:https?:)?//[^"]*)"', html)) <= LINKS
    assert html.count("<h1") == 1


@pytest.mark.parametrize("path", PAGES)
def test_a_page_weighs_less_than_100_kb_with_all_that_it_loads(visitor: Client, path: str) -> None:
    answer = visitor.get(path)
    html, weight = answer.content.decode(), len(answer.content)
    assets = set(re.findall(r'(?:src|href)="(/static/[^"]*)"', html))
    assert 3 <= len(assets) <= 6
    for asset in assets:
        found = visitor.get(asset, headers={"accept-encoding": "gzip"})
        assert found.status_code == 200, asset
        weight += len(b"".join(found))
    assert weight < MOST, weight


@pytest.mark.parametrize("path", [path for path in PAGES if path not in FORMS])
def test_looking_leaves_no_cookie(visitor: Client, path: str) -> None:
    assert not visitor.get(path).cookies


@pytest.mark.parametrize("path", PAGES)
def test_links_lead_somewhere(visitor: Client, path: str) -> None:
    links = set(re.findall(r'href="(/[^"#?]*)"', visitor.get(path).content.decode()))
    for link in (each for each in links if not each.startswith("/static/")):
        assert visitor.get(link).status_code == 200, link


def test_plans_name_no_price_while_there_is_none(visitor: Client) -> None:
    html = visitor.get("/plans/").content.decode()
    assert "preview" in html
    assert not re.search(r"[$€£]\s?\d", html)


def test_the_example_invoice_adds_up(visitor: Client) -> None:
    html = visitor.get("/").content.decode()
    figures = [int(whole) * 100 + int(cents) for whole, cents in re.findall(r"€(\d+)\.(\d\d)", html)]
    assert figures == [3807, 1400, 1799, 3199, 608, 3807]
    assert figures[1] + figures[2] == figures[3]
    assert round(figures[3] * 19 / 100) == figures[4]
    assert figures[3] + figures[4] == figures[5] == figures[0]


def test_the_site_says_whether_it_is_well(visitor: Client) -> None:
    answer = visitor.get("/healthz")
    assert (answer.status_code, answer.content) == (200, b"ok")


@pytest.mark.parametrize("path", ["/invoices/", "/manage/", "/cards/"])
def test_tenants_pages_are_not_on_the_public_host(visitor: Client, path: str) -> None:
    assert visitor.get(path).status_code == 404


def test_public_pages_are_not_on_a_tenants_host(tenant: Any) -> None:
    client = Client(HTTP_HOST="alpha.localhost")
    for path in ("/plans/", "/sign-up/", "/contact/", "/status/", "/admin/"):
        assert client.get(path).status_code == 404


def test_portals_and_log_in_pages_lead_to_the_policy(tenant: Any) -> None:
    link = f'href="{settings.SITE_URL.rstrip("/")}/privacy/"'
    for host in ("alpha.localhost", settings.SITE_HOST):
        assert link in Client(HTTP_HOST=host).get("/log-in/").content.decode()
    account = making.account("policy@lind.example")
    client = Client(HTTP_HOST="alpha.localhost")
    logging_in.enter(client, account.user)
    assert link in client.get("/").content.decode()
