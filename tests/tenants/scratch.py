"""A database of its own, for tests that change what every other test stands on."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import psycopg
from filelock import FileLock

from sandbox.stack.postgres import binaries
from tests.conftest import ROOT, TEMPLATE


class Scratch:
    """A copy of the tests' template database, and what is done in it by processes of their own."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.urls = {
            variable: urlsplit(os.environ[variable])._replace(path=f"/{name}").geturl()
            for variable in ("DATABASE_URL", "DATABASE_OWNER_URL", "DATABASE_ADMIN_URL")
        }

    def manage(
        self, *arguments: str, settings: str = "proecommerce.settings"
    ) -> "subprocess.CompletedProcess[str]":
        """Run manage.py as an operator would."""
        return subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env=os.environ | self.urls | {"DJANGO_SETTINGS_MODULE": settings},
            capture_output=True,
            text=True,
            check=False,
            timeout=110,
        )

    def owner(self) -> "psycopg.Connection[Any]":
        return psycopg.connect(self.urls["DATABASE_OWNER_URL"], autocommit=True)

    def rows(self, query: str) -> list[Any]:
        with self.owner() as owner:
            return owner.execute(query).fetchall()

    def dump(self, schema: str, *, rows: bool = True) -> list[str]:
        """What pg_dump says of the schema, in words that do not depend on its name or on the time."""
        command = [str(binaries() / "pg_dump"), "-d", self.urls["DATABASE_ADMIN_URL"], "-n", schema]
        command += ["--column-inserts"] if rows else ["-s"]
        text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        lines = (line.replace(schema, "SCHEMA") for line in text.splitlines())
        return [
            line
            for line in lines
            if line and not line.startswith(("--", "\\", "INSERT INTO SCHEMA.django_m"))
        ]


@contextmanager
def scratch() -> Iterator[Scratch]:
    """Copy the template; drop the copy afterwards."""
    found = Scratch(f"proe_scratch_{uuid4().hex[:8]}")
    admin_url = os.environ["DATABASE_ADMIN_URL"]
    with psycopg.connect(admin_url, autocommit=True) as admin:
        with FileLock(f"{os.environ['DEMO_DIR']}/template.lock"):
            admin.execute(f"CREATE DATABASE {found.name} TEMPLATE {TEMPLATE}_done OWNER proe_owner")
        admin.execute(f"GRANT CONNECT ON DATABASE {found.name} TO proe_app")
        try:
            yield found
        finally:
            admin.execute(f"DROP DATABASE {found.name} WITH (FORCE)")
