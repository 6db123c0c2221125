"""How long it is kept: R4, R6."""

import os
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from django.test import Client

from accounts.privacy_scope import of_user
from operations.backup_rules import EXCLUDED_FROM_BACKUPS
from operations.models import RequestLog
from operations.writing import WRITER
from privacy import access, consenting
from privacy.inventory import Retention
from privacy.models import Consent
from privacy.periods import PERIODS
from sandbox.stack.postgres import binaries
from tenants.context import enter_public
from tests.billing.portal import making
from tests.operations.conftest import requests, written
from vault import subject_keys

__all__ = ["requests", "written"]


def test_r4_request_logs_are_gone_after_30_days_and_are_in_no_backup(
    tenant: Any, written: Callable[[], list[RequestLog]], requests: Callable[..., None]
) -> None:
    """Each day of a hundred, seen from today: the nightly job leaves none that has had its thirtieth day."""
    from operations.jobs import keep_log

    Client(HTTP_HOST="alpha.localhost", HTTP_USER_AGENT="canary").get("/log-in/")
    (row,) = written()
    assert (row.user_agent, row.path) == ("canary", "/log-in/")
    now = datetime.now(UTC)
    for age in range(100):
        requests(now - timedelta(days=age, minutes=1), user_agent=f"{age} days")
    with enter_public():
        keep_log()
        assert not RequestLog.objects.filter(at__lt=now - timedelta(days=29)).exists()
        assert RequestLog.objects.filter(at__gt=now - timedelta(days=28)).count() == 28 + 1


def test_r4_no_backup_holds_a_request(committed: None) -> None:
    """No dump by our rules, no write-ahead log, no copy of the files: every partition is unlogged."""
    from tests.operations.test_logging_requests import seen

    canary = f"canary-{os.urandom(8).hex()}.example"
    WRITER.open(by_hand=True)
    try:
        WRITER.put(seen(host=canary, user_agent=canary))
        assert WRITER.flush() == 1
    finally:
        WRITER.close()
    with enter_public(), connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FILTER (WHERE relpersistence <> 'u'), count(*) FROM pg_class"
            " WHERE relkind IN ('r', 'i') AND relname ~ '^operations_(requestlog|alert)' AND NOT"
            " (relkind = 'i' AND relname ~ '^operations_requestlog_pkey')"
        )
        logged, tables = cursor.fetchone()
    assert logged == 0 and tables > 4
    url = f"{os.environ['DATABASE_ADMIN_URL'].rpartition('/')[0]}/{connection.settings_dict['NAME']}"
    without = [f"--exclude-table-data={each}" for each in EXCLUDED_FROM_BACKUPS]
    for excluded, held in (([], True), (without, False)):
        command = [str(binaries() / "pg_dump"), "--schema=public", *excluded, url]
        dump = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        assert (canary in dump) is held and "CREATE UNLOGGED TABLE public.operations_requestlog_d" in dump


def test_r6_records_of_consent_stay_for_ever_without_the_address_once_it_is_erased(tenant: Any) -> None:
    subject = of_user(making.account().user)
    consenting.give(subject, how="privacy page", actor=making.ACTOR, now=making.NOW)
    consenting.withdraw(subject, how="link in a mail", actor=making.ACTOR, now=making.NOW)
    period = PERIODS[Retention.CONSENT]
    assert period.days is None and period.years is None
    for statement in ("DELETE FROM privacy_consent", "UPDATE privacy_consent SET given = true"):
        with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)

    subject_keys.destroy("user", subject.id, now=making.NOW)  # what an erasure does
    rows = consenting.by_address("nora@lind.example")
    assert [(row.given, row.how) for row in rows] == [(False, "link in a mail"), (True, "privacy page")]
    assert all("may mail me news" in row.text.text for row in rows)
    held = access.table_about(subject, "privacy.Consent")
    assert held is not None
    shown = [dict(zip((each.name for each in held.columns), row, strict=True)) for row in held.stream()]
    assert [row["sealed"] for row in shown] == [None, None]
    assert "nora@lind" not in str(list(Consent.objects.values_list()))
