"""Identifiers and secrets in Stripe's shapes."""

import hashlib
import secrets
import string

_ALPHABET = string.ascii_letters + string.digits


def _base62(number: int, length: int) -> str:
    letters = []
    for _ in range(length):
        number, rest = divmod(number, 62)
        letters.append(_ALPHABET[rest])
    return "".join(letters)


def random_text(length: int) -> str:
    return _base62(secrets.randbits(6 * length + 8), length)


def derived_text(source: str, length: int) -> str:
    """The same letters for the same source, always."""
    return _base62(int.from_bytes(hashlib.sha512(source.encode()).digest(), "big"), length)


def new_id(prefix: str) -> str:
    return f"{prefix}_{random_text(24)}"


def client_secret(object_id: str) -> str:
    return f"{object_id}_secret_{random_text(25)}"


def account_of_key(key: str) -> str:
    """The account that a key belongs to: keys that differ only in sk/rk/pk are keys of one account."""
    return f"acct_1{derived_text(key.split('_', 2)[2], 15)}"
