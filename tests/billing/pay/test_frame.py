"""The frame of the pay host: whom it opens for, what it may load, who may embed it."""

from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
import time_machine
from django.conf import settings
from django.test import Client

from billing.pay import tokens
from tenants.context import enter

PAGE = "http://alpha.localhost/invoices/"


@pytest.fixture
def pay_host() -> Client:
    return Client(HTTP_HOST=settings.PAY_HOST)


def frame_of(tenant: Any) -> str:
    with enter(tenant):
        return urlsplit(tokens.url_of_setup("seti_1", page=PAGE)).path


def policy(answer: Any) -> dict[str, list[str]]:
    rules = (rule.split() for rule in answer["Content-Security-Policy"].split(";"))
    return {rule[0]: rule[1:] for rule in rules if rule}


@pytest.mark.parametrize("change", [lambda path: path[:-3] + "/", lambda path: "/frame/x/"])
def test_a_forged_frame_opens_nothing_and_for_nobody(two_tenants: Any, pay_host: Client, change: Any) -> None:
    answer = pay_host.get(change(frame_of(two_tenants[0])))
    assert answer.status_code == 410
    assert policy(answer)["frame-ancestors"] == ["'none'"]


def test_a_frame_is_over_after_a_quarter_of_an_hour(two_tenants: Any, pay_host: Client) -> None:
    with time_machine.travel(datetime.now(UTC) - tokens.LIFETIME - timedelta(seconds=5)):
        path = frame_of(two_tenants[0])
    assert pay_host.get(path).status_code == 410


def test_a_frame_is_on_the_pay_host_only(two_tenants: Any) -> None:
    path = frame_of(two_tenants[0])
    for host in (settings.SITE_HOST, "alpha.localhost", "nobody.localhost"):
        assert Client(HTTP_HOST=host).get(path).status_code == 404


def test_only_the_tenants_own_hosts_may_embed_it_and_no_cookie_is_set(
    two_tenants: Any, pay_host: Client
) -> None:
    for tenant in two_tenants:
        answer = pay_host.get(frame_of(tenant))
        [embedder] = policy(answer)["frame-ancestors"]
        assert urlsplit(embedder).hostname == f"{tenant.slug}.localhost"
        assert "X-Frame-Options" not in answer
        assert not answer.cookies
        assert answer["Cache-Control"] == "no-store"


def test_it_may_load_stripe_and_nothing_else(two_tenants: Any, pay_host: Client, settings: Any) -> None:
    settings.STRIPE_JS_URL = "https://js.stripe.com/v3/"
    rules = policy(pay_host.get(frame_of(two_tenants[0])))
    js = ["https://js.stripe.com", "https://*.js.stripe.com"]
    assert rules["default-src"] == ["'none'"]
    assert rules["script-src"] == ["'self'", *js]
    assert rules["frame-src"] == [*js, "https://hooks.stripe.com"]
    assert rules["connect-src"] == ["'self'", "https://api.stripe.com"]
    assert rules["form-action"] == ["'none'"]


def test_pages_of_a_tenant_name_no_third_party(tenant: Any) -> None:
    rules = policy(Client(HTTP_HOST="alpha.localhost").get("/log-in/"))
    sources = {source for values in rules.values() for source in values}
    assert sources <= {"'self'", "'none'", "data:"}
