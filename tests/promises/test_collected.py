"""What is collected: C2, C5 and C10; C9 stands with S6 in test_shared.py."""

from datetime import datetime
from typing import Any

from django.apps import apps
from django.contrib.sessions.models import Session as SessionData
from django.db import connection

from accounts.hashers import imported
from accounts.models import BackupCode, Passkey, Session, Totp, User
from privacy import inventory
from tests.accounts.conftest import PASSWORD, log_in
from tests.accounts.factors import with_app, with_codes

FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0"


def rows(table: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT string_agg(t::text, ' ') FROM {table} t")
        return str(cursor.fetchone()[0])


def test_c2_of_what_logs_people_in_only_hashes_and_what_is_sealed_is_kept(
    tenant: Any, people: Any, now: datetime
) -> None:
    user = people()
    secret, codes = with_app(user, now), with_codes(user, now)
    assert user.password.startswith("argon2$argon2id$")
    held = rows("accounts_user") + rows("accounts_totp") + rows("accounts_backupcode")
    with connection.cursor() as cursor:
        cursor.execute("SELECT secret FROM accounts_totp")
        assert secret.encode() not in bytes(cursor.fetchone()[0])
    for each in (PASSWORD, secret, *codes, *(code.replace("-", "") for code in codes)):
        assert each not in held
    assert Totp.objects.get().secret.reveal() == secret
    assert all(code.hash.startswith("argon2$argon2id$") for code in BackupCode.objects.all())
    kept = {each.name for model in (User, Totp, BackupCode) for each in model._meta.concrete_fields}
    assert not kept & {"birthday", "gender", "photo", "question", "answer"}
    assert {each.name for each in Passkey._meta.concrete_fields} >= {"public_key", "sign_count"}
    assert imported("$2b$10$abcdefghijklmnopqrstuuGKDdh3qZYfWAuE8lMt4h0bFlvBdVQ7e")  # bcrypt is accepted


def test_c5_a_log_in_keeps_address_agent_time_and_a_key_that_opens_nothing(
    tenant: Any, browser: Any, people: Any
) -> None:
    user = people()
    client = browser(HTTP_USER_AGENT=FIREFOX, REMOTE_ADDR="192.0.2.7")
    assert log_in(client).status_code == 302
    row = Session.objects.get()
    assert (row.user, row.ip, row.user_agent) == (user, "192.0.2.7", FIREFOX)
    assert row.begun_at is not None and row.last_seen_at is not None
    key = client.cookies["PROE_SID"].value
    assert key not in rows("accounts_session") + rows("django_session") + rows("audit_auditevent")
    assert SessionData.objects.get().session_key == row.key_hash
    page = client.get("/account/sessions/").content.decode()
    assert "192.0.2.7" in page and "Firefox on Windows" in page  # and the person sees it


def test_c10_every_field_of_every_model_is_declared_personal_or_not() -> None:
    declared = {each.label: set(each.personal) | each.none for each in inventory.holdings()}
    missing, unknown = [], []
    for model in apps.get_models(include_auto_created=True):
        names = {field.name for field in model._meta.concrete_fields}
        said = declared.pop(model._meta.label, set())
        missing += [f"{model._meta.label}.{name}" for name in sorted(names - said)]
        unknown += [f"{model._meta.label}.{name}" for name in sorted(said - names)]
    assert missing == [], "declare these in their app's personal_data.py"
    assert unknown == []
    assert declared == {}, "models that do not exist"
