import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import boto3
import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import connections

from tenants import rekeying
from tenants.context import current_schema, enter
from vault import cipher, datakeys, keyring, rotation
from vault.errors import VaultError
from vault.models import DataKey
from vault.secrets_gateway import SecretsManager

HERE: dict[str, Any] = {"table": "t", "column": "c", "row": uuid4()}


@pytest.fixture(autouse=True)
def _own_secret(settings: Any) -> None:
    """Rotate a secret of the test's own, in the stack's Secrets Manager."""
    settings.SECRETS_PREFIX = f"test-{uuid4().hex}"


def test_values_stay_readable_when_the_key_encryption_key_changes(two_tenants: tuple[Any, Any]) -> None:
    blobs = []
    for tenant in two_tenants:
        with enter(tenant):
            blobs.append(cipher.seal("before", **HERE))
    old = keyring.get_keyring().current().version
    new = rotation.add_key_encryption_key()
    for tenant, blob in zip(two_tenants, blobs, strict=True):
        with enter(tenant):
            datakeys._held.clear()
            assert cipher.open_sealed(blob, **HERE) == "before"
            before = DataKey.objects.get()
            assert rotation.rewrap_data_keys() == 1
            after = DataKey.objects.get()
            assert (before.kek_version, after.kek_version) == (old, new)
            assert bytes(before.wrapped) != bytes(after.wrapped)
            assert datakeys.unwrap(before) == datakeys.unwrap(after)
            datakeys._held.clear()
            assert cipher.open_sealed(blob, **HERE) == "before"
            assert rotation.rewrap_data_keys() == 0


def test_nothing_is_wrapped_by_a_new_key_before_running_processes_have_read_it(
    tenant: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[Any] = []
    old = keyring.get_keyring().current().version

    def rewrap() -> int:
        done.append(current_schema())
        return 0

    monkeypatch.setattr("tenants.rekeying.time.sleep", done.append)
    monkeypatch.setattr(rotation, "rewrap_data_keys", rewrap)
    monkeypatch.setattr(rotation, "rewrap_subject_keys", rewrap)
    monkeypatch.setattr(rekeying, "every_tenant", lambda: [tenant])
    call_command("rotate_keys")
    assert done == [keyring.SPREAD_SECONDS, "t_alpha", "t_alpha", "public", "public"]
    assert keyring.get_keyring().current().version != old
    call_command("rotate_keys", "--at-once")
    assert len(done) == 9 and done.count(keyring.SPREAD_SECONDS) == 1


def test_after_rewrapping_the_old_key_is_not_needed_any_more(tenant: Any) -> None:
    blob = cipher.seal("before", **HERE)
    new = rotation.add_key_encryption_key()
    name = f"{settings.SECRETS_PREFIX}/kek"
    store = SecretsManager(region=settings.AWS_DEFAULT_REGION, endpoint=settings.AWS_ENDPOINT_URL)
    stored = store.read(name)
    only_new = {"current": new, "keys": {new: json.loads(stored.text)["keys"][new]}}
    rotation.rewrap_data_keys()
    store.replace(name, json.dumps(only_new), was=stored)
    keyring._rings.clear()  # as a process that starts now
    datakeys._held.clear()
    assert cipher.open_sealed(blob, **HERE) == "before"


def test_a_data_key_left_behind_is_missed_by_name(tenant: Any) -> None:
    blob = cipher.seal("before", **HERE)
    old = keyring.get_keyring().current().version
    client = boto3.client(
        "secretsmanager", region_name=settings.AWS_DEFAULT_REGION, endpoint_url=settings.AWS_ENDPOINT_URL
    )
    client.delete_secret(SecretId=f"{settings.SECRETS_PREFIX}/kek", ForceDeleteWithoutRecovery=True)
    keyring._rings.clear()
    datakeys._held.clear()
    with pytest.raises(VaultError, match=f"has no key-encryption key '{old}'"):
        cipher.open_sealed(blob, **HERE)


def test_a_secret_marked_for_deletion_says_how_to_restore_it(tenant: Any) -> None:
    keyring.warm_up()
    client = boto3.client(
        "secretsmanager", region_name=settings.AWS_DEFAULT_REGION, endpoint_url=settings.AWS_ENDPOINT_URL
    )
    client.delete_secret(SecretId=f"{settings.SECRETS_PREFIX}/kek", RecoveryWindowInDays=7)
    keyring._rings.clear()
    with pytest.raises(VaultError, match="restore-secret"):
        keyring.warm_up()


def test_rewrapping_goes_on_beside_readers_and_writers(fresh_tenant: Any) -> None:
    first = cipher.seal("first", **HERE)

    def work(number: int) -> bool:
        try:
            with enter(fresh_tenant):
                if number % 4 == 0:
                    rotation.rewrap_data_keys()
                datakeys._held.clear()
                blob = cipher.seal(str(number), **HERE)
                return cipher.open_sealed(blob, **HERE) == str(number) and (
                    cipher.open_sealed(first, **HERE) == "first"
                )
        finally:
            connections.close_all()

    rotation.add_key_encryption_key()
    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(work, range(64)))
    assert DataKey.objects.get().kek_version == keyring.get_keyring().current().version
