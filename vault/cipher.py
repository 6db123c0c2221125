"""Sealing and opening single values. One opens only in the schema, table, column and row that it is for.

A sealed value is: format (1 byte), id of the data key (16), nonce (12), ciphertext and tag.
"""

from uuid import UUID

from django.views.decorators.debug import sensitive_variables

from vault import datakeys
from vault.envelope import encode_context
from vault.errors import SealBroken, VaultError

FORMAT = b"\x01"
HEADER_BYTES = 17
SEALING = "proecommerce.vault.value.1"


@sensitive_variables()
def seal(plaintext: bytes | str, *, table: str, column: str, row: UUID | str) -> bytes:
    """Return `plaintext` sealed for one place in the schema that is entered."""
    data = plaintext.encode() if isinstance(plaintext, str) else bytes(plaintext)
    return _seal_under(datakeys.get_current_key(), data, table=table, column=column, row=row)


@sensitive_variables()
def reseal(blob: bytes, *, under: datakeys.UnwrappedKey, table: str, column: str, row: UUID | str) -> bytes:
    """Return what was sealed for this place sealed anew, under another data key of this schema."""
    data = open_bytes(blob, table=table, column=column, row=row)
    return _seal_under(under, data, table=table, column=column, row=row)


@sensitive_variables()
def _seal_under(
    sealer: datakeys.UnwrappedKey, data: bytes, *, table: str, column: str, row: UUID | str
) -> bytes:
    context = _context(sealer.id, table=table, column=column, row=row)
    return FORMAT + sealer.id.bytes + sealer.key.encrypt(data, context=context)


@sensitive_variables()
def open_bytes(blob: bytes, *, table: str, column: str, row: UUID | str) -> bytes:
    """Return what was sealed for this place; `SealBroken` for anything else."""
    if blob[:1] != FORMAT or len(blob) < HEADER_BYTES:
        raise SealBroken("This is not a sealed value.")
    opener = datakeys.get_key(UUID(bytes=blob[1:HEADER_BYTES]))
    context = _context(opener.id, table=table, column=column, row=row)
    return opener.key.decrypt(blob[HEADER_BYTES:], context=context)


@sensitive_variables()
def open_sealed(blob: bytes, *, table: str, column: str, row: UUID | str) -> str:
    """Return the text that was sealed for this place; `SealBroken` for anything else."""
    data = open_bytes(blob, table=table, column=column, row=row)
    try:
        return data.decode()
    except UnicodeDecodeError:
        pass  # that error would carry the plaintext
    raise VaultError("The sealed value is no text: open it with `open_bytes`.")


def _context(key_id: UUID, *, table: str, column: str, row: UUID | str) -> bytes:
    if not (table and column and str(row)):
        raise VaultError("A value is sealed for a table, a column and a row: all three must be named.")
    return encode_context(SEALING, datakeys.get_schema(), table, column, str(row), str(key_id))
