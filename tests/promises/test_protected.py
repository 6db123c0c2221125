"""How it is protected: P1–P4 and P7–P9."""

import json
import os
import re
import runpy
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from unittest.mock import patch

import bcrypt
import pytest
from django.conf import settings as site
from django.core.exceptions import ImproperlyConfigured
from django.db import connection
from django.test import Client, override_settings

from accounts.hashers import imported
from accounts.models import Totp, User
from billing.models import StripeConnection
from proecommerce import errors
from tenants import limits, throttling
from tests import logging_in, routes
from tests.accounts.conftest import PASSWORD, log_in
from tests.accounts.factors import code_at
from tests.billing.payments import standin
from vault import keyring
from vault.models import DataKey

ROOT = Path(site.BASE_DIR)
TLS = {
    "SECURE_COOKIES": True, "SESSION_COOKIE_SECURE": True, "CSRF_COOKIE_SECURE": True,
    "SECURE_SSL_REDIRECT": True, "SECURE_PROXY_SSL_HEADER": ("HTTP_X_FORWARDED_PROTO", "https"),
}  # fmt: skip


def test_p1_plain_http_leads_to_tls_and_tls_is_asked_for_from_then_on(tenant: Any) -> None:
    """Traffic in; and what is asked of others in production goes to https, too."""
    with override_settings(**TLS):
        for host in routes.hosts():
            plain = Client(HTTP_HOST=host).get("/any/")
            assert (plain.status_code, plain["Location"]) == (301, f"https://{host}/any/")
            safe = Client(HTTP_HOST=host).get("/any/", secure=True, headers={"x-forwarded-proto": "https"})
            assert safe["Strict-Transport-Security"].startswith("max-age=63072000")
    front = (ROOT / "deploy" / "Caddyfile").read_text()
    assert "on_demand" in front and "auto_https off" not in front
    vendors = (ROOT / "proecommerce" / "settings.py").read_text()
    foreign = set(re.findall(r"http://[a-z][a-z0-9.-]+\.[a-z]{2,}", vendors))
    assert foreign == set()
    # a setting that leads out in the clear stops the start of a site with TLS
    for name, value in (
        ("EMAIL_URL", "smtp://user:secret@mail.example"),
        ("NEWS_EMAIL_URL", "smtp://news.example"),
        ("STRIPE_API_BASE", "http://api.stripe.example"),
        ("STRIPE_CONNECT_BASE", "http://connect.stripe.example"),
        ("STRIPE_JS_URL", "http://js.stripe.example/v3/"),
        ("STRIPE_REHEARSAL_BASE", "http://stand-in.example"),
        ("AWS_ENDPOINT_URL", "http://aws.example"),
        ("PAY_URL", "http://pay.example"),
        ("PRIVACY_IMAP_URL", "imap://user:secret@mail.example/INBOX"),
    ):
        said = _started({name: value})
        assert f"{name} would" in said and "in the clear" in said and "secret" not in said, said
    assert _started({}) == ""


def _started(more: dict[str, str]) -> str:
    """What reading the settings of a site with TLS says; empty: all is well."""
    tls = {"SITE_URL": "https://example.com", "PAY_URL": "https://pay.example.com"}
    values = {**os.environ, **tls, **more}
    try:
        with patch.dict(os.environ, values):
            runpy.run_path(str(ROOT / "proecommerce" / "settings.py"))
    except ImproperlyConfigured as error:
        return str(error)
    return ""


def test_p2_passwords_are_argon2id_and_an_imported_bcrypt_hash_is_renewed_at_log_in(
    tenant: Any, browser: Any, people: Any
) -> None:
    user = people()
    assert user.password.startswith("argon2$argon2id$")
    old = bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(10)).decode()
    User.objects.filter(pk=user.pk).update(password=imported(old))
    user.refresh_from_db()
    assert "argon2" not in user.password
    assert log_in(browser()).status_code == 302
    user.refresh_from_db()
    assert user.password.startswith("argon2$argon2id$")
    assert log_in(browser()).status_code == 302


def test_p3_every_kind_of_user_can_set_up_totp_and_is_asked_for_it(anyone: Any) -> None:
    user, client, inside = anyone
    host = client.defaults["HTTP_HOST"]
    log_in(client, email=user.email)
    client.post("/account/security/app/begin/")
    page = client.get("/account/security/app/").content.decode()
    assert 'src="data:image/svg+xml' in page
    found = re.search(r'<code id="secret">([A-Z2-7 ]+)</code>', page)
    assert found is not None
    done = client.post(
        "/account/security/app/", {"code": code_at(found[1].replace(" ", ""), datetime.now(UTC))}
    )
    codes = re.findall(r"\w{5}-\w{5}-\w{5}", done.content.decode())
    assert done.status_code == 200 and len(codes) == 10
    with inside():
        assert Totp.objects.get(user=user).confirmed_at is not None
    again = Client(HTTP_HOST=host)
    assert log_in(again, email=user.email)["Location"] == "/log-in/second/"
    assert again.get("/account/sessions/").status_code == 302
    assert again.post("/log-in/backup-code/", {"code": codes[0]}).status_code == 302
    assert again.get("/account/sessions/").status_code == 200


def test_p4_keys_of_servers_are_sealed_and_the_key_to_them_is_in_secrets_manager(
    fresh_tenant: Any, now: datetime
) -> None:
    made = standin.connect(now)
    secret = made.sealed_key.reveal()
    with connection.cursor() as cursor:
        cursor.execute("SELECT t::text, sealed_key FROM billing_stripeconnection t")
        text, sealed = cursor.fetchone()
    assert secret not in text and secret.encode() not in bytes(sealed) and secret.encode().hex() not in text
    assert secret not in repr(StripeConnection.objects.get().sealed_key)
    (row,) = DataKey.objects.all()
    ring = keyring.get_keyring()
    kept = json.loads(ring._store.read(ring._name).text)["keys"]  # asked of the Secrets Manager itself
    assert str(row.kek_version) in {str(version) for version in kept}
    assert all(len(key) == 44 for key in kept.values())  # 256 bits in base64


def test_p7_every_change_of_state_has_a_token_and_a_limit_and_fail2ban_has_its_filter(
    tenant: Any, people: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every route of the three hosts by POST, in the browser of an owner: tests/guards go further."""
    user = people()
    found = routes.every()

    def asked(check: bool) -> set[str]:
        taken = set()
        for host in routes.hosts():
            client = Client(HTTP_HOST=host, enforce_csrf_checks=check, raise_request_exception=False)
            if host == "alpha.localhost":
                logging_in.enter(client, user)
            for route in found:
                if route.host == host:
                    answer = client.post(route.path, headers={"accept": "text/plain"})
                    if answer.status_code != (403 if check else 429):
                        taken.add(route.name)
        return taken

    assert len(found) > 100
    with monkeypatch.context() as patch:
        patch.setattr(limits, "ANY", throttling.Rule("any"))
        patch.setattr(errors, "TOKENLESS", throttling.Rule("tokenless"))
        # Signed by Stripe; and the link in a mail, by us: RFC 8058 has mail programs post there.
        assert asked(check=True) == {"stripe_webhook", "unsubscribe"}
    monkeypatch.setattr(limits, "ANY", throttling.Rule("any", network=(throttling.Window(1, 3600),)))
    Client(HTTP_HOST="alpha.localhost").post("/log-in/")
    assert asked(check=False) == set(limits.EXEMPT) == {"stripe_webhook"}
    conf = (ROOT / "deploy" / "fail2ban" / "filter.d" / "proecommerce.conf").read_text()
    assert "login_failed" in conf and "<SUBNET>" in conf
    assert list((ROOT / "deploy" / "fail2ban" / "jail.d").glob("*"))


def test_p8_each_process_has_a_policy_that_names_what_it_may_and_nothing_else() -> None:
    """Tried against an IAM that enforces them in tests/deploy/test_iam.py."""
    policies = {path.stem: json.loads(path.read_text()) for path in (ROOT / "deploy" / "iam").glob("*.json")}
    assert {"web", "worker", "backup-writer", "restore-reader"} <= set(policies)
    may = {}
    for name, policy in policies.items():
        for statement in policy["Statement"]:
            assert statement["Effect"] == "Allow"
            assert "*" not in statement["Resource"]
            assert not any("*" in action for action in statement["Action"])
        may[name] = {action for each in policy["Statement"] for action in each["Action"]}
    assert may["web"] == {"secretsmanager:GetSecretValue", "s3:GetObject"}
    assert may["worker"] == {
        "secretsmanager:GetSecretValue", "s3:PutObject", "s3:PutObjectRetention", "s3:AbortMultipartUpload",
        "s3:DeleteObject", "s3:GetObject", "s3:GetObjectVersion", "s3:GetObjectRetention",
        "s3:ListBucketVersions",
    }  # fmt: skip
    deleting = {name for name, actions in may.items() if any("Delete" in action for action in actions)}
    assert deleting == {"worker"}, "of copies of data, whose time is over"
    assert not any("iam:" in action for actions in may.values() for action in actions)
    assert "s3:GetObject" not in may["backup-writer"] and "s3:PutObject" not in may["restore-reader"]


@pytest.mark.parametrize("who", ["owner", "visitor"])
def test_p9_only_the_session_and_the_forms_token_are_ever_set(
    tenant: Any, people: Callable[..., User], who: str
) -> None:
    """Every route of the three hosts, looked at and posted to."""
    user, names = people(), set()
    for host in routes.hosts():
        client = Client(HTTP_HOST=host, raise_request_exception=False)
        if who == "owner" and host == "alpha.localhost":
            logging_in.enter(client, user)
        for route in routes.every():
            if route.host == host:
                for answer in (client.get(route.path), client.post(route.path)):
                    names |= set(answer.cookies)
    client = Client(HTTP_HOST="alpha.localhost")
    client.get("/log-in/")
    log_in(client)
    names |= set(client.cookies)
    assert names == {"PROE_SID", "csrftoken"}
