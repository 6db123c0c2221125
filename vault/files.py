"""Sealing files as they are written, and opening them as they are read: neither is ever whole in memory.

A sealed file is: format (1 byte), prefix (7), then pieces of PIECE bytes, each with its tag; the last one
may be shorter. A piece's nonce is the prefix, its number (4 bytes) and whether it is the last one (1): pieces
that are swapped, cut off or added do not open. Each file has a key of its own (`new_key`).
"""

import os
from collections.abc import Iterator
from io import RawIOBase
from typing import Any, BinaryIO, Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from vault.envelope import KEY_BYTES, TAG_BYTES, encode_context
from vault.errors import SealBroken

FORMAT = b"\x03"
PREFIX_BYTES = 7
PIECE = 1 << 20
SEALING = "proecommerce.vault.file.1"


class Readable(Protocol):
    """What a sealed file is read from."""

    def read(self, amount: int, /) -> bytes: ...


def new_key() -> str:
    """Return a new 256-bit key, as text for an encrypted field."""
    return os.urandom(KEY_BYTES).hex()


class Sealer(RawIOBase):
    """A file to write to; what arrives in `target` is sealed. Whole only once it is closed."""

    def __init__(self, target: BinaryIO, key: str, *, context: str) -> None:
        self._target, self._aead = target, AESGCM(bytes.fromhex(key))
        self._context = encode_context(SEALING, context)
        self._prefix, self._number = os.urandom(PREFIX_BYTES), 0
        self._waiting = bytearray()
        target.write(FORMAT + self._prefix)

    def writable(self) -> bool:
        return True

    def write(self, data: Any, /) -> int:
        self._waiting += data
        while len(self._waiting) > PIECE:  # the last piece waits for `close`: only that one says so
            self._seal(bytes(self._waiting[:PIECE]), last=False)
            del self._waiting[:PIECE]
        return len(data)

    def finish(self) -> None:
        """Seal the last piece; without it the file does not open."""
        self._seal(bytes(self._waiting), last=True)
        self._waiting.clear()

    def _seal(self, piece: bytes, *, last: bool) -> None:
        nonce = _nonce(self._prefix, self._number, last=last)
        self._target.write(self._aead.encrypt(nonce, piece, self._context))
        self._number += 1


def opened(source: Readable, key: str, *, context: str) -> Iterator[bytes]:
    """Give the file's contents piece by piece; raises `SealBroken` at the first that is not as sealed."""
    aead, bound = AESGCM(bytes.fromhex(key)), encode_context(SEALING, context)
    head = _read(source, len(FORMAT) + PREFIX_BYTES)
    if head[:1] != FORMAT or len(head) != len(FORMAT) + PREFIX_BYTES:
        raise SealBroken("This is not a sealed file.")
    piece, number = _read(source, PIECE + TAG_BYTES), 0
    while True:
        following = _read(source, PIECE + TAG_BYTES)
        try:
            yield aead.decrypt(_nonce(head[1:], number, last=not following), piece, bound)
        except InvalidTag:
            raise SealBroken("A sealed file was changed or cut off, or is another one.") from None
        if not following:
            return
        piece, number = following, number + 1


def _nonce(prefix: bytes, number: int, *, last: bool) -> bytes:
    return prefix + number.to_bytes(4) + (b"\x01" if last else b"\x00")


def _read(source: Readable, amount: int) -> bytes:
    """Read so many bytes, or what is left; a stream may give less at once."""
    parts: list[bytes] = []
    while amount > 0:
        part = source.read(amount)
        if not part:
            break
        parts.append(part)
        amount -= len(part)
    return b"".join(parts)
