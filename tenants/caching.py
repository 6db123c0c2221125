"""Cache keys carry the schema, so that no tenant can read another's; values are JSON and run nothing."""

import json
from typing import Any

from tenants.context import current_schema


def make_key(key: str, key_prefix: str, version: int) -> str:
    """Return the stored key; raises `NoTenant` outside a tenant."""
    return f"{current_schema()}:{key_prefix}:{version}:{key}"


class JsonSerializer:
    """What goes into the cache and comes out: JSON. Django's own would run what a forged entry says."""

    def __init__(self, protocol: int | None = None) -> None:
        """Take what Django's backend passes on to its own serializer, and need none of it."""

    def dumps(self, value: Any) -> int | bytes:
        """Return the stored form; a whole number stays one, so that the server can count on it."""
        if type(value) is int:
            return value
        return json.dumps(value, allow_nan=False).encode()

    def loads(self, stored: bytes) -> Any:
        """Return the value; raises ValueError for what is not JSON."""
        return json.loads(stored)
