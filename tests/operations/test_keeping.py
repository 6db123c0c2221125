"""The log is kept by days: made ahead, dropped in time, by nobody but one function that cannot do more."""

import os
import subprocess
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatch
from typing import Any

import psycopg
import pytest
from django.apps import apps
from django.db import DatabaseError, connection, transaction

from audit.actors import Actor
from audit.models import AuditEvent
from operations.backup_rules import EXCLUDED_FROM_BACKUPS
from operations.keeping import KEEP_DAYS, Kept, keep_request_log, overdue
from operations.models import Alert, RequestLog
from operations.seen import COLUMNS
from privacy import inventory
from privacy.inventory import Retention
from sandbox.stack.postgres import binaries
from tenants import jobs, working
from tenants.context import enter_public
from tenants.models import Job

SYSTEM = Actor.system("retention")
DAY = timedelta(days=1)


@pytest.fixture
def public(db: None) -> Iterator[None]:
    with enter_public():
        yield


def partitions() -> dict[str, bool]:
    """The partitions by name, and whether they are unlogged."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.relname, c.relpersistence = 'u'"
            " FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid"
            " WHERE i.inhparent = 'operations_requestlog'::regclass ORDER BY 1"
        )
        return dict(cursor.fetchall())


def name_of(day: datetime) -> str:
    return f"operations_requestlog_d{day:%Y%m%d}"


def where(row_id: Any) -> str:
    """The partition that the row is in."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT tableoid::regclass::text FROM operations_requestlog WHERE id = %s", [row_id])
        return str(cursor.fetchone()[0])


def test_the_next_days_have_their_partition_and_all_are_unlogged(public: None) -> None:
    now = datetime.now(UTC)
    keep_request_log(actor=SYSTEM, now=now)
    found = partitions()
    assert {name_of(now + n * DAY) for n in range(4)} < set(found)
    assert "operations_requestlog_default" in found and all(found.values())
    assert keep_request_log(actor=SYSTEM, now=now) == Kept(0, 0, 0, 0, 0)


def test_nothing_reaches_its_thirtieth_day_and_nothing_goes_before_its_time(
    public: None, requests: Callable[..., None]
) -> None:
    """Rows of the last sixty days, none of which found its partition, through all hours of three days."""
    now = datetime.now(UTC)
    for hours in range(0, 60 * 24, 7):
        requests(now - timedelta(hours=hours), user_agent=f"{hours} hours")
    before = RequestLog.objects.count()
    assert sum(overdue(now=now)) > 100
    kept = keep_request_log(actor=SYSTEM, now=now)
    assert kept.deleted == before - RequestLog.objects.count() and overdue(now=now) == (0, 0)
    assert kept.moved > 60 and kept.made >= KEEP_DAYS
    oldest = RequestLog.objects.earliest("at")
    assert 27.5 * DAY < now - oldest.at < 29 * DAY
    assert where(oldest.pk) == name_of(oldest.at)
    with connection.cursor() as cursor:
        cursor.execute("SELECT tableoid::regclass::text FROM operations_requestlog")
        assert "operations_requestlog_default" not in {row[0] for row in cursor.fetchall()}
    event = AuditEvent.objects.latest("seq")
    assert (event.action, event.details["deleted"]) == ("requests.forgotten", kept.deleted)


def test_a_time_that_is_ahead_of_the_databases_own_forgets_nothing(
    public: None, requests: Callable[..., None]
) -> None:
    now = datetime.now(UTC)
    requests(now - 20 * DAY, 3)
    requests(now + 400 * DAY, path="/clock-was-wrong/")
    keep_request_log(actor=SYSTEM, now=now + 365 * DAY)
    assert RequestLog.objects.filter(at__lt=now - 19 * DAY).count() == 3
    wrong = RequestLog.objects.get(path="/clock-was-wrong/")
    assert abs(wrong.at - now) < timedelta(minutes=5)  # or it would stay for a year


def test_whole_days_are_dropped_as_partitions(
    public: None, requests: Callable[..., None], now: datetime
) -> None:
    """The tests' `now` is in the past: what was kept then is too old today."""
    then, today = datetime.now(UTC) - 40 * DAY, datetime.now(UTC)
    requests(then, 5)
    made = keep_request_log(actor=SYSTEM, now=then)
    assert made.moved == 5 and name_of(then) in partitions()
    gone = keep_request_log(actor=SYSTEM, now=today)
    assert gone.dropped >= 1 and gone.deleted == 0
    assert name_of(then) not in partitions() and not RequestLog.objects.filter(at__lte=then).exists()


def test_alerts_go_with_what_raised_them(public: None) -> None:
    now = datetime.now(UTC)
    for age in (40, 3):
        seen = now - age * DAY
        Alert.objects.create(
            kind="scan", network=f"192.0.2.{age}", count=50, window_seconds=600, first_seen=seen,
            last_seen=seen, raised_at=seen,
        )  # fmt: skip
    assert keep_request_log(actor=SYSTEM, now=now).alerts == 1
    assert [alert.network for alert in Alert.objects.all()] == ["192.0.2.3"]


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM operations_requestlog",
        "UPDATE operations_requestlog SET path = '/'",
        "TRUNCATE operations_requestlog",
        "DROP TABLE operations_requestlog_default",
        "SELECT * FROM operations_requestlog_default",
        "ALTER TABLE operations_requestlog DETACH PARTITION operations_requestlog_default",
    ],
)
def test_the_app_adds_and_reads_and_can_do_no_more(public: None, statement: str) -> None:
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)


def test_no_tenant_reads_or_keeps_the_log(tenant: Any) -> None:
    for statement in (
        "SELECT * FROM operations_requestlog",
        "SELECT public.operations_keep_request_log(now())",
        "SELECT * FROM operations_alert",
    ):
        with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)


def test_the_tick_asks_for_it_once_an_hour_and_the_job_does_it(public: None, now: datetime) -> None:
    for minutes in (0, 1, 59, 61):
        for plan in jobs.planners():
            if plan.__module__ == "operations.jobs":
                plan(now.replace(minute=0) + timedelta(minutes=minutes))
    asked = Job.objects.filter(name="operations.keep_log", key__startswith=f"keep_log:{now:%Y-%m-%d}")
    assert asked.count() == 2
    watching = Job.objects.filter(name="operations.watch", key__startswith=f"watch:{now:%Y-%m-%dT%H}")
    assert watching.count() == 3
    real = datetime.now(UTC)
    assert working.work_off([job.pk for job in asked], now=real) == 2
    assert name_of(real + 3 * DAY) in partitions()


def test_what_is_kept_for_days_is_in_no_backup_of_a_year() -> None:
    """G47: every table that a rule of usage is declared for, and none that other rows point to."""
    short = {Retention.REQUEST_LOG, Retention.SESSION, Retention.DEVICE, Retention.THROTTLE}
    holdings = inventory.holdings()
    rules = {each.model: {data.retention for data in each.personal.values()} for each in holdings}
    excluded = {model for model in rules if _is_excluded(model._meta.db_table)}
    assert excluded >= {model for model, held in rules.items() if held & short}
    for model in apps.get_models():
        for field in model._meta.concrete_fields:
            assert model in excluded or field.related_model not in excluded, f"{model}.{field.name}"


def _is_excluded(table: str) -> bool:
    names = f"public.{table}", f"t_any.{table}"
    return any(fnmatch(name, each) for name in names for each in EXCLUDED_FROM_BACKUPS)


def test_no_dump_holds_a_row_of_it(committed: None) -> None:
    """By pg_dump with the rules of the backups, over a database in which the canary is committed."""
    canary = f"canary-{os.urandom(8).hex()}"
    now = datetime.now(UTC)
    url = f"{os.environ['DATABASE_ADMIN_URL'].rpartition('/')[0]}/{connection.settings_dict['NAME']}"
    values = ", ".join(["%s"] * len(COLUMNS))
    with psycopg.connect(url) as admin:
        for at in (now, now - 9 * DAY):
            row = [
                os.urandom(16).hex(), at, "", canary, "GET", f"/{canary}/", 200, 1, "192.0.2.9", canary, None,
                canary, "", "",
            ]  # fmt: skip
            admin.execute(f"INSERT INTO operations_requestlog ({', '.join(COLUMNS)}) VALUES ({values})", row)
        admin.execute(
            "INSERT INTO operations_alert (id, kind, network, account_mark, schema_name, count,"
            " window_seconds, first_seen, last_seen, raised_at, acknowledged_by, note)"
            " VALUES (gen_random_uuid(), 'scan', %s, '', '', 1, 1, now(), now(), now(), '', '')",
            [canary],
        )
        user = admin.execute("SELECT id FROM t_crowd.accounts_user LIMIT 1").fetchone()
        admin.execute(
            "INSERT INTO t_crowd.accounts_session (id, user_id, key_hash, host, methods, begun_at,"
            " last_seen_at, user_agent, device, operator_id, operator_label, ended_because)"
            " VALUES (gen_random_uuid(), %s, %s, 'x', '[]', now(), now(), %s, '', '', '', '')",
            [user[0] if user else None, canary, canary],
        )
    try:
        assert dumped(url, []).count(canary) > dumped(url, ["*.accounts_session"]).count(canary) > 0
        assert "operations_requestlog_default" in dumped(url, EXCLUDED_FROM_BACKUPS)  # its form is there
        assert canary not in dumped(url, EXCLUDED_FROM_BACKUPS)
    finally:
        with psycopg.connect(url) as admin:
            admin.execute("DELETE FROM operations_requestlog WHERE host = %s", [canary])
            admin.execute("DELETE FROM operations_alert WHERE network = %s", [canary])
            admin.execute("DELETE FROM t_crowd.accounts_session WHERE key_hash = %s", [canary])


def dumped(url: str, excluded: Any) -> str:
    """What a dump of the shared schema and of a tenant's says."""
    without = [f"--exclude-table-data={each}" for each in excluded]
    command = [str(binaries() / "pg_dump"), "--schema=public", "--schema=t_crowd", *without, url]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout
