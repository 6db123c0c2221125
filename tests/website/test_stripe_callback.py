"""The one address that Stripe sends owners back to, and whose host it leads them on to."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.conf import settings
from django.test import Client

from billing import connecting
from tenants.context import enter


@pytest.fixture
def visitor(db: None) -> Client:
    return Client(HTTP_HOST=settings.SITE_HOST)


def state_of(tenant: Any) -> str:
    with enter(tenant):
        url = connecting.authorize_url(nonce="n", redirect_uri=connecting.callback_url(), email="")
    given = parse_qs(urlsplit(url).query)
    assert given["redirect_uri"] == [settings.SITE_URL.rstrip("/") + "/stripe/callback/"]
    return given["state"][0]


def test_each_owner_is_led_to_the_host_of_the_own_tenant(visitor: Client, two_tenants: Any) -> None:
    for tenant in two_tenants:
        asked = {"state": state_of(tenant), "code": "ac_1", "scope": "read_write"}
        answer = visitor.get("/stripe/callback/", asked)
        assert answer.status_code == 302
        to = urlsplit(answer["Location"])
        assert (to.hostname, to.path) == (f"{tenant.slug}.localhost", "/manage/settings/stripe/callback/")
        assert parse_qs(to.query) == {name: [value] for name, value in asked.items()}


def test_a_state_that_is_not_ours_leads_nowhere(visitor: Client, two_tenants: Any) -> None:
    good = state_of(two_tenants[0])
    for state in ("", "x", good + "x", good[1:]):
        answer = visitor.get("/stripe/callback/", {"state": state, "code": "ac_1"})
        assert answer.status_code == 400
        assert "Location" not in answer
    assert visitor.post("/stripe/callback/", {"state": good}).status_code == 405
