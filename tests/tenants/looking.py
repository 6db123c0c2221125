"""What the server itself says about where a connection is."""

from typing import Any

from django.db import connection

PLATFORM = ("proe_public", "public")


def where() -> tuple[str, str]:
    """Return the server's role and schema."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user, current_schema()")
        return where_of(cursor.fetchone())


def where_of(row: Any) -> tuple[str, str]:
    return str(row[0]), str(row[1])


def place(tenant: Any) -> tuple[str, str]:
    """Return where a connection is when it is inside `tenant`."""
    return tenant.schema_name, tenant.schema_name
