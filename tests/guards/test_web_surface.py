"""Every route of the three hosts: limited, closed to forged forms, harmless to look at, well headed."""

import re
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client, override_settings

from accounts import sessions
from accounts.models import User
from accounts.people import add_contact, create_user
from proecommerce import errors
from tenants import limits
from tenants.context import enter, enter_public, outside
from tenants.throttling import Rule, Window
from tests import logging_in, routes
from tests.billing.portal import making
from tests.observatory import score
from tests.routes import Route
from tests.wall.asking import keys
from tests.wall.people import belongings

pytestmark = pytest.mark.timeout(300)

PROGRAM = {"accept": "text/plain"}
# Only a change of these is no effect: sessions come and go, attempts are counted.
PASSING = {"django_session", "tenants_throttle"}
# HTML pages of other origins' scripts or frames have to name these in their policy, and nothing else does.
FOREIGN = re.compile(r"https?://[^\s;]+")
PRODUCTION = {
    "SECURE_COOKIES": True,
    "SESSION_COOKIE_SECURE": True,
    "CSRF_COOKIE_SECURE": True,
    "SECURE_PROXY_SSL_HEADER": ("HTTP_X_FORWARDED_PROTO", "https"),
    "SECURE_SSL_REDIRECT": True,
    "STRIPE_JS_URL": "https://js.stripe.com/v3/",
}


@pytest.fixture
def world(tenant: Any, now: Any, actor: Any) -> dict[str, Any]:
    """One of everything, by the names that routes give their arguments."""
    from accounts.inviting import Invitee, invite
    from tenants import claiming

    owner = create_user(email="o@a.example", name="O", role="owner", password=None, actor=actor, now=now)
    account = making.account()
    add_contact(owner, account.customer, actor=actor, now=now)
    price, rate = making.price(), making.tax_rate()
    subscription = making.subscription(account.customer, price, date(2026, 12, 4))
    invoice = making.invoice(account.customer, due=date(2026, 12, 4))
    paid = making.invoice(account.customer, due=date(2026, 11, 4))
    payment, card = making.pay(paid), making.card(account.customer)
    proof = claiming.claim("billing.lind.example", actor=actor, now=now)
    asked = invite(Invitee("new@a.example", "contact", "N", account.customer), actor=actor, now=now)
    ids = {
        "customer_id": account.customer.pk, "product_id": price.product_id, "price_id": price.pk,
        "subscription_id": subscription.pk, "invoice_id": invoice.pk, "payment_id": payment.pk,
        "rate_id": rate.pk, "card_id": card.pk, "host_id": claiming.hosts_of(tenant)[0].pk,
        "proof_id": proof.pk, "invitation_id": asked.pk,
    } | belongings(account.user, "m")  # fmt: skip
    made = keys(tenant, ids, account.user.pk)
    return made.ids | made.tokens | {
        "owner": owner, "paid": paid.pk, "app_label": "tenants", "object_id": tenant.pk,
    }  # fmt: skip


@pytest.fixture
def all_routes(world: dict[str, Any]) -> list[Route]:
    found = routes.every(world)
    assert len(found) > 100
    for name, token in world.items():  # each has been put into a path
        assert not name.endswith(":token") or any(str(token) in each.path for each in found), name
    return found


@pytest.fixture
def browse(world: dict[str, Any], actor: Any, now: Any) -> Callable[..., Client]:
    """A browser on the host, logged in as who may do most there."""

    def make(host: str, **options: Any) -> Client:
        client = Client(HTTP_HOST=host, raise_request_exception=False, **options)
        if host == settings.SITE_HOST:
            with enter_public():
                staff = User.objects.filter(role="platform").first() or create_user(
                    email="p@p.example", name="P", role="platform", password=None, actor=actor, now=now
                )
                logging_in.enter(client, staff, methods={"password", "totp"})
        elif host != settings.PAY_HOST:
            logging_in.enter(client, world["owner"])
        return client

    return make


@pytest.fixture
def clients(browse: Callable[..., Client]) -> dict[str, Client]:
    return {host: browse(host) for host in routes.hosts()}


def each_with_a_method(found: list[Route]) -> Iterator[tuple[Route, str]]:
    """Every route by POST, and some of each host by the other methods that may change something."""
    for position, route in enumerate(found):
        yield route, "post"
        if position % 20 == 0:
            yield from ((route, method) for method in ("put", "patch", "delete"))


def test_every_route_that_changes_something_is_limited(
    all_routes: list[Route], clients: dict[str, Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "ANY", Rule("any", network=(Window(1, 3600),)))
    clients[settings.SITE_HOST].post("/sign-up/")
    assert_limited(all_routes, clients, PROGRAM)


def test_a_foreign_origin_frees_no_route_from_its_limit(
    all_routes: list[Route], browse: Callable[..., Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not even where the page asks for no token: what says that it comes from elsewhere counts apart."""
    once = Rule("tokenless", network=(Window(1, 3600),))
    monkeypatch.setattr(errors, "TOKENLESS", once)
    monkeypatch.setattr(limits, "TOKENLESS", once)
    clients = {host: browse(host, enforce_csrf_checks=True) for host in routes.hosts()}
    foreign = PROGRAM | {"origin": "https://evil.example"}
    clients[settings.SITE_HOST].post("/sign-up/", headers=foreign)
    assert_limited(all_routes, clients, foreign)


def assert_limited(found: list[Route], clients: dict[str, Client], headers: dict[str, str]) -> None:
    free = set()
    for route, method in each_with_a_method(found):
        answer = getattr(clients[route.host], method)(route.path, headers=headers)
        if answer.status_code != 429:
            free.add(route.name)
            continue
        assert 0 < int(answer["Retry-After"]) <= 3600, route
        assert answer["Cache-Control"] == "no-store", route
    assert free == set(limits.EXEMPT)


def test_no_route_takes_a_form_without_its_token(
    all_routes: list[Route], browse: Callable[..., Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "ANY", Rule("any"))
    monkeypatch.setattr(errors, "TOKENLESS", Rule("tokenless"))
    taken = set()
    clients = {host: browse(host, enforce_csrf_checks=True) for host in routes.hosts()}
    for route, method in each_with_a_method(all_routes):
        answer = getattr(clients[route.host], method)(route.path)
        refused = answer.status_code == 403 and b"form" in answer.content
        if not refused:
            taken.add(route.name)
    # Signed: by Stripe, and by us in the link of a mail (RFC 8058). Tests of their own forge that.
    assert taken == {"stripe_webhook", "unsubscribe"}


def state() -> dict[str, Any]:
    """Every row of every table of the tenant and of the platform, as one digest a table."""
    found: dict[str, Any] = {}
    with outside(), enter_public(), connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'"
            " AND has_table_privilege(oid, 'SELECT') ORDER BY 1"
        )
        found |= _digests(cursor, "public", [row[0] for row in cursor.fetchall()])
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname FROM pg_class WHERE relnamespace = 't_alpha'::regnamespace AND relkind = 'r'"
        )
        found |= _digests(cursor, "t_alpha", [row[0] for row in cursor.fetchall()])
    return found


def _digests(cursor: Any, schema: str, tables: list[str]) -> dict[str, Any]:
    found = {}
    for table in tables:
        if table in PASSING:
            continue
        cursor.execute(
            f'SELECT count(*), md5(string_agg(t::text, chr(10) ORDER BY t::text)) FROM {schema}."{table}" t'
        )
        found[f"{schema}.{table}"] = cursor.fetchone()
    return found


# What changes something when it is looked at, and why that is so; here they are led to without what it takes.
BY_GET = {
    "manage:stripe_callback": "Stripe leads back by a GET; it connects once, by the state of this session",
}


def test_looking_changes_nothing(
    all_routes: list[Route], clients: dict[str, Client], tenant: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    # When a session was last used is noted once a minute: on a slow machine the walk takes longer.
    monkeypatch.setattr(sessions, "SEEN_EVERY", timedelta(days=1))
    before = state()
    assert before["t_alpha.billing_invoice"][0] == 2
    assert set(BY_GET) <= {route.name for route in all_routes}
    opened = set()
    for route in all_routes:
        for method in ("get", "head", "options"):
            answer = getattr(clients[route.host], method)(route.path)
            opened |= {route.name} if answer.status_code == 200 else set()
    assert state() == before
    by_token = {
        "accounts:invitation",
        "accounts:email_confirm",
        "accounts:email_undo",
        "accounts:keep_factors",
    }
    assert opened >= by_token | {"hosted:invoice", "hosted:pdf", "unsubscribe"}  # the tokens are real ones


@pytest.fixture
def production() -> Iterator[None]:
    with override_settings(**PRODUCTION):
        yield


def check(answer: Any, what: object) -> None:
    """What holds for every answer, of whatever kind."""
    headers = answer.headers
    assert headers["X-Content-Type-Options"] == "nosniff", what
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin", what
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin", what
    assert headers["Strict-Transport-Security"].startswith("max-age=63072000"), what
    assert "camera=()" in headers["Permissions-Policy"], what
    assert "unsafe" not in headers["Content-Security-Policy"] or "/brand/logo/" in str(what), what
    assert "default-src 'none'" in headers["Content-Security-Policy"], what
    assert "Cache-Control" in headers, what
    assert "Access-Control-Allow-Origin" not in headers, what
    assert headers["Server"] == "ProEcommerce" and "X-Powered-By" not in headers, what


def test_every_page_is_headed_well(
    all_routes: list[Route], clients: dict[str, Client], production: None
) -> None:
    pages, worst = 0, []
    for route in all_routes:
        visitor = Client(HTTP_HOST=route.host, raise_request_exception=False)
        led_to_log_in = route.name.startswith(("manage:", "portal:", "admin:"))
        for client in (clients[route.host],) if led_to_log_in else (clients[route.host], visitor):
            if route.name.endswith("logout"):
                continue
            answer = client.get(route.path, secure=True, headers={"x-forwarded-proto": "https"})
            check(answer, f"{route} {route.path}")
            if "text/html" in answer.headers.get("Content-Type", ""):
                pages += 1
                # The addresses of this stack are http; those of production are not.
                answer["Content-Security-Policy"] = answer["Content-Security-Policy"].replace(
                    "http://", "https://"
                )
                points, parts = score(answer)
                if points < 130:
                    worst.append((str(route), answer.status_code, points, parts))
    assert worst == []
    assert pages > 90


@pytest.mark.parametrize(
    ("host", "path", "status"),
    [
        ("alpha.localhost", "/no-such-page/", 404),
        ("alpha.localhost", "/static/nothing.css", 404),
        ("alpha.localhost", "/invoices/1/x.css", 404),
        ("alpha.localhost", "/manage", 301),
        ("alpha.localhost", "/%00", 404),
        ("localhost", "/admin/nothing/", 302),
        ("pay.localhost", "/", 404),
        ("pay.localhost", "/frame/forged/", 410),
        ("unknown.example", "/", 404),
        ("a b", "/", 404),
    ],
)
def test_errors_and_redirects_are_headed_as_well(
    tenant: Any, production: None, host: str, path: str, status: int
) -> None:
    client = Client(HTTP_HOST=host, raise_request_exception=False)
    answer = client.get(path, secure=True, headers={"x-forwarded-proto": "https"})
    assert answer.status_code == status
    check(answer, path)
    assert "no-store" in answer["Cache-Control"]
    if "text/html" in answer.headers.get("Content-Type", ""):
        assert score(answer)[0] >= 130


def test_plain_http_leads_to_tls_with_every_header(tenant: Any, production: None) -> None:
    answer = Client(HTTP_HOST="alpha.localhost").get("/log-in/")
    assert (answer.status_code, answer["Location"]) == (301, "https://alpha.localhost/log-in/")
    assert answer["Content-Security-Policy"] and answer["X-Content-Type-Options"] == "nosniff"
    assert "Strict-Transport-Security" not in answer.headers


def test_a_domain_of_a_tenants_own_is_not_bound_below(tenant: Any, production: None, now: Any) -> None:
    from tenants.models import Host

    with enter_public():
        Host.objects.create(
            hostname="lind.example", tenant=tenant, schema_name=tenant.schema_name, created_at=now
        )
    ask: dict[str, Any] = {"secure": True, "headers": {"x-forwarded-proto": "https"}}
    own = Client(HTTP_HOST="lind.example").get("/log-in/", **ask)
    ours = Client(HTTP_HOST="alpha.localhost").get("/log-in/", **ask)
    assert own["Strict-Transport-Security"] == "max-age=63072000"
    assert ours["Strict-Transport-Security"] == "max-age=63072000; includeSubDomains"


@pytest.mark.parametrize("method", ["TRACE", "TRACK", "CONNECT", "DEBUG", "PROPFIND"])
def test_methods_that_nobody_needs_are_refused(tenant: Any, method: str) -> None:
    answer = Client(HTTP_HOST="alpha.localhost").generic(method, "/log-in/", HTTP_X_SECRET="canary")
    assert answer.status_code == 405
    assert b"canary" not in answer.content


@pytest.mark.parametrize(
    "path", ["/invoices/", "/manage/", "/invoices/x.css", "/log-in/", "/manage/customers/?a=b.js"]
)
def test_private_pages_are_kept_nowhere(world: Any, clients: dict[str, Client], path: str) -> None:
    assert clients["alpha.localhost"].get(path)["Cache-Control"] == "no-store"


def test_no_other_origin_may_read_or_frame(tenant: Any) -> None:
    client = Client(HTTP_HOST="alpha.localhost")
    answer = client.get("/log-in/", headers={"origin": "https://evil.example"})
    assert not [name for name in answer.headers if name.lower().startswith("access-control")]
    assert "frame-ancestors 'none'" in answer["Content-Security-Policy"]
    assert answer["X-Frame-Options"] == "DENY"


@pytest.mark.parametrize("host", ["alpha.localhost", "localhost", "pay.localhost"])
def test_every_host_says_whom_to_tell_of_a_hole(tenant: Any, host: str) -> None:
    from datetime import datetime, timedelta

    from tenants import clock

    answer = Client(HTTP_HOST=host).get("/.well-known/security.txt")
    assert (answer.status_code, answer["Content-Type"]) == (200, "text/plain; charset=utf-8")
    fields = dict(line.split(": ", 1) for line in answer.content.decode().splitlines())
    assert fields["Contact"] == "mailto:billing@proecommerce.com"
    assert fields["Canonical"] == f"http://{host}/.well-known/security.txt"
    left = datetime.fromisoformat(fields["Expires"]) - clock.wall()
    assert timedelta(days=170) < left < timedelta(days=365)


def test_a_tenant_sees_nothing_of_a_guard_that_it_may_not(tenant: Any) -> None:
    with enter(tenant), connection.cursor() as cursor:
        cursor.execute("SELECT has_table_privilege('public.tenants_hostproof', 'SELECT')")
        assert cursor.fetchone() == (False,)
