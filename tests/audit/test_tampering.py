"""Whoever owns the database can change a row; the chain tells."""

import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from django.db import connection, transaction

from audit.actions import Action
from audit.actors import Actor
from audit.models import AuditEvent, ChainHead
from audit.recording import record
from audit.verifying import verify
from tests.audit.old_format import record_1
from tests.conftest import NOW, ROOT


@pytest.fixture
def owner(fresh_tenant: Any) -> Iterator["psycopg.Connection[Any]"]:
    """Events of both formats, and the owner's connection with the triggers out of its way."""
    who = Actor("user", "1", "Tester", ip="192.0.2.1", user_agent="pytest")
    writers: list[Any] = [record, record, record_1, record_1, record]
    for number, recording in enumerate(writers):
        with transaction.atomic():
            recording(
                Action.CUSTOMER_CHANGED, subject=("customer", number), actor=who, now=NOW, after={"n": number}
            )
    assert verify().problem is None
    with psycopg.connect(os.environ["DATABASE_OWNER_URL"], autocommit=True) as found:
        found.execute(f"SET search_path = {fresh_tenant.schema_name}")
        found.execute("ALTER TABLE audit_auditevent DISABLE TRIGGER USER")
        yield found


def last() -> int:
    return ChainHead.objects.get().seq


@pytest.mark.parametrize(
    "change",
    [
        "id = gen_random_uuid()",
        "at = at + interval '1 microsecond'",
        "action = 'customer.created'",
        "actor_kind = 'system'",
        "behind_id = 'x'",
        "behind_label = 'Robin'",
        "actor_id = '2'",
        "actor_label = 'Tester '",
        "subject_kind = 'invoice'",
        "subject_id = '99'",
        "details = '{}'",
        "details = jsonb_set(details, '{after,n}', '7')",
        "details = details || '{\"more\": null}'",
        "ip = '192.0.2.2'",
        "user_agent = 'other'",
        "format = 3 - format",
        "actor_sealed = '\\x00'",
        "behind_sealed = '\\x00'",
        "details_sealed = '\\x00'",
        "about = 'user:2'",
        "prev_hash = decode(repeat('00', 32), 'hex')",
        "hash = decode(repeat('00', 32), 'hex')",
        "hash = set_byte(hash, 31, (get_byte(hash, 31) + 1) % 256)",
    ],
)
@pytest.mark.parametrize("which", ["old in the middle", "new at the end"])
def test_a_changed_field_is_found(owner: Any, change: str, which: str) -> None:
    seq = last() - (2 if which == "old in the middle" else 0)
    assert owner.execute(f"UPDATE audit_auditevent SET {change} WHERE seq = {seq}").rowcount == 1
    problem = verify().problem
    assert problem is not None
    assert str(seq) in problem or str(seq + 1) in problem


def test_every_field_of_an_event_is_tried_above() -> None:
    tried = {
        "id", "at", "action", "actor_kind", "actor_id", "actor_label", "subject_kind", "subject_id",
        "details", "ip", "user_agent", "behind_id", "behind_label", "prev_hash", "hash",
        "format", "actor_sealed", "behind_sealed", "details_sealed", "about",
    }  # fmt: skip
    assert {field.name for field in AuditEvent._meta.fields} == tried | {"seq"}


def test_a_removed_event_is_found(owner: Any) -> None:
    gone = last() - 2
    owner.execute(f"DELETE FROM audit_auditevent WHERE seq = {gone}")
    assert verify().problem == f"event {gone} is missing"


def test_a_removed_end_is_found(owner: Any) -> None:
    end = last()
    owner.execute(f"DELETE FROM audit_auditevent WHERE seq > {end - 2}")
    assert verify().problem == f"the chain ends at event {end - 2}, but its head stands at {end}"


def test_an_emptied_log_is_found(owner: Any) -> None:
    end = last()
    owner.execute("DELETE FROM audit_auditevent")
    assert verify().problem == f"the chain ends at event 0, but its head stands at {end}"


def test_a_moved_head_is_found(owner: Any) -> None:
    end = last()
    owner.execute("UPDATE audit_chainhead SET seq = seq + 1")
    assert verify().problem == f"the chain ends at event {end}, but its head stands at {end + 1}"


def test_a_renumbered_event_is_found(owner: Any) -> None:
    end = last()
    owner.execute(f"UPDATE audit_auditevent SET seq = seq + 100 WHERE seq = {end}")
    assert verify().problem == f"event {end} is missing"


def test_two_exchanged_events_are_found(owner: Any) -> None:
    end = last()
    owner.execute(f"UPDATE audit_auditevent SET seq = -1 WHERE seq = {end}")
    owner.execute(f"UPDATE audit_auditevent SET seq = {end} WHERE seq = {end - 1}")
    owner.execute(f"UPDATE audit_auditevent SET seq = {end - 1} WHERE seq = -1")
    assert verify().problem == f"event {end - 1} does not follow the one before it"


def test_an_event_slipped_in_is_found(owner: Any) -> None:
    end = last()
    owner.execute(
        f"INSERT INTO audit_auditevent SELECT gen_random_uuid(), seq + 1, at, action, actor_kind, actor_id,"
        f" actor_label, subject_kind, subject_id, details, ip, user_agent, hash, hash, '', '', 2"
        f" FROM audit_auditevent WHERE seq = {end}"
    )
    assert verify().problem == f"event {end + 1} was changed"


def test_the_command_names_the_tenant_and_the_event_and_fails(owner: Any, fresh_tenant: Any) -> None:
    command = [sys.executable, "manage.py", "audit_verify", "--no-store", "--tenant", fresh_tenant.slug]

    def run() -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            command, cwd=ROOT, env=os.environ, capture_output=True, text=True, check=False, timeout=60
        )

    end = last()
    whole = run()
    said = f"checkpoints: whole\nstore: not read\n{fresh_tenant.slug}: "
    assert (whole.returncode, whole.stdout) == (0, f"{said}{end} events, whole\n")
    owner.execute(f"UPDATE audit_auditevent SET actor_id = '2' WHERE seq = {end}")
    broken = run()
    assert broken.returncode == 1
    assert broken.stdout == f"{said}{end - 1} events, event {end} was changed\n"


def test_the_apps_own_role_meets_the_triggers_too(fresh_tenant: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT tgname FROM pg_trigger WHERE tgrelid = 'audit_auditevent'::regclass AND NOT tgisinternal"
            " AND tgenabled = 'O' ORDER BY 1"
        )
        assert cursor.fetchall() == [("append_only",), ("append_only_truncate",)]
