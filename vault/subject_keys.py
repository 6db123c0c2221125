"""Keys of persons: what is sealed by one can be read until that person is erased, then never again.

A subject is a kind and an id within the schema entered, such as ("user", "0197…"); its key is made on first
use. Rows are read each time, many by one query, so that a destroyed key is missed by every process at once;
unwrapped keys are held by id for a while. A sealed value is: format (1 byte), id of the key (16), nonce (12),
ciphertext and tag; it opens for its subject and its context only.
"""

import os
import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from django.db import connection
from django.views.decorators.debug import sensitive_variables

from vault.datakeys import get_schema
from vault.envelope import KEY_BYTES, SecretKey, encode_context
from vault.errors import Erased, SealBroken, VaultError
from vault.keyring import KeyEncryptionKey, get_keyring
from vault.models import SubjectKey

FORMAT = b"\x02"
HEADER_BYTES = 17
WRAPPING = "proecommerce.vault.subjectkey.1"
SEALING = "proecommerce.vault.subject.1"
HOLD_SECONDS = 900.0
HOLD_AT_MOST = 10_000
Subject = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Plain:
    """Something to be sealed for a subject, for one use that `context` names."""

    subject: Subject
    text: bytes | str = field(repr=False)
    context: str


@dataclass(frozen=True, slots=True)
class Closed:
    """Something sealed, with whom it is about and the use that it was sealed for."""

    subject: Subject
    blob: bytes
    context: str


_held: dict[tuple[str, UUID], tuple[float, SecretKey]] = {}


@sensitive_variables()
def seal(kind: str, subject_id: str, plaintext: bytes | str, *, context: str) -> bytes:
    """Return `plaintext` sealed for this subject and use; raises `Erased` once its key is destroyed."""
    found = seal_many([Plain((kind, subject_id), plaintext, context)])[0]
    if found is None:
        raise Erased(f"{kind} {subject_id} has been erased: nothing more is kept under that name.")
    return found


@sensitive_variables()
def seal_many(plains: Sequence[Plain]) -> list[bytes | None]:
    """Seal each for its subject, making the keys that are missing; None where the subject has been erased."""
    schema, rows = get_schema(), _rows_of({plain.subject for plain in plains})
    missing = {plain.subject for plain in plains} - rows.keys()
    if missing:
        _create(missing)
        rows |= _rows_of(missing)
        if missing - rows.keys():
            raise VaultError("Another transaction has just made a subject's key. Run this one again.")
    return [_seal(schema, rows[plain.subject], plain) for plain in plains]


@sensitive_variables()
def open_sealed(kind: str, subject_id: str, blob: bytes, *, context: str) -> bytes:
    """Return what was sealed for this subject and use. Raises `Erased`, or `SealBroken` for anything else."""
    found = open_many([Closed((kind, subject_id), blob, context)])[0]
    if found is None:
        raise Erased(f"What was kept of {kind} {subject_id} has been erased: its key is destroyed.")
    return found


@sensitive_variables()
def open_many(closed: Sequence[Closed]) -> list[bytes | None]:
    """Open each, with one query for all; None where the key is destroyed. Raises `SealBroken`.

    A key that is not here at all counts as destroyed: a long backup holds none, so after its restore all that
    was sealed before is erased.
    """
    schema, rows = get_schema(), _rows_of({each.subject for each in closed})
    return [_open(schema, rows.get(each.subject), each) for each in closed]


def destroy(kind: str, subject_id: str, *, now: datetime) -> bool:
    """Destroy the subject's key for ever; returns whether there was one until now.

    The row stays as a tombstone, also where there never was a key: none is made for this subject again.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE vault_subjectkey SET wrapped = NULL, kek_version = '', destroyed_at = %s"
            " WHERE kind = %s AND subject_id = %s AND destroyed_at IS NULL RETURNING id",
            [now, kind, subject_id],
        )
        row = cursor.fetchone()
    if row is not None:
        _held.pop((get_schema(), row[0]), None)
        return True
    tombstone = SubjectKey(kind=kind, subject_id=subject_id, kek_version="", destroyed_at=now)
    made = SubjectKey.objects.bulk_create([tombstone], ignore_conflicts=True)
    if not SubjectKey.objects.filter(kind=kind, subject_id=subject_id, destroyed_at__isnull=False).exists():
        return destroy(kind, subject_id, now=now)  # somebody made the key between the two
    return not made


def is_destroyed(kind: str, subject_id: str) -> bool:
    """Tell whether the subject's key has been destroyed here."""
    rows = SubjectKey.objects.filter(kind=kind, subject_id=subject_id, destroyed_at__isnull=False)
    return rows.exists()


def wrap(material: bytes, *, key_id: UUID, kek: KeyEncryptionKey) -> bytes:
    """Return `material` wrapped for one row of this schema under one key-encryption key."""
    return kek.key.encrypt(material, context=_wrapping_context(get_schema(), key_id, kek.version))


@sensitive_variables()
def rewrap(*, kek: KeyEncryptionKey, batch: int = 1000) -> int:
    """Wrap by `kek` what it does not wrap yet, batch by batch, in the open transaction; returns how many."""
    total = 0
    while True:
        living = SubjectKey.objects.select_for_update().filter(destroyed_at__isnull=True)
        rows = list(living.exclude(kek_version=kek.version).order_by("pk")[:batch])
        for row in rows:
            row.wrapped = wrap(_unwrap(get_schema(), row), key_id=row.id, kek=kek)
            row.kek_version = kek.version
        SubjectKey.objects.bulk_update(rows, ["wrapped", "kek_version"])
        total += len(rows)
        if len(rows) < batch:
            return total


def _rows_of(subjects: Collection[Subject]) -> dict[Subject, SubjectKey]:
    """Return the rows of these subjects, by one query."""
    if not subjects:
        return {}
    kinds, ids = zip(*subjects, strict=True)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT k.id, k.kind, k.subject_id, k.kek_version, k.wrapped, k.created_at, k.destroyed_at"
            " FROM unnest(%s::text[], %s::text[]) AS asked (kind, subject_id)"
            " JOIN vault_subjectkey k ON k.kind = asked.kind AND k.subject_id = asked.subject_id",
            [list(kinds), list(ids)],
        )
        rows = cursor.fetchall()
    return {(row[1], row[2]): SubjectKey(*row) for row in rows}


@sensitive_variables()
def _create(subjects: Collection[Subject]) -> None:
    """Insert a key for each, in one order for all; whoever is first wins, and all take what is there then."""
    kek = get_keyring().current()
    rows = [SubjectKey(kind=kind, subject_id=who, kek_version=kek.version) for kind, who in sorted(subjects)]
    for row in rows:
        if not (row.kind and row.subject_id):
            raise VaultError("A subject has a kind and an id: both must be named.")
        row.wrapped = wrap(os.urandom(KEY_BYTES), key_id=row.id, kek=kek)
    SubjectKey.objects.bulk_create(rows, batch_size=5000, ignore_conflicts=True)


@sensitive_variables()
def _seal(schema: str, row: SubjectKey, plain: Plain) -> bytes | None:
    if row.wrapped is None:
        return None
    data = plain.text.encode() if isinstance(plain.text, str) else bytes(plain.text)
    context = _sealing_context(schema, row, plain.context)
    return FORMAT + row.id.bytes + _key_of(schema, row).encrypt(data, context=context)


@sensitive_variables()
def _open(schema: str, row: SubjectKey | None, closed: Closed) -> bytes | None:
    if closed.blob[:1] != FORMAT or len(closed.blob) < HEADER_BYTES:
        raise SealBroken("This is not a value sealed for a subject.")
    if row is None or row.wrapped is None:
        return None
    if closed.blob[1:HEADER_BYTES] != row.id.bytes:
        # Sealed by another subject's key, or by one that was lost with the database before a restore.
        if SubjectKey.objects.filter(pk=UUID(bytes=closed.blob[1:HEADER_BYTES])).exists():
            raise SealBroken("A sealed value stands with a subject that it was not sealed for.")
        return None
    context = _sealing_context(schema, row, closed.context)
    return _key_of(schema, row).decrypt(closed.blob[HEADER_BYTES:], context=context)


@sensitive_variables()
def _key_of(schema: str, row: SubjectKey) -> SecretKey:
    until, key = _held.get((schema, row.id), (0.0, None))
    if key is None or time.monotonic() >= until:
        key = SecretKey(_unwrap(schema, row))
        if len(_held) >= HOLD_AT_MOST:
            _held.clear()
        _held[schema, row.id] = (time.monotonic() + HOLD_SECONDS, key)
    return key


@sensitive_variables()
def _unwrap(schema: str, row: SubjectKey) -> bytes:
    if row.wrapped is None:
        raise Erased("The key is destroyed.")
    kek = get_keyring().version(row.kek_version)
    return kek.key.decrypt(bytes(row.wrapped), context=_wrapping_context(schema, row.id, row.kek_version))


def _sealing_context(schema: str, row: SubjectKey, context: str) -> bytes:
    if not context:
        raise VaultError("What is sealed for a subject is sealed for a use: name it.")
    return encode_context(SEALING, schema, row.kind, row.subject_id, str(row.id), context)


def _wrapping_context(schema: str, key_id: UUID, kek_version: str) -> bytes:
    return encode_context(WRAPPING, schema, str(key_id), kek_version)
