"""Pure: AES-256-GCM keys that cannot be shown, and the unambiguous form of associated data."""

import os
from typing import NoReturn, final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from vault.errors import SealBroken

KEY_BYTES = 32
NONCE_BYTES = 12
TAG_BYTES = 16


@final
class SecretKey:
    """A 256-bit key: it seals and opens, and never shows, pickles or compares what it is."""

    __slots__ = ("_aead",)

    def __init__(self, material: bytes) -> None:
        if len(material) != KEY_BYTES:
            raise ValueError("A key is 32 bytes long.")
        self._aead = AESGCM(material)

    def encrypt(self, plaintext: bytes, *, context: bytes) -> bytes:
        """Return nonce, ciphertext and tag. The nonce is random: at most 2^32 messages under one key."""
        nonce = os.urandom(NONCE_BYTES)
        return nonce + self._aead.encrypt(nonce, plaintext, context)

    def decrypt(self, sealed: bytes, *, context: bytes) -> bytes:
        """Return the plaintext, or raise `SealBroken`."""
        if len(sealed) >= NONCE_BYTES + TAG_BYTES:
            try:
                return self._aead.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], context)
            except InvalidTag:
                pass
        raise SealBroken("A sealed value was changed, or stands where it was not sealed for.")

    def __repr__(self) -> str:
        return "SecretKey(…)"

    def __reduce__(self) -> NoReturn:
        raise TypeError("A key stays in the memory of its process.")


def encode_context(purpose: str, *parts: str) -> bytes:
    """Join `parts` so that no two lists of parts give the same bytes: each goes with its length."""
    encoded = [part.encode() for part in (purpose, *parts)]
    return len(encoded).to_bytes(2) + b"".join(len(part).to_bytes(4) + part for part in encoded)
