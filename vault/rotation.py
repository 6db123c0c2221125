"""Rotating the key-encryption key: a new version, then every data and subject key of a schema wrapped by it.

Sealed values stay as they are. Old versions stay in the secret: backups hold data keys wrapped by them.
"""

from django.db import transaction

from vault import datakeys, subject_keys
from vault.keyring import get_keyring
from vault.models import DataKey


def add_key_encryption_key() -> str:
    """Put a new key-encryption key into Secrets Manager, make it current, and return its version."""
    return get_keyring().add_version()


def rewrap_data_keys() -> int:
    """Wrap what the current key-encryption key does not wrap yet, in the schema entered; return how many.

    Each data key stands for itself, so an interrupted run goes on where it stopped, and readers never wait.
    """
    kek = get_keyring().current()
    with transaction.atomic():
        rows = list(DataKey.objects.select_for_update().exclude(kek_version=kek.version).order_by("version"))
        for row in rows:
            row.wrapped = datakeys.wrap(datakeys.unwrap(row), key_id=row.id, kek=kek)
            row.kek_version = kek.version
            row.save(update_fields=["wrapped", "kek_version"])
    return len(rows)


def rewrap_subject_keys() -> int:
    """Do the same with the keys of persons; return how many."""
    with transaction.atomic():
        return subject_keys.rewrap(kek=get_keyring().current())
