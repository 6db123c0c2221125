"""Files between their preview and the confirmation: kept for an hour, for the person who sent them only."""

import secrets
import zlib
from base64 import b64decode, b64encode
from dataclasses import dataclass

from django.core.cache import cache

SECONDS = 3600


@dataclass(frozen=True, slots=True)
class Upload:
    """What was sent: the texts of both files ("" for one that was not), and their names."""

    customers: bytes
    subscriptions: bytes
    names: tuple[str, str]


def keep(upload: Upload, person: str) -> str:
    """Keep the files; returns the ticket under which they are found again."""
    ticket = secrets.token_urlsafe(24)
    packed = [_pack(upload.customers), _pack(upload.subscriptions), *upload.names]
    cache.set(_key(ticket, person), packed, SECONDS)
    return ticket


def find(ticket: str, person: str) -> Upload | None:
    """Return the files if they are still there and this person's."""
    packed = cache.get(_key(ticket, person))
    if packed is None:
        return None
    customers, subscriptions, *names = packed
    return Upload(_unpack(customers), _unpack(subscriptions), (names[0], names[1]))


def forget(ticket: str, person: str) -> None:
    cache.delete(_key(ticket, person))


def _key(ticket: str, person: str) -> str:
    return f"upload:{person}:{ticket[:64]}"


def _pack(data: bytes) -> str:
    return b64encode(zlib.compress(data)).decode()


def _unpack(packed: str) -> bytes:
    return zlib.decompress(b64decode(packed))
