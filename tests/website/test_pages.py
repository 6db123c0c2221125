"""The public site: what it says, and that it says it without script, cookies or strangers."""

import re
from typing import Any

import pytest
from django.conf import settings
from django.test import Client

PAGES = ["/", "/plans/", "/sign-up/"]


@pytest.fixture
def visitor(db: None) -> Client:
    return Client(HTTP_HOST=settings.SITE_HOST)


@pytest.mark.parametrize("path", PAGES)
def test_pages_stand_alone_without_script_or_foreign_hosts(visitor: Client, path: str) -> None:
    answer = visitor.get(path)
    assert answer.status_code == 200
    html = answer.content.decode()
    scripts = re.findall(r"<script[^>]*>", html)
    assert all("/js/proof." in each for each in scripts) and len(scripts) == (path == "/sign-up/")
    assert "style=" not in html
    assert not re.findall(r'(?:src|href|action)="(?:https?:)?//[^"]*"', html)
    assert html.count("<h1") == 1


@pytest.mark.parametrize("path", ["/", "/plans/"])
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
    for path in ("/plans/", "/sign-up/", "/admin/"):
        assert client.get(path).status_code == 404
