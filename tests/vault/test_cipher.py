import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import pytest
from django.db import Error, connection, connections, transaction

from tenants.context import enter, enter_public, outside
from vault import cipher, datakeys, keyring
from vault.errors import SealBroken, VaultError
from vault.models import DataKey

ROW = uuid4()
HERE: dict[str, Any] = {"table": "billing_connection", "column": "secret", "row": ROW}
CANARY = "sk_live_canary_7e1b"


@pytest.mark.parametrize("text", ["", CANARY, "日本語 – ü – \x00", "x" * 100_000])
def test_text_comes_back_as_it_was(tenant: Any, text: str) -> None:
    blob = cipher.seal(text, **HERE)
    assert cipher.open_sealed(blob, **HERE) == text
    assert cipher.open_sealed(blob, table=HERE["table"], column=HERE["column"], row=str(ROW)) == text


def test_bytes_come_back_and_are_not_taken_for_text(tenant: Any) -> None:
    blob = cipher.seal(b"\xff\x00canary", **HERE)
    assert cipher.open_bytes(blob, **HERE) == b"\xff\x00canary"
    with pytest.raises(VaultError, match="open_bytes") as caught:
        cipher.open_sealed(blob, **HERE)
    assert caught.value.__cause__ is None and caught.value.__context__ is None


def test_the_blob_holds_neither_the_text_nor_the_same_bytes_twice(tenant: Any) -> None:
    one, two = cipher.seal(CANARY, **HERE), cipher.seal(CANARY, **HERE)
    assert one != two
    assert b"canary" not in one
    assert len(one) == 1 + 16 + 12 + len(CANARY) + 16


@pytest.mark.parametrize(
    "elsewhere",
    [
        {"table": "billing_other"},
        {"column": "webhook_secret"},
        {"row": uuid4()},
        {"table": "billing_connectionsecret", "column": ""},
        {"table": "billing_connectio", "column": "nsecret"},
    ],
)
def test_a_value_moved_to_another_place_is_refused(tenant: Any, elsewhere: dict[str, Any]) -> None:
    blob = cipher.seal(CANARY, **HERE)
    with pytest.raises(VaultError) as caught:
        cipher.open_sealed(blob, **HERE | elsewhere)
    assert isinstance(caught.value, SealBroken) or elsewhere["column"] == ""
    assert CANARY not in str(caught.value)


def test_a_value_moved_to_another_tenant_is_refused(two_tenants: tuple[Any, Any]) -> None:
    alpha, beta = two_tenants
    with enter(alpha):
        blob = cipher.seal(CANARY, **HERE)
    with enter(beta):
        cipher.seal("beta has a key of its own", **HERE)
        with pytest.raises(SealBroken):
            cipher.open_sealed(blob, **HERE)
    with enter_public(), pytest.raises(SealBroken):
        cipher.open_sealed(blob, **HERE)
    with enter(alpha):
        assert cipher.open_sealed(blob, **HERE) == CANARY


def test_a_value_moved_together_with_its_data_key_is_refused(two_tenants: tuple[Any, Any]) -> None:
    alpha, beta = two_tenants
    with enter(alpha):
        blob = cipher.seal(CANARY, **HERE)
        key = DataKey.objects.get()
    with enter(beta):
        DataKey.objects.bulk_create(
            [DataKey(id=key.id, version=900, kek_version=key.kek_version, wrapped=key.wrapped)]
        )
        with pytest.raises(SealBroken):
            cipher.open_sealed(blob, **HERE)


def test_a_wrapped_data_key_unwraps_in_its_own_schema_only(two_tenants: tuple[Any, Any]) -> None:
    alpha, beta = two_tenants
    with enter(alpha):
        cipher.seal(CANARY, **HERE)
        key = DataKey.objects.get()
        assert len(datakeys.unwrap(key)) == 32
    with enter(beta), pytest.raises(SealBroken):
        datakeys.unwrap(key)


def test_even_under_the_same_key_another_tenant_is_refused(two_tenants: tuple[Any, Any]) -> None:
    alpha, beta = two_tenants
    with enter(alpha):
        blob = cipher.seal(CANARY, **HERE)
        key = DataKey.objects.get()
        material = datakeys.unwrap(key)
    with enter(beta):
        wrapped = datakeys.wrap(material, key_id=key.id, kek=keyring.get_keyring().current())
        DataKey.objects.bulk_create(
            [DataKey(id=key.id, version=900, kek_version=key.kek_version, wrapped=wrapped)]
        )
        assert cipher.open_sealed(cipher.seal("own", **HERE), **HERE) == "own"
        with pytest.raises(SealBroken):
            cipher.open_sealed(blob, **HERE)


def test_each_flipped_byte_is_refused(tenant: Any) -> None:
    blob = cipher.seal(CANARY, **HERE)
    for at in range(len(blob)):
        flipped = bytearray(blob)
        flipped[at] ^= 0x01
        assert bytes(flipped) != blob
        with pytest.raises(SealBroken):
            cipher.open_sealed(bytes(flipped), **HERE)


@pytest.mark.parametrize("cut", [0, 1, 16, 17, 28, 44])
def test_a_shortened_value_is_refused(tenant: Any, cut: int) -> None:
    with pytest.raises(SealBroken):
        cipher.open_sealed(cipher.seal(CANARY, **HERE)[:cut], **HERE)


def test_a_changed_wrapping_is_refused(tenant: Any) -> None:
    blob = cipher.seal(CANARY, **HERE)
    row = DataKey.objects.get()
    wrapped = bytearray(row.wrapped)
    wrapped[-1] ^= 0x01
    assert bytes(wrapped) != bytes(row.wrapped)
    row.wrapped = bytes(wrapped)
    row.save(update_fields=["wrapped"])
    datakeys._held.clear()
    with pytest.raises(SealBroken):
        cipher.open_sealed(blob, **HERE)


@pytest.mark.parametrize("gap", [{"table": ""}, {"column": ""}, {"row": ""}])
def test_a_value_without_a_whole_place_is_not_sealed(tenant: Any, gap: dict[str, str]) -> None:
    with pytest.raises(VaultError, match="must be named"):
        cipher.seal(CANARY, **HERE | gap)


def test_outside_a_tenant_nothing_is_sealed_or_opened(two_tenants: tuple[Any, Any]) -> None:
    with enter(two_tenants[0]):
        blob = cipher.seal(CANARY, **HERE)
    with outside():
        for use in (lambda: cipher.seal(CANARY, **HERE), lambda: cipher.open_sealed(blob, **HERE)):
            with pytest.raises(VaultError, match="outside a tenant"):
                use()


def test_a_tenant_gets_one_data_key_and_reads_without_asking_the_database(
    tenant: Any, django_assert_num_queries: Callable[[int], Any]
) -> None:
    blobs = [cipher.seal(str(n), **HERE) for n in range(5)]
    assert [k.version for k in DataKey.objects.all()] == [1]
    with django_assert_num_queries(1):
        cipher.seal(CANARY, **HERE)
    with django_assert_num_queries(0):
        assert [cipher.open_sealed(b, **HERE) for b in blobs] == ["0", "1", "2", "3", "4"]


def test_a_data_key_that_was_rolled_back_seals_nothing_more(tenant: Any) -> None:
    with transaction.atomic():
        cipher.seal("lost", **HERE)
        lost = DataKey.objects.get().id
        transaction.set_rollback(True)
    assert not DataKey.objects.exists()
    blob = cipher.seal(CANARY, **HERE)
    assert DataKey.objects.get().id != lost
    datakeys._held.clear()
    assert cipher.open_sealed(blob, **HERE) == CANARY


def test_a_retired_data_key_still_opens_and_seals_no_more(tenant: Any) -> None:
    old = cipher.seal(CANARY, **HERE)
    DataKey.objects.update(retired_at="2026-11-23T09:30:00Z")
    new = cipher.seal(CANARY, **HERE)
    assert [k.version for k in DataKey.objects.order_by("version")] == [1, 2]
    assert old[1:17] != new[1:17]
    assert cipher.open_sealed(old, **HERE) == cipher.open_sealed(new, **HERE) == CANARY


def test_the_database_keeps_data_keys(tenant: Any) -> None:
    cipher.seal(CANARY, **HERE)
    key = DataKey.objects.get()
    for change in (
        key.delete,
        lambda: DataKey.objects.update(version=7),
        lambda: DataKey.objects.update(id=uuid4()),
    ):
        with pytest.raises(Error, match="never deleted"), transaction.atomic():
            change()
    assert DataKey.objects.get().version == 1


def test_the_unwrapped_key_is_nowhere_in_the_database(tenant: Any) -> None:
    cipher.seal(CANARY, **HERE)
    row = DataKey.objects.get()
    material = datakeys.unwrap(row)
    assert len(material) == 32
    assert material not in bytes(row.wrapped)
    assert len(row.wrapped) == 12 + 32 + 16


def test_a_missing_key_encryption_key_is_named(tenant: Any) -> None:
    blob = cipher.seal(CANARY, **HERE)
    DataKey.objects.update(kek_version="gone")
    datakeys._held.clear()
    with pytest.raises(VaultError, match="has no key-encryption key 'gone'"):
        cipher.open_sealed(blob, **HERE)


def test_sixteen_threads_make_one_data_key(fresh_tenant: Any) -> None:
    keyring.warm_up()
    start = threading.Barrier(16)

    def work(number: int) -> bytes:
        try:
            with enter(fresh_tenant):
                start.wait()
                with transaction.atomic():
                    return cipher.seal(str(number), **HERE)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(16) as pool:
        blobs = list(pool.map(work, range(16)))
    assert DataKey.objects.count() == 1
    datakeys._held.clear()
    assert [cipher.open_sealed(b, **HERE) for b in blobs] == [str(n) for n in range(16)]


def test_a_loser_whose_rival_rolls_back_makes_the_key_itself(fresh_tenant: Any) -> None:
    keyring.warm_up()
    inserted, give_up = threading.Event(), threading.Event()

    def rival() -> None:
        try:
            with enter(fresh_tenant), transaction.atomic():
                cipher.seal("rival", **HERE)
                inserted.set()
                give_up.wait(10)
                transaction.set_rollback(True)
        finally:
            connections.close_all()

    thread = threading.Thread(target=rival)
    thread.start()
    assert inserted.wait(10)
    threading.Timer(0.3, give_up.set).start()
    with transaction.atomic():
        blob = cipher.seal(CANARY, **HERE)
    thread.join()
    datakeys._held.clear()
    assert cipher.open_sealed(blob, **HERE) == CANARY
    assert DataKey.objects.count() == 1


def test_a_failed_statement_leaves_nothing_of_the_text_in_the_error(tenant: Any) -> None:
    with transaction.atomic():
        with pytest.raises(Error), connection.cursor() as cursor:
            cursor.execute("SELECT 1/0")
        with pytest.raises(Error) as caught:
            cipher.seal(CANARY, **HERE)
        transaction.set_rollback(True)
    assert CANARY not in f"{caught.value!r}"


def test_a_key_of_another_process_is_learned_when_it_is_met(fresh_tenant: Any) -> None:
    kek = keyring.get_keyring().current()
    other = os.urandom(32)
    row = DataKey(version=2, kek_version=kek.version)
    row.wrapped = datakeys.wrap(other, key_id=row.id, kek=kek)
    row.save()
    blob = cipher.seal(CANARY, **HERE)
    assert blob[1:17] == row.id.bytes
