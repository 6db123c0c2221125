"""The hash chain, pure: canonical JSON in, links out.

Two formats stand in the same chain. Format 1, of the first versions, is sorted JSON in ASCII. Format 2 is an
array as PostgreSQL writes `json_build_array`, so that the database can give a whole batch ready to be hashed.
"""

import hashlib
import ipaddress
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

GENESIS = bytes(32)
LABEL_2 = b"proecommerce-audit-2\0"
_written = json.JSONEncoder(ensure_ascii=False, separators=(", ", ": ")).encode
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


def details_text(details: Mapping[str, Any]) -> str:
    """Return the one text that stands for `details` in format 2: what PostgreSQL makes of it as jsonb."""
    return _written(_ordered(details))


def body(fields: Sequence[str | int | None], details: str, rest: Sequence[str | None]) -> bytes:
    """Return the bytes of an event in format 2: its fields, its details as `details_text`, and the rest."""
    return f"{_written(list(fields))[:-1]}, {details}, {_written(list(rest))[1:]}".encode()


def link_2(prev: bytes, body: bytes) -> bytes:
    """Return the hash of the event `body` of format 2 that follows `prev`."""
    return hashlib.sha256(LABEL_2 + prev + body).digest()


def _ordered(value: Any) -> Any:
    """Return `value` with its keys in jsonb's order; refuse what jsonb would write otherwise than Python."""
    match value:
        case str() | bool() | int() | None:
            return value
        case Mapping():
            if not all(isinstance(key, str) for key in value):
                raise TypeError("The keys of an event's details are strings.")
            pairs = sorted(value.items(), key=lambda pair: (len(pair[0].encode()), pair[0].encode()))
            return {key: _ordered(each) for key, each in pairs}
        case list() | tuple():
            return [_ordered(each) for each in value]
        case _:
            raise TypeError(f"An event's details hold no {type(value).__name__}.")
