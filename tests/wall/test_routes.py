"""Every route on A's host, asked by each kind of person with the keys of B: no canary of B is heard."""

import logging
from collections.abc import Iterator
from typing import Any

import pytest
import redis
from django.conf import settings
from django.test import Client

from tests.wall import cases
from tests.wall.asking import RARE, Sung, ask, client_of, keys
from tests.wall.routes import Route, routes, without_a_case
from tests.wall.twins import A, B, Twins

pytestmark = [pytest.mark.xdist_group("wall"), pytest.mark.usefixtures("unlimited")]
URLCONFS = {
    "proecommerce.urls": cases.TENANT,
    "proecommerce.urls_public": cases.PUBLIC,
    "proecommerce.urls_pay": cases.PAY,
}


@pytest.mark.parametrize("urlconf", URLCONFS)
def test_every_route_has_a_case_and_every_case_a_route(urlconf: str) -> None:
    found = routes(urlconf)
    assert without_a_case(found, URLCONFS[urlconf]) == set(), "give each a line in tests/wall/cases.py"
    names = {route.name for route in found}
    assert {name for name in URLCONFS[urlconf] if not name.endswith(":")} - names == set(), "no such routes"


def people(twins: Twins) -> dict[str, Any]:
    both = twins.both
    return {
        "nobody": None,
        "contact": both["1"].user_id,
        "billing": both["staff"].user_id,
        "support": both["helper"].user_id,
        "read_only": both["reader"].user_id,
        "owner": both["owner"].user_id,
    }


def asked_of(urlconf: str) -> list[tuple[Route, cases.Case]]:
    """The routes with their cases; without those that have none (the first test tells) or are not asked."""
    known = URLCONFS[urlconf]
    return [(each, known[each.name]) for each in routes(urlconf) if each.name in known]


ASKED = asked_of("proecommerce.urls")


# What the middle ones may do lies between: keys that only B has they are asked with in long runs.
LEAST_AND_MOST, BETWEEN = ("nobody", "contact", "owner"), ("billing", "support", "read_only")
ASKING = [(who, "same") for who in (*LEAST_AND_MOST, *BETWEEN)] + [(who, "others") for who in LEAST_AND_MOST]


@pytest.mark.parametrize(
    ("who", "whose"),
    [*ASKING, *(pytest.param(who, "others", marks=pytest.mark.long) for who in BETWEEN)],
)
def test_no_route_tells_of_another_tenant(
    twins: Twins, who: str, whose: str, db: None, caplog: pytest.LogCaptureFixture
) -> None:
    """By the very keys that A has too, and by such as only B has."""
    caplog.set_level(logging.DEBUG)
    client = client_of(twins, people(twins)[who])
    sung = Sung(twins)
    found = twins.both["1"] if whose == "same" else twins.only_b["1"]
    with_keys = keys(twins.b, found.ids, found.user_id)  # type: ignore[arg-type]
    ask(client, ASKED, with_keys, [B], sung, who)
    rarely = whose == "others" and who in {"nobody", "owner"}
    if rarely:  # of what one may do by them, these two may least and most
        ask(client, ASKED, with_keys, [B], sung, who, rarely=True)
    assert_silent(twins, sung, B, caplog)
    assert sung.answered == len(ASKED) * (3 + len(RARE) * rarely)
    assert sung.fine > 10 or who == "nobody"


def assert_silent(twins: Twins, sung: Sung, canary: str, caplog: pytest.LogCaptureFixture) -> None:
    """Neither answers nor mails, neither the log nor what A's requests have left in the cache tells of it."""
    assert sung.heard == set()
    assert sung.broken == []
    assert sung.failed == set()
    assert canary not in caplog.text.lower()
    assert not [words for words in cached(twins) if canary in words]


def cached(twins: Twins) -> Iterator[str]:
    """What this test's requests have left in the cache of A."""
    client: Any = redis.Redis.from_url(str(settings.CACHES["default"]["LOCATION"]))
    ours = f"{twins.a.schema_name}:{settings.CACHES['default']['KEY_PREFIX']}:*"
    for key in client.scan_iter(match=ours, count=1000):
        value = client.get(key) if client.type(key) == b"string" else client.dump(key)
        yield f"{key!r}{value!r}".lower()


@pytest.mark.parametrize(
    ("urlconf", "host"),
    [("proecommerce.urls_public", settings.SITE_HOST), ("proecommerce.urls_pay", settings.PAY_HOST)],
)
def test_no_host_of_the_platform_tells_of_a_tenant(
    twins: Twins, urlconf: str, host: str, db: None, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    client = Client(HTTP_HOST=host, raise_request_exception=False)
    sung, asked = Sung(twins), asked_of(urlconf)
    for tenant, found, other in ((twins.b, twins.only_b["1"], A), (twins.a, twins.both["1"], B)):
        with_keys = keys(tenant, found.ids, found.user_id)  # type: ignore[arg-type]
        # The frame of a payment is for whoever holds its token, and tells of that tenant.
        silent = [other] if host == settings.PAY_HOST else [A, B]
        ask(client, asked, with_keys, silent, sung, "nobody", urlconf)
    assert_silent(twins, sung, B, caplog)
    assert sung.fine >= 2 or host != settings.PAY_HOST
    assert sung.answered == len(asked) * 6


def test_no_route_tells_one_customer_of_another(
    twins: Twins, db: None, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    client = client_of(twins, twins.both["1"].user_id)
    others = keys(twins.a, twins.both["2"].ids, twins.both["2"].user_id)  # type: ignore[arg-type]
    # What hangs on a token is for whoever holds it.
    asked = [each for each in ASKED if "token" not in each[0].parameters]
    sung = Sung(twins)
    ask(client, asked, others, ["canarya2"], sung, "contact of 1")
    assert_silent(twins, sung, "canarya2", caplog)


def test_the_birds_sing_on_their_own_pages(twins: Twins, db: None) -> None:
    """Without this the silence above would prove nothing."""
    heard = Sung(twins)
    mine = keys(twins.a, twins.both["2"].ids, twins.both["2"].user_id)  # type: ignore[arg-type]
    ask(client_of(twins, twins.both["owner"].user_id), ASKED, mine, ["canarya2", "canarya0"], heard, "owner")
    own = {"portal:invoice_pdf", "portal:team_resend", "accounts:privacy_copy_fetch"}
    theirs = [each for each in ASKED if each[0].name in own]
    ask(client_of(twins, twins.both["2"].user_id), theirs, mine, ["canarya2"], heard, "contact")
    assert (heard.broken, heard.failed) == ([], set())
    assert {
        "owner GET manage:customer page: canarya2",
        "owner GET manage:invoice page: canarya2",
        "owner GET manage:import_preview page: canarya0",  # the ticket is a real one
        "owner GET manage:invoice_pdf header: canarya2",
        "owner GET manage:invoice_pdf PDF: canarya2",
        "owner GET manage:copy_fetch zip: canarya2",
        "owner POST manage:invitation_resend mail: canarya2",
        "owner POST manage:invoice_send PDF: canarya2",  # in a mail
        "contact GET portal:invoice_pdf PDF: canarya2",
        "contact GET accounts:privacy_copy_fetch zip: canarya2",
        "contact POST portal:team_resend mail: canarya2",
    } <= heard.heard
    pages = [line for line in heard.heard if line.startswith("owner GET manage:") and " page: " in line]
    assert len({line.split()[2] for line in pages}) > 25
    assert any("canarya0" in words for words in cached(twins))
