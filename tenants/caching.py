"""Cache keys carry the schema, so that no tenant can read another's entry."""

from tenants.context import current_schema


def make_key(key: str, key_prefix: str, version: int) -> str:
    """Return the stored key; raises `NoTenant` outside a tenant."""
    return f"{current_schema()}:{key_prefix}:{version}:{key}"
