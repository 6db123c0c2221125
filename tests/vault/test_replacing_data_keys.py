"""`rotate_keys`, and with `--data`: beside readers and writers, killed, resumed; nothing fails or is lost."""

import json
import os
import signal
import subprocess
import time
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.apps import apps
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import connection, transaction

from audit.models import AuditEvent
from audit.verifying import verify
from billing.models import StripeConnection
from tenants import rekeying
from tenants.context import enter, enter_public
from tenants.errors import RotationBusy, ValuesLeft
from tests.tenants.scratch import Scratch
from tests.vault.aws import wait_until
from tests.vault.conftest import SEALED as SETTINGS
from tests.vault.conftest import forget_papers, run_python
from vault import datakeys, resealing
from vault.fields import EncryptedTextField
from vault.models import DataKey

ROWS = 80
SLUGS = ("alpha", "beta")
VALUES = (
    "SELECT count(*) FROM ("
    "SELECT first AS blob FROM {0}.sealed_paper UNION ALL SELECT second FROM {0}.sealed_paper) v"
    " JOIN {0}.vault_datakey k ON encode(substr(v.blob, 2, 16), 'hex') = replace(k.id::text, '-', '')"
    " WHERE {1}"
)


def counted(papers: Scratch, schema: str, condition: str) -> int:
    return int(papers.rows(VALUES.format(schema, condition))[0][0])


def loaded(papers: Scratch, stop: Path) -> "subprocess.Popen[str]":
    """A process that reads and writes sealed papers of both tenants until the file is there."""
    forget_papers(papers)
    filling = run_python(papers, "-m", "tests.vault.rotating", "fill", str(ROWS), *SLUGS)
    assert filling.wait(60) == 0, filling.stderr.read()  # type: ignore[union-attr]
    load = run_python(papers, "-m", "tests.vault.rotating", "load", str(stop), *SLUGS)
    assert load.stdout is not None
    assert load.stdout.readline() == "ready\n"
    return load


def whole(load: "subprocess.Popen[str]", stop: Path) -> dict[str, Any]:
    """End it; nothing that it did has failed."""
    stop.touch()
    out, err = load.communicate(timeout=60)
    found: dict[str, Any] = json.loads(out)
    assert found["failed"] == [], err
    assert set(found["done"]) == {"read", "change", "resave", "create"}
    assert sum(found["done"].values()) > 100
    return found


def wrapped_by(papers: Scratch) -> dict[str, set[str]]:
    """By which key-encryption keys the data and subject keys of each schema are wrapped."""
    found = {}
    for schema in ("t_alpha", "t_beta", "t_crowd", "public"):
        rows = papers.rows(
            f"SELECT kek_version FROM {schema}.vault_datakey"
            f" UNION SELECT kek_version FROM {schema}.vault_subjectkey WHERE wrapped IS NOT NULL"
        )
        found[schema] = {version for (version,) in rows}
    return found


@pytest.mark.timeout(300)
def test_the_key_above_all_is_replaced_under_load_killed_between_tenants_and_resumed(
    papers: Scratch, tmp_path: Path
) -> None:
    stop = tmp_path / "stop"
    load = loaded(papers, stop)
    old = wrapped_by(papers)
    by_alpha = "SELECT kek_version FROM t_alpha.vault_datakey"
    assert old["t_alpha"] == old["t_beta"] == old["public"] and len(old["public"]) == 1, old
    with papers.owner() as owner, owner.transaction():
        owner.execute(
            "SELECT 1 FROM t_beta.vault_datakey FOR SHARE"
        )  # the rotation stops there, no reader does
        rotating = run_python(papers, "manage.py", "rotate_keys", "--at-once")
        moved = wait_until(lambda: {row[0] for row in papers.rows(by_alpha)} != old["t_alpha"], seconds=60)
        assert moved and rotating.poll() is None, rotating.communicate()
        rotating.send_signal(signal.SIGKILL)
        rotating.wait(10)
    between = wrapped_by(papers)
    assert between["t_alpha"] != old["t_alpha"] and between["t_beta"] == between["public"] == old["public"]

    again = papers.manage("rotate_keys", "--at-once", settings=SETTINGS)
    assert again.returncode == 0, again.stderr
    time.sleep(0.5)
    after = wrapped_by(papers)
    (new,) = after["public"]
    assert after["t_alpha"] == after["t_beta"] == {new} != between["t_alpha"]
    assert after["t_crowd"] <= {new}
    assert new in whole(load, stop)["knows"]  # it has learnt it by itself
    told = papers.rows(
        "SELECT subject_id, (details->>'wrapped')::int >= 3, (details->>'people')::int >= 3"
        " FROM public.audit_auditevent WHERE action = 'keys.rotated'"
    )
    assert told == [(new, True, True)]  # what was killed has told nothing


@pytest.mark.timeout(300)
def test_a_rotation_under_load_is_killed_and_resumed_without_one_failed_request(
    papers: Scratch, tmp_path: Path
) -> None:
    stop = tmp_path / "stop"
    load = loaded(papers, stop)
    rotating = run_python(papers, "manage.py", "rotate_keys", "--data", "--batch", "1")
    moved = "k.version > 1"
    began = wait_until(
        lambda: rotating.poll() is not None or counted(papers, "t_alpha", moved) > 20, seconds=60
    )
    assert began and rotating.poll() is None, rotating.communicate()
    rotating.send_signal(signal.SIGKILL)
    rotating.wait(10)
    assert counted(papers, "t_alpha", "k.version = 1") > 20, "killed too late to tell anything"
    assert papers.rows("SELECT count(*) FROM t_alpha.vault_datakey WHERE retired_at IS NULL") == [(2,)]

    again = papers.manage("rotate_keys", "--data", settings=SETTINGS)
    assert again.returncode == 0, again.stderr
    time.sleep(0.3)
    whole(load, stop)
    for schema in ("t_alpha", "t_beta"):
        assert counted(papers, schema, "k.retired_at IS NOT NULL OR k.version <> 2") == 0
        assert counted(papers, schema, "k.version = 2") >= 2 * ROWS
        assert papers.rows(
            f"SELECT version, retired_at IS NULL FROM {schema}.vault_datakey ORDER BY version"
        ) == [(1, False), (2, True)]
    assert papers.manage("audit_verify", "--no-store", settings=SETTINGS).returncode == 0
    # A finished run is over: the next one begins anew.
    assert papers.manage("rotate_keys", "--data", settings=SETTINGS).returncode == 0
    assert papers.rows("SELECT max(version) FROM t_beta.vault_datakey") == [(3,)]


@pytest.fixture
def _own_secret(settings: Any) -> None:
    settings.SECRETS_PREFIX = f"test-{uuid4().hex}"
    datakeys._held.clear()


@pytest.fixture
def connected(_own_secret: None, fresh_tenant: Any, now: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A tenant with two sealed values; the rotation sees no other tenant."""
    StripeConnection.objects.create(
        kind="restricted", account_id="acct_1", publishable_key="pk_1", connected_at=now,
        sealed_key="rk_canary", sealed_webhook_secret="whsec_canary",
    )  # fmt: skip
    monkeypatch.setattr(rekeying, "every_tenant", lambda: [fresh_tenant])
    monkeypatch.setattr(resealing, "begin_run", lambda: now + timedelta(days=9999))
    return fresh_tenant


def stripe() -> Any:
    return StripeConnection.objects.get()


def replace(actor: Any, now: Any) -> int:
    return rekeying.replace_data_keys(actor=actor, now=now, progress=lambda line: None)


def test_every_value_is_sealed_anew_and_the_record_says_so(connected: Any, actor: Any, now: Any) -> None:
    before = stripe()
    assert replace(actor, now) >= 2
    after = stripe()
    assert before.sealed_key.blob != after.sealed_key.blob
    old, new = DataKey.objects.order_by("version")
    assert (old.retired_at, new.retired_at) == (now, None)
    assert after.sealed_key.blob[1:17] == after.sealed_webhook_secret.blob[1:17] == new.id.bytes
    datakeys._held.clear()
    assert after.sealed_key.reveal() == before.sealed_key.reveal() == "rk_canary"
    event = AuditEvent.objects.get(action="data_key.replaced")
    assert (event.subject_id, event.details) == (str(new.id), {"retired": 1, "resealed": 2})
    assert verify().problem is None


def test_a_row_read_before_and_saved_after_does_not_bring_the_old_key_back(
    connected: Any, actor: Any, now: Any
) -> None:
    read_before = stripe()
    replace(actor, now)
    read_before.business_name = "Saved late"
    read_before.save()
    found = stripe()
    newest = DataKey.objects.get(retired_at=None)
    assert found.business_name == "Saved late"
    assert found.sealed_key.blob[1:17] == newest.id.bytes
    assert found.sealed_key.reveal() == "rk_canary"


def test_what_does_not_open_stays_as_it_is_and_keeps_its_key_in_use(
    connected: Any, actor: Any, now: Any, caplog: pytest.LogCaptureFixture
) -> None:
    with connection.cursor() as cursor:
        cursor.execute("UPDATE billing_stripeconnection SET sealed_key = sealed_webhook_secret")
    with pytest.raises(ValuesLeft, match=rf"{connected.schema_name} \(1\)"):
        replace(actor, now)
    assert "billing_stripeconnection.sealed_key of the row" in caplog.text
    assert DataKey.objects.filter(retired_at=None).count() == 2
    assert stripe().sealed_webhook_secret.reveal() == "whsec_canary"
    assert not AuditEvent.objects.filter(action="data_key.replaced").exists()


def test_a_row_that_others_hold_is_left_and_told(
    connected: Any, actor: Any, now: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    import psycopg

    monkeypatch.setattr(resealing, "WAIT_SECONDS", 0.2)
    with psycopg.connect(os.environ["DATABASE_OWNER_URL"]) as other:
        other.execute(f"SELECT 1 FROM {connected.schema_name}.billing_stripeconnection FOR UPDATE")
        began = time.monotonic()
        with pytest.raises(ValuesLeft, match=r"\(2\)"):
            replace(actor, now)
        assert time.monotonic() - began < 10
    with enter(connected):
        assert stripe().sealed_key.reveal() == "rk_canary"


def test_two_rotations_at_once_do_not_meet(committed: None, actor: Any, now: Any) -> None:
    import psycopg

    with psycopg.connect(os.environ["DATABASE_OWNER_URL"]) as other:
        other.execute("SELECT pg_advisory_lock(%s)", [rekeying.ROTATION_LOCK])
        with pytest.raises(RotationBusy, match="Wait for it"):
            replace(actor, now)
        with pytest.raises(CommandError, match="Another rotation"):
            call_command("rotate_keys")
    with pytest.raises(CommandError, match="from 1 to 5000"):
        call_command("rotate_keys", "--data", batch=0)


def test_suspended_and_closed_tenants_are_rotated_too(two_tenants: Any) -> None:
    from tenants.directory import every_tenant
    from tenants.models import Tenant

    with enter_public():
        Tenant.objects.filter(pk=two_tenants[0].pk).update(status=Tenant.Status.SUSPENDED)
        Tenant.objects.filter(pk=two_tenants[1].pk).update(status=Tenant.Status.CLOSED)
    assert {"alpha", "beta"} <= {each.slug for each in every_tenant()}


def test_a_key_that_a_transaction_still_seals_by_is_not_retired(connected: Any, now: Any) -> None:
    """Whoever seals holds the key until the commit: retiring waits, and then finds the value."""
    import threading

    sealed, go_on = threading.Event(), threading.Event()

    def seal() -> None:
        with enter(connected), transaction.atomic():
            row = StripeConnection.objects.select_for_update().get()
            row.sealed_key = "rk_late"
            row.save()
            sealed.set()
            go_on.wait(10)
        connection.close()

    thread = threading.Thread(target=seal)
    thread.start()
    assert sealed.wait(10)
    datakeys.succeed()
    threading.Timer(0.3, go_on.set).start()
    began = time.monotonic()
    with transaction.atomic():
        assert resealing.retire_older_keys(now=now) == 0
    assert time.monotonic() - began > 0.2
    thread.join(10)
    assert stripe().sealed_key.reveal() == "rk_late"


def test_the_rotation_finds_every_sealed_field_of_every_model(two_tenants: Any) -> None:
    declared = {
        (field.model._meta.db_table, field.column)
        for model in apps.get_models(include_auto_created=True)
        for field in model._meta.get_fields()
        if isinstance(field, EncryptedTextField)
    }
    found = set()
    with enter(two_tenants[0]):
        found |= {(t.name, c) for t in resealing.find_sealed_tables() for c in t.columns}
        in_tenant = _sealed_columns(found)
    with enter_public():
        shared = {(t.name, c) for t in resealing.find_sealed_tables() for c in t.columns}
        assert _sealed_columns(shared) == shared
    assert in_tenant == found
    assert found | shared == declared
    assert ("billing_stripeconnection", "sealed_key") in declared
    assert settings.SECRETS_PREFIX


def _sealed_columns(named: set[tuple[str, str]]) -> set[tuple[str, str]]:
    """Those of the columns that the schema entered really has, as bytes."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT table_name, column_name FROM information_schema.columns"
            " WHERE table_schema = current_schema() AND data_type = 'bytea'"
        )
        return named & set(cursor.fetchall())


def test_one_tenant_whose_keys_do_not_open_holds_up_nobody_else(
    two_tenants: Any, actor: Any, now: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    alpha, beta = two_tenants
    monkeypatch.setattr(rekeying, "every_tenant", lambda: [alpha, beta])
    for tenant in two_tenants:
        with enter(tenant):
            datakeys.prepare()
    with enter(alpha):
        DataKey.objects.update(wrapped=b"broken")
        assert (old := DataKey.objects.values_list("kek_version", flat=True).first())
    with pytest.raises(CommandError, match=f"not these: {alpha.schema_name}: "):
        call_command("rotate_keys", "--at-once")
    with enter_public():
        event = AuditEvent.objects.filter(action="keys.rotated").latest("seq")
    assert event.details["left"] == [alpha.schema_name]
    with enter(beta):
        assert set(DataKey.objects.values_list("kek_version", flat=True)) == {event.subject_id}
    with enter(alpha):
        assert DataKey.objects.filter(kek_version=old).exists()
