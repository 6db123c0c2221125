"""Keys of persons: made on first use, used by many at once, destroyed for ever."""

import threading
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from django.db import DatabaseError, connection, transaction
from django.test.utils import CaptureQueriesContext

from tenants.backup_rules import is_left_out
from tenants.context import enter
from tests.conftest import NOW
from vault import keyring, rotation, subject_keys
from vault.errors import Erased, SealBroken, VaultError
from vault.models import SubjectKey
from vault.subject_keys import Closed, Plain, destroy, open_many, open_sealed, seal, seal_many


@pytest.fixture(autouse=True)
def _own_secret(settings: Any) -> None:
    settings.SECRETS_PREFIX = f"test-{uuid4().hex}"


def forget_held() -> None:
    """As another process, which has unwrapped nothing yet."""
    subject_keys._held.clear()


def queries(work: Callable[[], object]) -> int:
    with CaptureQueriesContext(connection) as seen:
        work()
    return len([each for each in seen.captured_queries if "vault_" in each["sql"]])


def test_a_value_opens_for_its_subject_its_use_and_its_schema_only(two_tenants: Any) -> None:
    alpha, beta = two_tenants
    with enter(alpha):
        blob = seal("customer", "7", "Ada Lovelace", context="name")
        assert b"Ada" not in blob
        assert open_sealed("customer", "7", blob, context="name") == b"Ada Lovelace"
        seal("customer", "8", "x", context="name")
        for kind, who, context in [("customer", "8", "name"), ("customer", "7", "email")]:
            with pytest.raises(SealBroken):
                open_sealed(kind, who, blob, context=context)
        with pytest.raises(SealBroken):
            open_sealed("customer", "7", blob[:-1] + bytes([blob[-1] ^ 1]), context="name")
        with pytest.raises(SealBroken):
            open_sealed("customer", "7", b"plain", context="name")
        assert SubjectKey.objects.count() == 2
    with enter(beta):
        seal("customer", "7", "x", context="name")
        with pytest.raises(Erased):  # a key that beta never had
            open_sealed("customer", "7", blob, context="name")


@pytest.mark.parametrize(("kind", "who", "context"), [("", "7", "c"), ("user", "", "c"), ("user", "7", "")])
def test_a_subject_and_a_use_must_be_named(tenant: Any, kind: str, who: str, context: str) -> None:
    with pytest.raises(VaultError, match=r"named|name it"):
        seal(kind, who, "x", context=context)


def test_many_are_sealed_and_opened_by_one_query_each(tenant: Any) -> None:
    plains = [Plain(("user", str(n % 50)), f"text {n}", str(n)) for n in range(200)]
    blobs = seal_many(plains)
    assert SubjectKey.objects.count() == 50
    forget_held()
    assert queries(lambda: seal_many(plains)) == 1
    closed = [
        Closed(plain.subject, blob or b"", plain.context) for plain, blob in zip(plains, blobs, strict=True)
    ]
    assert queries(lambda: open_many(closed)) == 1
    assert open_many(closed) == [f"text {n}".encode() for n in range(200)]
    assert seal_many([]) == []
    assert open_many([]) == []


def test_a_destroyed_key_opens_nothing_at_once_and_never_comes_back(tenant: Any) -> None:
    blob, other = seal("user", "1", "secret", context="c"), seal("user", "2", "kept", context="c")
    assert destroy("user", "1", now=NOW)
    assert not destroy("user", "1", now=NOW)
    with pytest.raises(Erased, match="user 1"):
        open_sealed("user", "1", blob, context="c")
    with pytest.raises(Erased, match="has been erased"):
        seal("user", "1", "anew", context="c")
    both = [Closed(("user", "1"), blob, "c"), Closed(("user", "2"), other, "c")]
    assert open_many(both) == [None, b"kept"]
    assert seal_many([Plain(("user", "1"), "x", "c")]) == [None]
    tombstone = SubjectKey.objects.get(subject_id="1")
    assert (tombstone.wrapped, tombstone.destroyed_at, tombstone.kek_version) == (None, NOW, "")
    assert subject_keys.is_destroyed("user", "1")
    assert not subject_keys.is_destroyed("user", "2")


def test_whoever_never_had_a_key_gets_none_after_the_erasure(tenant: Any) -> None:
    assert not destroy("prospect", "9", now=NOW)
    with pytest.raises(Erased):
        seal("prospect", "9", "x", context="c")


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM vault_subjectkey",
        "UPDATE vault_subjectkey SET destroyed_at = NULL, wrapped = '\\x00' WHERE subject_id = 'gone'",
        "UPDATE vault_subjectkey SET subject_id = 'other' WHERE subject_id = 'here'",
        "UPDATE vault_subjectkey SET wrapped = NULL WHERE subject_id = 'here'",
        "TRUNCATE vault_subjectkey",
    ],
)
def test_the_database_neither_loses_nor_revives_a_key(tenant: Any, statement: str) -> None:
    seal("user", "here", "x", context="c")
    seal("user", "gone", "x", context="c")
    destroy("user", "gone", now=NOW)
    refused = pytest.raises(DatabaseError, match=r"never deleted|destroyed_without_key|permission denied")
    with refused, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)


def test_rotation_rewraps_living_keys_and_leaves_tombstones(tenant: Any) -> None:
    blobs = [seal("user", str(n), f"text {n}", context="c") for n in range(5)]
    destroy("user", "0", now=NOW)
    new = rotation.add_key_encryption_key()
    assert rotation.rewrap_subject_keys() == 4
    assert rotation.rewrap_subject_keys() == 0
    assert set(SubjectKey.objects.values_list("kek_version", flat=True)) == {new, ""}
    forget_held()
    keyring._rings.clear()
    assert open_sealed("user", "3", blobs[3], context="c") == b"text 3"


def test_what_a_long_backup_brings_back_stays_erased(tenant: Any) -> None:
    """The rows of the table are in no long backup: after a restore the old values belong to nobody's key."""
    assert is_left_out(SubjectKey._meta.db_table)
    blob = seal("user", "1", "secret", context="c")
    lost_key = blob[:1] + uuid4().bytes + blob[17:]
    with pytest.raises(Erased):  # the subject has a new key by now
        open_sealed("user", "1", lost_key, context="c")
    with pytest.raises(Erased):
        open_sealed("user", "never here", blob, context="c")


def test_writers_at_once_agree_on_one_key(fresh_tenant: Any) -> None:
    failed: list[BaseException] = []
    blobs: list[bytes] = []

    def write(number: int) -> None:
        try:
            with enter(fresh_tenant), transaction.atomic():
                order = ["a", "b"] if number % 2 else ["b", "a"]
                found = seal_many([Plain(("user", who), who, "c") for who in order])
                blobs.extend(blob for blob in found if blob)
        except BaseException as error:
            failed.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=write, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert failed == []
    assert SubjectKey.objects.count() == 2
    assert len({blob[1:17] for blob in blobs}) == 2


def test_a_key_that_rolled_back_seals_nothing_more(tenant: Any) -> None:
    with transaction.atomic():
        seal("user", "1", "x", context="c")
        transaction.set_rollback(True)
    blob = seal("user", "1", "kept", context="c")
    assert blob[1:17] == SubjectKey.objects.get().id.bytes
