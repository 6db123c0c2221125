"""A copy to take along, written as it is read: a ZIP with one CSV a table, an SQL dump, a manifest, a README.

All of it shows the same moment; however much there is, memory holds a thousand rows at most.
"""

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import IO, Any, Final
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from django.db import connection, transaction

from privacy.access import Table, counts, treatment
from privacy.plain import csv_line, sql_literal, sql_name
from privacy.planning import register_titles

VERSION: Final = 1
ROWS_A_STATEMENT: Final = 100
FLUSH_AT: Final = 1 << 16
Told = Callable[[int, int], None]

README: Final = """\
A copy of data, as ProEcommerce held it
=======================================

For:      {whom}
Held by:  {business}
Made:     {made}

What is in it
- csv/      one file a table, to be read by any program: UTF-8, commas, quotes as in RFC 4180; the first line
            names the columns. An empty cell means that there is nothing; "" is an empty text.
- data.sql  the same once more, for PostgreSQL: `psql -f data.sql` loads it into an empty database.
- manifest.json  every file with its SHA-256, every table with its number of rows, and what each field is
            for, on which legal basis, who gets it, and how long it is kept.

What is not in it
Passwords, second factors and keys: they are kept secret, for your protection. Which ones there are stands in
manifest.json under "kept_secret". Neither is what tells of other people.
Registers of the platform, which no workspace can read, are named under "registers_not_searched":
write to billing@proecommerce.com, and a person looks for you in them.

A word of caution
Values are exact: nothing was changed in them or put before them. Some may begin with = + - or @, which
spreadsheet programs take for formulas. Do not open the files by a double click: import them, and choose
"text" for all columns.
"""


@dataclass(frozen=True, slots=True)
class Heading:
    """For whom, from whom, when."""

    whom: str
    business: str
    made: datetime


@dataclass(frozen=True, slots=True)
class Packed:
    """What went in."""

    tables: int
    rows: int


@dataclass(slots=True)
class _Entry:
    """A file of the copy, being written."""

    file: IO[bytes]
    digest: Any
    size: int = 0
    waiting: str = ""

    def write(self, text: str) -> None:
        self.waiting += text
        if len(self.waiting) > FLUSH_AT:
            self.flush()

    def flush(self) -> None:
        data = self.waiting.encode()
        self.digest.update(data)
        self.size += len(data)
        self.file.write(data)
        self.waiting = ""


def pack(
    target: Any, tables: Sequence[Table], heading: Heading, *, told: Told = lambda done, of: None
) -> Packed:
    """Write the copy of these tables to `target`, which needs not be seekable; empty tables are left out.

    `told` hears of the progress: rows done, of how many.
    """
    with one_moment():
        numbers = counts(tables)
        full = [table for table in tables if numbers[table.label]]
        total = 2 * sum(numbers.values())
        files: list[dict[str, Any]] = []
        rows: dict[str, int] = {}
        with ZipFile(target, "w", ZIP_DEFLATED, compresslevel=6) as archive:
            for table in full:
                with _entry(archive, f"csv/{table.name}.csv", heading, files) as entry:
                    rows[table.name] = _write_csv(entry, table)
                told(sum(rows.values()), total)
            with _entry(archive, "data.sql", heading, files) as entry:
                _write_sql(entry, full, heading, lambda done: told(sum(rows.values()) + done, total))
            with _entry(archive, "README.txt", heading, files) as entry:
                entry.write(_readme(heading))
            with _entry(archive, "manifest.json", heading, []) as entry:
                entry.write(_manifest(heading, tables, full, rows, files))
    return Packed(len(full), sum(rows.values()))


@contextmanager
def one_moment() -> Iterator[None]:
    """Read everything as it stood at one moment, whatever is changed meanwhile."""
    if connection.in_atomic_block:
        yield  # the surrounding transaction decides what is seen
        return
    # Said before the transaction begins: its first statement finds the tenant, and is a query already.
    with connection.cursor() as cursor:
        cursor.execute("SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL REPEATABLE READ")
    try:
        with transaction.atomic():
            yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL READ COMMITTED")


@contextmanager
def _entry(archive: ZipFile, name: str, heading: Heading, files: list[dict[str, Any]]) -> Iterator[_Entry]:
    info = ZipInfo(name, heading.made.timetuple()[:6])
    info.compress_type = ZIP_DEFLATED
    info.external_attr = 0o600 << 16
    with archive.open(info, "w", force_zip64=True) as file:
        entry = _Entry(file, hashlib.sha256())
        yield entry
        entry.flush()
    files.append({"name": name, "bytes": entry.size, "sha256": entry.digest.hexdigest()})


def _write_csv(entry: _Entry, table: Table) -> int:
    entry.write(csv_line([column.name for column in table.columns]))
    number = 0
    for row in table.stream():
        entry.write(csv_line(row))
        number += 1
    return number


def _write_sql(entry: _Entry, tables: Sequence[Table], heading: Heading, done: Callable[[int], None]) -> None:
    """Tables first, then their rows, each table behind those that it points to."""
    entry.write(f"-- A copy of data, made {heading.made.isoformat()}. For an empty PostgreSQL database.\n")
    entry.write("SET client_encoding = 'UTF8';\nSET standard_conforming_strings = on;\nBEGIN;\n")
    for table in tables:
        columns = ",\n".join(
            f"    {sql_name(column.name)} {column.type}{' PRIMARY KEY' if column.is_key else ''}"
            for column in table.columns
        )
        entry.write(f"CREATE TABLE {sql_name(table.name)} (\n{columns}\n);\n")
    number = 0
    for table in tables:
        names = ", ".join(sql_name(column.name) for column in table.columns)
        begin = f"INSERT INTO {sql_name(table.name)} ({names}) VALUES\n"
        types = [column.type for column in table.columns]
        at = 0
        for at, row in enumerate(table.stream(), 1):
            values = ", ".join(_literal(value, type_) for value, type_ in zip(row, types, strict=True))
            entry.write(f"{begin if at % ROWS_A_STATEMENT == 1 else f',{chr(10)}'}({values})")
            if at % ROWS_A_STATEMENT == 0:
                entry.write(";\n")
        if at % ROWS_A_STATEMENT:
            entry.write(";\n")
        number += at
        done(number)
    entry.write("COMMIT;\n")


def _literal(value: Any, type_: str) -> str:
    """JSON is written as JSON, also where the value is a bare text or number."""
    if type_ == "jsonb" and value is not None:
        return sql_literal(json.dumps(value, ensure_ascii=False, sort_keys=True, default=str))
    return sql_literal(value)


def _readme(heading: Heading) -> str:
    made = heading.made.strftime("%Y-%m-%d %H:%M UTC")
    return README.format(whom=heading.whom, business=heading.business, made=made)


def _manifest(
    heading: Heading,
    tables: Sequence[Table],
    full: Sequence[Table],
    rows: dict[str, int],
    files: list[dict[str, Any]],
) -> str:
    told = {
        "format": "proecommerce-copy",
        "version": VERSION,
        **asdict(heading),
        "tables": [
            {"name": each.name, "holds": each.title, "rows": rows[each.name], "treated": _treated(each)}
            for each in full
        ],
        "rows": sum(rows.values()),
        "nothing_held_in": [each.title for each in tables if each not in full],
        "kept_secret": {each.title: list(each.secret) for each in full if each.secret},
        "registers_not_searched": register_titles(),
        "files": files,
    }
    return json.dumps(told, indent=2, ensure_ascii=False, default=str) + "\n"


def _treated(table: Table) -> list[dict[str, Any]]:
    """What each personal field is for, on which basis, who gets it, how long it is kept."""
    return [
        {
            "fields": list(each.fields), "what_for": list(each.purposes), "basis": each.basis,
            "who_gets_it": list(each.recipients), "how_long": each.kept,
        }
        for each, _ in treatment(table)
    ]  # fmt: skip
