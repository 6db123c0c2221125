"""One request as it was seen: taken at its end in passing, made a row of later, by the writer's thread."""

import hashlib
import hmac
from datetime import datetime
from ipaddress import IPv6Address, ip_address
from typing import Any, NamedTuple
from uuid import UUID

from django.conf import settings

from operations.masking import clean, plain_path
from tenants.ids import new_id

COLUMNS = (
    "id", "at", "schema_name", "host", "method", "path", "status", "duration_ms", "ip", "user_agent",
    "user_id", "operator_id", "event", "account_mark",
)  # fmt: skip
LONGEST_MS = 2**31 - 1
Row = tuple[Any, ...]


class Seen(NamedTuple):
    """What the writer needs of a request; the request itself is let go."""

    at: datetime
    seconds: float  # not money
    schema_name: str
    host: str
    method: str
    path: str
    secrets: tuple[object, ...]
    status: int
    ip: str | None
    user_agent: str
    user_id: UUID | None
    operator_id: str
    event: str
    tried: str


def row_of(seen: Seen) -> Row:
    """Return the row, in the order of COLUMNS: without secrets, and such that the database takes it."""
    return (
        new_id(),
        seen.at,
        seen.schema_name,
        clean(seen.host, 253),
        clean(seen.method, 16),
        clean(plain_path(seen.path, seen.secrets), 500),
        seen.status,
        min(round(seen.seconds * 1000), LONGEST_MS),
        plain_address(seen.ip),
        clean(seen.user_agent, 200),
        seen.user_id,
        seen.operator_id[:64],
        seen.event[:24],
        mark_of(seen.schema_name, seen.tried) if seen.tried else "",
    )


def plain_address(address: str | None) -> str | None:
    """Return the address without zone, and an IPv4 one that came as IPv6 as what it is."""
    if address is None:
        return None
    parsed = ip_address(address.partition("%")[0])
    return str((isinstance(parsed, IPv6Address) and parsed.ipv4_mapped) or parsed)


def mark_of(schema_name: str, account: str) -> str:
    """A keyed hash that tells nobody which account was tried, only that it was the same one."""
    text = f"account tried\0{schema_name}\0{account}".encode("utf-8", "replace")
    return hmac.new(settings.SECRET_KEY.encode(), text, hashlib.sha256).hexdigest()[:32]
