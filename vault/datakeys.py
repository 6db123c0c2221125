"""The data keys of the schema that is entered: made on first use, unwrapped into the memory of this process.

The key to seal with is read from the database each time, because only the transaction at hand knows which
rows will last: a key whose row was rolled back, or whose schema was dropped, must seal nothing. Unwrapped
keys are held by schema and id, and an id is never used again.
"""

import os
import time
from dataclasses import dataclass
from uuid import UUID

from django.db import connection
from django.db.models import Max

from vault.envelope import KEY_BYTES, SecretKey, encode_context
from vault.errors import SealBroken, VaultError
from vault.keyring import KeyEncryptionKey, get_keyring
from vault.models import DataKey

WRAPPING = "proecommerce.vault.datakey.1"
HOLD_SECONDS = 900.0  # a destroyed key is forgotten by every process within this time
HOLD_AT_MOST = 10_000


@dataclass(frozen=True, slots=True)
class UnwrappedKey:
    """A data key, ready for use."""

    id: UUID
    key: SecretKey


_held: dict[tuple[str, UUID], tuple[float, UnwrappedKey]] = {}


def get_schema() -> str:
    """Return the name of the schema that is entered."""
    name: str | None = getattr(connection, "schema_name", None)
    if not name:
        raise VaultError(
            "The vault was used outside a tenant: sealed values belong to one schema. Enter it first."
        )
    return name


def get_current_key() -> UnwrappedKey:
    """Return the key that seals now in this schema, making the first one if there is none."""
    schema = get_schema()
    # Twice: the key that the first look waited for may have been retired meanwhile.
    row = _read_current() or _read_current() or _create()
    return _held_key(schema, row.id) or _unwrap_and_hold(schema, row)


def get_key(key_id: UUID) -> UnwrappedKey:
    """Return the key of this schema that sealed a value."""
    schema = get_schema()
    held = _held_key(schema, key_id)
    if held is not None:
        return held
    row = DataKey.objects.filter(pk=key_id).first()
    if row is None:
        raise SealBroken("A sealed value names a data key that this schema does not have.")
    return _unwrap_and_hold(schema, row)


def prepare() -> None:
    """Make this schema's first data key, if it has none; for when a tenant is set up."""
    get_current_key()


def wrap(material: bytes, *, key_id: UUID, kek: KeyEncryptionKey) -> bytes:
    """Return `material` wrapped for one row of this schema under one key-encryption key."""
    return kek.key.encrypt(material, context=_wrapping_context(get_schema(), key_id, kek.version))


def unwrap(row: DataKey) -> bytes:
    """Return the key material of a row of this schema."""
    kek = get_keyring().version(row.kek_version)
    context = _wrapping_context(get_schema(), row.id, row.kek_version)
    return kek.key.decrypt(bytes(row.wrapped), context=context)


COLUMNS = "id, version, kek_version, wrapped, created_at"
CURRENT = f"SELECT {COLUMNS} FROM vault_datakey WHERE retired_at IS NULL ORDER BY version DESC LIMIT 1"


def _read_current() -> DataKey | None:
    """Return the key to seal with; held until the transaction ends, so that it is not retired before."""
    with connection.cursor() as cursor:
        cursor.execute(CURRENT + " FOR SHARE" if connection.in_atomic_block else CURRENT)
        row = cursor.fetchone()
    if row is None:
        return None
    values = dict(zip(COLUMNS.split(", "), row, strict=True))
    return DataKey(**values)


def succeed() -> DataKey:
    """Make the next data key of this schema, by which all is sealed from now on."""
    return _create()


def _create() -> DataKey:
    """Insert the next version; whoever inserts it first wins, and all take what is there then."""
    last = DataKey.objects.aggregate(last=Max("version"))["last"] or 0
    kek = get_keyring().current()
    row = DataKey(version=last + 1, kek_version=kek.version)
    row.wrapped = wrap(os.urandom(KEY_BYTES), key_id=row.id, kek=kek)
    DataKey.objects.bulk_create([row], ignore_conflicts=True)
    created = _read_current()
    if created is None:
        raise VaultError("Another transaction has just made this schema's data key. Run this one again.")
    return created


def _held_key(schema: str, key_id: UUID) -> UnwrappedKey | None:
    until, key = _held.get((schema, key_id), (0.0, None))
    return key if time.monotonic() < until else None


def _unwrap_and_hold(schema: str, row: DataKey) -> UnwrappedKey:
    key = UnwrappedKey(row.id, SecretKey(unwrap(row)))
    if len(_held) >= HOLD_AT_MOST:
        _held.clear()
    _held[schema, row.id] = (time.monotonic() + HOLD_SECONDS, key)
    return key


def _wrapping_context(schema: str, key_id: UUID, kek_version: str) -> bytes:
    return encode_context(WRAPPING, schema, str(key_id), kek_version)
