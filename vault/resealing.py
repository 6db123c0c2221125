"""Replacing the data key of the schema that is entered: every sealed value anew, then the old key retired.

From the moment that the new key is there, all is sealed by it; what the old one sealed is taken over in small
batches that wait for nobody. Each batch stands for itself: a killed run goes on where it was.
"""

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.apps import apps
from django.db import DEFAULT_DB_ALIAS, connection, models, router, transaction
from psycopg import sql

from vault import cipher, datakeys
from vault.datakeys import UnwrappedKey
from vault.errors import SealBroken
from vault.fields import EncryptedTextField
from vault.models import DataKey

logger = logging.getLogger(__name__)

BATCH = 200
WAIT_SECONDS = 30.0  # for rows that others hold, without any progress
PAUSE_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class SealedTable:
    """A table of this schema with its sealed columns."""

    name: str
    key: str
    key_type: str
    columns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    """The key in use, how many values were sealed anew under it, and how many could not be."""

    key_id: UUID | None
    resealed: int
    left: int


def find_sealed_tables() -> Sequence[SealedTable]:
    """Return every table of the schema entered that has sealed columns, as its models tell."""
    found = []
    for model in apps.get_models(include_auto_created=True):
        columns = [f.column for f in model._meta.local_concrete_fields if isinstance(f, EncryptedTextField)]
        if columns and _lives_here(model):
            key: Any = model._meta.pk
            key_type = str(key.rel_db_type(connection))
            found.append(SealedTable(model._meta.db_table, key.column, key_type, tuple(columns)))
    return found


def _lives_here(model: type[models.Model]) -> bool:
    return model._meta.managed and router.allow_migrate_model(DEFAULT_DB_ALIAS, model)


def begin_run() -> datetime:
    """Return the instant before which a data key is an old one; call it in the platform's schema.

    Its own key is the first to be succeeded and the last to be retired: while an old one is left beside the
    new one, a run has been interrupted, and this goes on with it.
    """
    datakeys.prepare()
    keys = list(DataKey.objects.filter(retired_at=None).order_by("-version"))
    newest = keys[0] if len(keys) > 1 else datakeys.succeed()
    return newest.created_at


def replace_data_key(*, made_before: datetime, batch: int = BATCH) -> Outcome:
    """Have everything in this schema sealed by a data key made at `made_before` or later. Resumable."""
    newest = DataKey.objects.filter(retired_at=None).order_by("-version").first()
    if newest is None:
        return Outcome(None, 0, 0)
    if newest.created_at < made_before:
        newest = datakeys.succeed()
    key = datakeys.get_key(newest.id)
    tables = find_sealed_tables()
    resealed = _reseal_until_done(tables, key, batch)
    return Outcome(newest.id, resealed, _count_left(tables, key))


def retire_older_keys(*, now: datetime) -> int:
    """Retire all but the newest key if nothing is sealed by them; returns how many. In a transaction.

    Locking them waits for the transactions that still seal by them; whoever begins now takes the newest.
    """
    in_use = DataKey.objects.filter(retired_at=None)
    newest = in_use.order_by("-version").first()
    if newest is None:
        return 0
    older = list(in_use.filter(version__lt=newest.version).select_for_update())
    if not older or _count_left(find_sealed_tables(), datakeys.get_key(newest.id)):
        return 0
    return DataKey.objects.filter(pk__in=[row.pk for row in older]).update(retired_at=now)


def _reseal_until_done(tables: Sequence[SealedTable], key: UnwrappedKey, batch: int) -> int:
    """Go through the tables until nothing is left, or nothing moves any more."""
    total, progress_at = 0, time.monotonic()
    while True:
        done, broken = 0, 0
        for table in tables:
            counts = _pass_over(table, key, batch)
            done, broken = done + counts[0], broken + counts[1]
        total += done
        left = _count_left(tables, key)
        if left <= broken:
            return total
        if done:
            progress_at = time.monotonic()
        elif time.monotonic() - progress_at > WAIT_SECONDS:
            return total
        time.sleep(PAUSE_SECONDS)


def _pass_over(table: SealedTable, key: UnwrappedKey, batch: int) -> tuple[int, int]:
    """One walk in the order of the keys; rows that others hold are left for the next. (done, broken)."""
    done = broken = 0
    after: Any = None
    while True:
        with transaction.atomic():
            rows = _take(table, key, after, batch)
            if not rows:
                return done, broken
            fresh = [_reseal_row(table, key, row) for row in rows]
            _put(table, fresh)
        after = rows[-1][0]
        for row, anew in zip(rows, fresh, strict=True):
            old = sum(1 for blob in row[1:] if _is_old(blob, key))
            still = sum(1 for blob in anew[1:] if _is_old(blob, key))
            done, broken = done + old - still, broken + still


def _is_old(blob: Any, key: UnwrappedKey) -> bool:
    return blob is not None and bytes(blob)[1 : cipher.HEADER_BYTES] != key.id.bytes


def _reseal_row(table: SealedTable, key: UnwrappedKey, row: Sequence[Any]) -> list[Any]:
    place = {"table": table.name, "row": str(row[0])}
    anew: list[Any] = [row[0]]
    for column, blob in zip(table.columns, row[1:], strict=True):
        if _is_old(blob, key):
            try:
                blob = cipher.reseal(bytes(blob), under=key, column=column, **place)
            except SealBroken:
                logger.error("%s.%s of the row %s does not open: left as it is", table.name, column, row[0])
        anew.append(blob)
    return anew


def _old_ones(table: SealedTable) -> sql.Composable:
    """The condition for rows with a value that another key has sealed; a parameter a column."""
    one = sql.SQL("substr({column}, 2, 16) <> %s")
    return sql.SQL(" OR ").join(one.format(column=sql.Identifier(column)) for column in table.columns)


def _take(table: SealedTable, key: UnwrappedKey, after: Any, batch: int) -> list[tuple[Any, ...]]:
    query = sql.SQL(
        "SELECT {key}, {columns} FROM {table} WHERE ({old}) AND {further}"
        " ORDER BY {key} LIMIT %s FOR NO KEY UPDATE SKIP LOCKED"
    ).format(
        key=sql.Identifier(table.key),
        columns=sql.SQL(", ").join(map(sql.Identifier, table.columns)),
        table=sql.Identifier(table.name),
        old=_old_ones(table),
        further=sql.SQL("true") if after is None else sql.SQL("{} > %s").format(sql.Identifier(table.key)),
    )
    further = [] if after is None else [after]
    with connection.cursor() as cursor:
        cursor.execute(query, [*_ids(table, key), *further, batch])
        found: list[tuple[Any, ...]] = cursor.fetchall()
    return found


def _put(table: SealedTable, rows: Sequence[Sequence[Any]]) -> None:
    columns = [sql.Identifier(column) for column in table.columns]
    query = sql.SQL(
        "UPDATE {table} t SET {sets} FROM unnest(%s::{key_type}[], {arrays}) AS v (row_key, {columns})"
        " WHERE t.{key} = v.row_key"
    ).format(
        table=sql.Identifier(table.name),
        sets=sql.SQL(", ").join(sql.SQL("{0} = v.{0}").format(column) for column in columns),
        key_type=sql.SQL(table.key_type),
        arrays=sql.SQL(", ").join([sql.SQL("%s::bytea[]")] * len(columns)),
        columns=sql.SQL(", ").join(columns),
        key=sql.Identifier(table.key),
    )
    with connection.cursor() as cursor:
        cursor.execute(query, [list(values) for values in zip(*rows, strict=True)])


def _count_left(tables: Sequence[SealedTable], key: UnwrappedKey) -> int:
    """How many values another key has sealed."""
    left = 0
    for table in tables:
        counts = sql.SQL(" + ").join(
            sql.SQL("count(*) FILTER (WHERE substr({}, 2, 16) <> %s)").format(sql.Identifier(column))
            for column in table.columns
        )
        query = sql.SQL("SELECT {} FROM {}").format(counts, sql.Identifier(table.name))
        with connection.cursor() as cursor:
            cursor.execute(query, _ids(table, key))
            left += cursor.fetchone()[0]
    return left


def _ids(table: SealedTable, key: UnwrappedKey) -> list[bytes]:
    return [key.id.bytes] * len(table.columns)
