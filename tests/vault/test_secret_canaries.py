"""Secrets that are planted and used are found again nowhere: database, logs, pages, queue, cache."""

import base64
import io
import json
import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import pytest
import redis
from django.conf import settings
from django.core import mail
from django.db import connection
from django.test import Client
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode
from django.views.debug import get_exception_reporter_class

from accounts import enrolling, one_time
from accounts.inviting import Invitee, invite, token_of
from accounts.models import Invitation, Totp, User
from accounts.passwords import ask_reset, tokens
from accounts.people import create_user
from billing.models import StripeConnection
from proecommerce.hiding import HideLinks, hide_links
from sandbox.stack.postgres import binaries
from tenants import clock
from tenants.context import enter_public
from tenants.models import Job
from tenants.working import work_off
from tests.billing.payments import standin
from vault import datakeys, keyring
from vault.models import DataKey

PASSWORD = "canary: a password of seven words"
WRONG = "canary: a wrong password of words"


def forms(secret: str | bytes) -> set[bytes]:
    """How a secret may stand in clear: as it is, in hex or base64, quoted, escaped."""
    raw = secret.encode() if isinstance(secret, str) else secret
    found = {raw, raw.hex().encode(), base64.b64encode(raw), base64.urlsafe_b64encode(raw).rstrip(b"=")}
    if isinstance(secret, str):
        found |= {quote(secret).encode(), json.dumps(secret)[1:-1].encode()}
    return found


class Planted:
    """The secrets in use, by kind, and a search for them."""

    def __init__(self) -> None:
        self.secrets: dict[str, set[bytes]] = {}

    def plant(self, kind: str, secret: str | bytes) -> None:
        assert len(secret) >= 16
        self.secrets[kind] = forms(secret)

    def hits(self, where: bytes | str) -> list[str]:
        text = where.encode(errors="replace") if isinstance(where, str) else where
        return sorted(kind for kind, ways in self.secrets.items() if any(way in text for way in ways))


@pytest.fixture
def planted(
    fresh_tenant: Any, actor: Any, now: Any, caplog: pytest.LogCaptureFixture, settings: Any
) -> Iterator[Planted]:
    """Use each kind of secret as people do, with the logs open to the last word."""
    settings.DEBUG = False
    caplog.set_level(logging.DEBUG)
    found = Planted()
    stripe = standin.connect(now)
    standin.control("fault", kind="drop_events", account=stripe.account_id)
    found.plant("Stripe key", stripe.sealed_key.reveal())
    found.plant("webhook secret", stripe.sealed_webhook_secret.reveal())
    (row,) = DataKey.objects.all()
    found.plant("data key", datakeys.unwrap(row))
    ring = keyring.get_keyring()
    for key in json.loads(ring._store.read(ring._name).text)["keys"].values():
        found.plant("key-encryption key", base64.b64decode(key))
    found.plant("password", PASSWORD)
    found.plant("wrong password", WRONG)
    user = create_user(
        email="canary@lind.example",
        name="Nora",
        role=User.Role.OWNER,
        password=PASSWORD,
        actor=actor,
        now=now,
    )
    app = enrolling.begin_app(user, actor=actor, now=now)
    app.refresh_from_db()
    found.plant("app's secret", app.secret.reveal())
    ask_reset(user.email, actor=actor, now=now)
    found.plant("reset token", tokens.make_token(user))
    invitation = invite(Invitee("new@lind.example", "billing"), actor=actor, now=now)
    found.plant("invitation token", token_of(invitation))
    found.plant("Django's key", settings.SECRET_KEY)
    found.plant("platform's Stripe key", settings.STRIPE_SECRET_KEY)
    yield found
    with enter_public():
        Job.objects.filter(schema_name=fresh_tenant.schema_name).delete()


@pytest.fixture
def browser(fresh_tenant: Any) -> Client:
    return Client(HTTP_HOST=f"{fresh_tenant.slug}.localhost", raise_request_exception=False)


def dump(schema: str) -> bytes:
    """Everything in the tenant's schema and in the shared one, as pg_dump writes it."""
    name = str(connection.settings_dict["NAME"])
    command = [
        str(binaries() / "pg_dump"),
        "-d",
        os.environ["DATABASE_ADMIN_URL"].rpartition("/")[0] + f"/{name}",
    ]
    command += ["--data-only", "-n", schema, "-n", "public"]
    return subprocess.run(command, capture_output=True, check=True).stdout


def everything_in(url: str) -> bytes:
    """All keys and values of a Valkey, the bodies of Celery's messages opened."""
    client: Any = redis.Redis.from_url(url)
    found: list[bytes] = []
    for key in client.scan_iter(count=1000):
        kind = client.type(key)
        values = client.lrange(key, 0, -1) if kind == b"list" else [client.dump(key) or b""]
        if kind == b"string":
            values = [client.get(key) or b""]
        for value in values:
            found += [key, value]
            with suppress(ValueError, KeyError, TypeError):
                found.append(base64.b64decode(json.loads(value)["body"]))
    return b"\n".join(found)


def test_no_secret_is_found_in_the_database_the_queue_or_the_cache(
    planted: Planted, fresh_tenant: Any, browser: Client
) -> None:
    assert browser.post("/log-in/", {"email": "canary@lind.example", "password": WRONG}).status_code == 422
    assert browser.post("/log-in/", {"email": "canary@lind.example", "password": PASSWORD}).status_code == 302
    assert browser.get("/manage/settings/stripe/").status_code == 200
    Totp.objects.update(created_at=clock.now())  # it was made on the day of the fixtures
    shown = browser.get("/account/security/app/").content  # to its owner, this once
    assert one_time.in_groups(Totp.objects.get().secret.reveal()).encode() in shown
    found = dump(fresh_tenant.schema_name)
    assert b"canary@lind.example" in found, "the dump holds what was planted"
    assert planted.hits(found) == []
    assert planted.hits(everything_in(settings.BROKER_URL)) == []
    assert planted.hits(everything_in(str(settings.CACHES["default"]["LOCATION"]))) == []


def test_mails_hold_the_one_link_that_they_are_for_and_no_other_secret(
    planted: Planted, caplog: pytest.LogCaptureFixture
) -> None:
    later = clock.now() + timedelta(minutes=1)
    names = {"accounts.mail_reset": "reset token", "accounts.mail_invitation": "invitation token"}
    for name, token in names.items():
        mail.outbox.clear()
        assert work_off([Job.objects.get(name=name).pk], now=later) == 1
        sent: Any = mail.outbox[-1]
        assert planted.hits(str(sent.body)) == [token]
        html = str(sent.alternatives[0][0])
        assert planted.hits(html) == [token]
    assert planted.hits(caplog.text) == []


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    """What the console would show, tracebacks included, at every level."""
    handlers: Any = settings.LOGGING["handlers"]
    assert handlers["console"]["filters"] == ["hide_links"]
    text = io.StringIO()
    handler = logging.StreamHandler(text)
    handler.addFilter(HideLinks())
    logging.root.addHandler(handler)
    yield text
    logging.root.removeHandler(handler)


def test_logs_and_error_pages_hold_no_secret(
    planted: Planted, browser: Client, written: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = User.objects.get(email="canary@lind.example")
    reset = f"/reset/{urlsafe_base64_encode(force_bytes(user.pk))}/{tokens.make_token(user)}/"
    invitation = f"/invitation/{token_of(Invitation.objects.get())}/"

    def breaks(*args: Any, **kwargs: Any) -> None:
        raise RuntimeError("the log-in is broken")

    monkeypatch.setattr(User, "check_password", breaks)
    broken = browser.post("/log-in/", {"email": user.email, "password": PASSWORD})
    assert broken.status_code == 500
    answers = [broken, browser.post(reset + "nothing/", {"password": PASSWORD})]
    for address in (reset, invitation):
        answers += [browser.get(address), browser.put(address), browser.post(address, {"password": WRONG})]
    for answer in answers:
        shown = answer.content + str(answer.headers).encode()
        # The address that was asked for may stand on its own page.
        assert set(planted.hits(shown)) <= {"reset token", "invitation token"}, answer.status_code
    assert "the log-in is broken" in written.getvalue()
    assert "/reset/…" in written.getvalue()
    assert planted.hits(written.getvalue()) == []


def test_a_link_in_a_log_line_is_cut(planted: Planted) -> None:
    lines = [
        "Internal Server Error: /reset/MDE5Yw/c8k2xx-0123456789abcdef0123456789abcdef/",
        "Not Found: /invitation/WyJ0X2FscGhhIiwiMDE5YyJd:aQ2bX_long-signature0/",
        '127.0.0.1 "GET /pay/WyJ0X2Fsc:1abCdE:longsignature99x/card/?state=abc HTTP/1.1" 200',
    ]
    for line in lines:
        assert "…" in hide_links(line)
    assert "0123456789abcdef" not in "".join(map(hide_links, lines))
    kept = "Not Found: /manage/customers/019c9a1e-5b1c-7c11-8f1e-2f8d7f7f0a11/change/"
    assert hide_links(kept) == kept


def test_an_error_report_shows_no_secret(planted: Planted, browser: Client, rf: Any) -> None:
    request = rf.post("/log-in/", {"password": PASSWORD}, HTTP_HOST="localhost")
    cookie = uuid4().hex  # made now: the report shows lines of this file
    request.COOKIES["PROE_SID"] = request.META["HTTP_COOKIE"] = cookie
    stripe: Any = StripeConnection.objects.get()
    try:
        password, revealed = PASSWORD, stripe.sealed_key.reveal()
        raise RuntimeError("broken", len(password), len(revealed))
    except RuntimeError:
        kind, error, trace = sys.exc_info()
    reporter_class: Any = get_exception_reporter_class(request)
    reporter = reporter_class(request, kind, error, trace)
    for text in (reporter.get_traceback_html(), reporter.get_traceback_text()):
        assert "broken" in text
        assert planted.hits(text) == []
        assert cookie not in text
        for variable in ("DATABASE_URL", "DATABASE_ADMIN_URL"):
            assert os.environ[variable].split("@")[0] not in text


def test_what_holds_a_secret_shows_nothing_of_it(planted: Planted) -> None:
    stripe: Any = StripeConnection.objects.get()
    stripe.sealed_key.reveal()
    key = datakeys.get_current_key()
    ring = keyring.get_keyring()
    stored = ring._store.read(ring._name)
    shown = [
        repr(each)
        for each in (stripe, vars(stripe), key, ring, ring.current(), stored, DataKey.objects.get())
    ]
    shown += [repr(Totp.objects.get()), repr(vars(Totp.objects.get()))]
    shown += [repr(User.objects.get(email="canary@lind.example")), repr(vars(User.objects.get()))]
    assert planted.hits("\n".join(shown)) == []
