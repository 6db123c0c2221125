"""A database and a bucket of its own, entered in this process: for tests that attack the record as owner."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

import psycopg
from django.conf import settings
from django.db import connection

from tests.conftest import new_bucket
from tests.tenants.scratch import Scratch, scratch

TABLES = ("t_alpha.audit_auditevent", "t_alpha.audit_chainhead", "t_alpha.audit_purgedlink",
          "public.audit_anchor", "public.audit_checkpoint", "public.audit_auditevent",
          "public.audit_chainhead")  # fmt: skip


class Own:
    """The owner's hands on the record, and a way back to how it was."""

    def __init__(self, place: Scratch, owner: "psycopg.Connection[Any]", bucket: str) -> None:
        self.place, self.owner, self.bucket = place, owner, bucket

    def do(self, *statements: str) -> None:
        """Run as a superuser who minds no trigger, the worst that may happen."""
        for statement in statements:
            self.owner.execute(statement.encode())

    def save(self) -> None:
        for table in TABLES:
            self.do(f"CREATE TABLE saved.{table.replace('.', '_')} AS SELECT * FROM {table}")

    def restore(self) -> None:
        for table in reversed(TABLES):
            self.do(f"DELETE FROM {table}")
        for table in reversed(TABLES):
            self.do(f"INSERT INTO {table} SELECT * FROM saved.{table.replace('.', '_')}")


@contextmanager
def own_database() -> Iterator[Own]:
    """Point this process at a copy of the template with a bucket of its own, and back afterwards."""
    wrapper = cast(Any, connection)
    bucket, before = new_bucket(), settings.AUDIT_BUCKET
    with scratch() as place:
        name, urls = wrapper.settings_dict["NAME"], {each: os.environ[each] for each in place.urls}
        _let_go(wrapper)
        wrapper.settings_dict["NAME"] = place.name
        os.environ.update(place.urls)
        settings.AUDIT_BUCKET = bucket
        try:
            with psycopg.connect(place.urls["DATABASE_ADMIN_URL"], autocommit=True) as owner:
                owner.execute("SET session_replication_role = replica")
                owner.execute("CREATE SCHEMA saved")
                yield Own(place, owner, bucket)
        finally:
            _let_go(wrapper)
            wrapper.settings_dict["NAME"] = name
            os.environ.update(urls)
            settings.AUDIT_BUCKET = before


def _let_go(wrapper: Any) -> None:
    wrapper.close()
    if wrapper.pool:
        wrapper.close_pool()
