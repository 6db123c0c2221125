"""Time as PostgreSQL sees it: closings that lie years back, which the application itself cannot write."""

import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest
from django.db import connection

from privacy.subjects import Subject
from tests.billing.payments.conftest import shop

__all__ = ["shop"]


@pytest.fixture
def no_mail(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tenants.mail.send", lambda letter, *, to: None)


@pytest.fixture
def now() -> datetime:
    """The real time: the database compares closings with its own."""
    return datetime.now(UTC) + timedelta(seconds=1)


@pytest.fixture
def backdate() -> Callable[[Subject, datetime, str], None]:
    """Let an account have been closed then: as a superuser, past the guard."""

    def change(subject: Subject, at: datetime, schema: str) -> None:
        url = urlsplit(os.environ["DATABASE_ADMIN_URL"])
        with psycopg.connect(url._replace(path=f"/{connection.settings_dict['NAME']}").geturl()) as admin:
            admin.execute("SET session_replication_role = replica")
            admin.execute(
                f'UPDATE "{schema}".privacy_closing SET closed_at = %s, final_at = %s'
                " WHERE subject_kind = %s AND subject_id = %s",
                [at, at + timedelta(days=30), subject.kind, subject.id],
            )

    return change


@pytest.fixture
def admin_rows() -> Callable[[str], list[Any]]:
    """What a superuser finds, in whichever schema."""

    def find(query: str) -> list[Any]:
        url = urlsplit(os.environ["DATABASE_ADMIN_URL"])
        with psycopg.connect(url._replace(path=f"/{connection.settings_dict['NAME']}").geturl()) as admin:
            return admin.execute(query).fetchall()

    return find
