"""The hash chain, pure: canonical JSON in, links out."""

import hashlib
import ipaddress
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

GENESIS = bytes(32)
_encoder = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=True)


def canonical(fields: Mapping[str, Any]) -> bytes:
    """Return the one byte string that stands for `fields`: sorted keys, no spaces, ASCII."""
    return _encoder.encode(fields).encode("ascii")


def who(kind: str, actor_id: str, label: str, behind: tuple[str, str]) -> list[str]:
    """Return the acting party as it is hashed; whoever stands behind it follows only where there is one."""
    return [kind, actor_id, label, *(behind if any(behind) else ())]


def stamp(at: datetime) -> str:
    """Return `at` as UTC with microseconds, the same before and after the database."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def address(ip: str | None) -> str | None:
    """Return the one way to write `ip`; PostgreSQL and Python shorten IPv6 each in its own."""
    if ip is None:
        return None
    found = ipaddress.ip_address(ip)
    return str(found) if found.version == 4 else found.packed.hex(":", 2)


def link(prev: bytes, body: bytes) -> bytes:
    """Return the hash of the event `body` that follows `prev`."""
    return hashlib.sha256(b"proecommerce-audit-1\0" + prev + body).digest()
