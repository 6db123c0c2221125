"""Many rows at once: written by COPY, changed by one statement; and one import of a tenant at a time."""

from collections.abc import Sequence
from enum import Enum
from typing import Any

from django.db import connection, models

from tenants.context import current_tenant


def wait_for_others() -> None:
    """Hold back until no other import of this tenant is under way. Comes before every other lock."""
    with connection.cursor() as cursor:
        key = f"import:{current_tenant().schema_name}"
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [key])


def insert(model: type[models.Model], rows: Sequence[models.Model]) -> None:
    """Write new rows of one model."""
    if not rows:
        return
    fields = model._meta.concrete_fields
    statement = f"COPY {model._meta.db_table} ({', '.join(str(field.column) for field in fields)}) FROM STDIN"
    names = [field.attname for field in fields]
    # COPY speaks past Django: without the wrapper a row that is there already is no IntegrityError.
    with connection.cursor() as cursor, connection.wrap_database_errors, cursor.copy(statement) as copy:
        for row in rows:
            copy.write_row([_plain(getattr(row, name)) for name in names])


def update(model: type[models.Model], rows: Sequence[models.Model], names: Sequence[str]) -> None:
    """Write these fields of rows that exist."""
    if not rows:
        return
    fields: list[Any] = [model._meta.pk, *(model._meta.get_field(name) for name in names)]
    columns = [field.column for field in fields]
    # Without the length: a cast to varchar(n) would cut what is too long instead of refusing it.
    arrays = ", ".join(f"%s::{(field.db_type(connection) or '').split('(')[0]}[]" for field in fields)
    settings = ", ".join(f"{column} = new.{column}" for column in columns[1:])
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {model._meta.db_table} AS old SET {settings}"
            f" FROM unnest({arrays}) AS new ({', '.join(columns)}) WHERE old.{columns[0]} = new.{columns[0]}",
            [[_plain(getattr(row, field.attname)) for row in rows] for field in fields],
        )


def _plain(value: Any) -> Any:
    return value.value if isinstance(value, Enum) else value
