"""The platform's staff search the log, on record; nobody else does, and nothing is shown before."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from accounts.people import create_user
from audit.models import AuditEvent
from audit.reading import opened
from operations.models import Alert, RequestLog
from operations.searching import PAGE, Search, matching, page_of
from tenants.context import enter_public
from tests import logging_in

ADDRESS = "/admin/operations/requestlog/"


@pytest.fixture
def staff(db: None, actor: Any, now: datetime) -> Iterator[Client]:
    """Somebody of the platform, with a second factor, in the shared schema."""
    client = Client(HTTP_HOST=settings.SITE_HOST)
    with enter_public():
        user = create_user(
            email="robin@pro.example", name="Robin", role="platform", password=None, actor=actor, now=now
        )
        logging_in.enter(client, user, methods={"password", "totp"})
        yield client


def asked(**more: str) -> dict[str, str]:
    now = datetime.now(UTC)
    times = {"since": now - timedelta(days=2), "until": now + timedelta(minutes=1)}
    return {name: f"{at:%Y-%m-%dT%H:%M:%S}" for name, at in times.items()} | {"status": "0"} | more


def events() -> list[AuditEvent]:
    return list(AuditEvent.objects.filter(action="requests.searched").order_by("seq"))


def search(client: Client, **more: str) -> str:
    answer = client.post(ADDRESS, asked(**more))
    assert answer.status_code == 302, answer.content.decode()
    return client.get(answer["Location"]).content.decode()


def test_nothing_is_shown_before_it_is_written_down_who_looks_for_what(
    staff: Client, requests: Callable[..., None]
) -> None:
    requests(datetime.now(UTC), path="/canary-path/")
    page = staff.get(ADDRESS)
    assert page.status_code == 200 and "canary" not in page.content.decode() and events() == []
    assert "canary-path" in search(staff, network="192.0.2.0/24", path="/canary")
    (event,) = events()
    (said,) = opened([event])
    assert said.label == "Robin <robin@pro.example>"
    wanted = {"network": "192.0.2.0/24", "path": "/canary"}
    assert {name: event.details[name] for name in wanted} == wanted and "since" in event.details
    number = event.pk
    assert "canary-path" in staff.get(f"{ADDRESS}?search={number}").content.decode()
    assert len(events()) == 1  # the same search, looked at again


def test_a_search_is_its_sessions_own(staff: Client, requests: Callable[..., None]) -> None:
    requests(datetime.now(UTC), path="/canary-path/")
    search(staff)
    (event,) = events()
    other = Client(HTTP_HOST=settings.SITE_HOST)
    logging_in.enter(other, User.objects.get(email="robin@pro.example"), methods={"password", "totp"})
    assert other.get(f"{ADDRESS}?search={event.pk}").status_code == 404
    assert staff.get(f"{ADDRESS}?search={uuid4()}").status_code == 404
    for after in ("x", "2026-11-25T00:00:00_x", f"2026-11-25T00:00:00_{uuid4()}", "_", "\0"):
        assert staff.get(ADDRESS, {"search": str(event.pk), "after": after}).status_code == 404
    assert len(events()) == 1


def test_each_field_narrows_the_search(staff: Client, requests: Callable[..., None]) -> None:
    now, user = datetime.now(UTC), uuid4()
    rows: dict[str, dict[str, Any]] = {
        "old": {"at": now - timedelta(days=5)}, "tenant": {"schema_name": "t_beta"},
        "platform": {"schema_name": "public"}, "host": {"host": "shop.example"},
        "address": {"ip": "198.51.100.9"}, "network": {"ip": "198.51.100.200"},
        "six": {"ip": "2001:db8:7::9"}, "user": {"user_id": user}, "path": {"path": "/.env"},
        "status": {"status": 503}, "event": {"event": "limit_hit"},
    }  # fmt: skip
    for name, row in rows.items():
        requests(**{"at": now, "user_agent": f"row-{name}"} | row)

    def found(**more: str) -> set[str]:
        page = search(staff, **more)
        return {name for name in rows if f"row-{name}" in page}

    assert found() == set(rows) - {"old"}
    assert found(tenant="beta") == found(tenant="t_beta") == {"tenant"}
    assert found(tenant="platform") == {"platform"}
    assert found(host="shop.example") == {"host"}
    assert found(network="198.51.100.9") == {"address"}
    assert found(network="198.51.100.0/24") == {"address", "network"}
    assert found(network="2001:db8:7::/64") == {"six"}
    assert found(user=str(user)) == {"user"}
    assert found(path="/.e") == {"path"}
    assert found(status="5") == {"status"}
    assert found(event="limit_hit") == {"event"}
    assert found(since="2020-01-01T00:00:00") == set(rows)
    assert found(network="198.51.100.0/24", status="5") == set()


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("network", "somewhere", "Write an address"),
        ("network", "192.0.2.0/99", "Write an address"),
        ("tenant", "nobody", "no tenant of that short name"),
        ("user", "1", "valid UUID"),
        ("until", "2020-01-01T00:00:00", "after the beginning"),
        ("since", "", "required"),
        ("path", "a\0b", "Null characters"),
    ],
)
def test_what_cannot_be_looked_for_is_said_and_is_on_no_record(
    staff: Client, field: str, value: str, said: str
) -> None:
    answer = staff.post(ADDRESS, asked() | {field: value})
    assert answer.status_code == 422 and said in answer.content.decode() and events() == []


def test_pages_go_on_where_the_last_one_ended_and_count_nothing(
    staff: Client, requests: Callable[..., None]
) -> None:
    now = datetime.now(UTC)
    requests(now, PAGE // 2, user_agent=lambda n: f"[{n}]")  # of the same instant
    for n in range(PAGE // 2, 2 * PAGE + 7):
        requests(now - timedelta(seconds=n), user_agent=f"[{n}]")
    wanted, after, pages, shown = Search(now - timedelta(days=1), now + timedelta(days=1)), "", 0, []
    while pages == 0 or after:
        page = page_of(wanted, after=after)
        shown += [row.user_agent for row in page.rows]
        pages, after = pages + 1, page.after
    assert pages == 3 and len(shown) == len(set(shown)) == 2 * PAGE + 7
    assert f"[{2 * PAGE + 6}]" == shown[-1]
    with CaptureQueriesContext(connection) as queries:
        assert "Older ones" in search(staff)
    asked_of_the_log = [each["sql"] for each in queries if "operations_requestlog" in each["sql"]]
    assert len(asked_of_the_log) == 1 and "COUNT(" not in asked_of_the_log[0]


@pytest.mark.parametrize(
    ("more", "index"),
    [
        ({"network": "203.0.113.77"}, "ip"),
        ({"network": "203.0.113.0/28"}, "ip"),
        ({"user": "01939f5e-7c1a-7000-8000-0123456789ab"}, "user_id"),
        ({"tenant": "t_x7"}, "schema_name"),
        ({}, "pkey"),
    ],
)
def test_an_index_answers_each_search(db: None, more: dict[str, Any], index: str) -> None:
    """On some thousand rows of three days; `bin/bench request_log` has a million."""
    now = datetime.now(UTC)
    with enter_public(), connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO operations_requestlog SELECT gen_random_uuid(), %s - n * interval '8 seconds',"
            " 't_x' || n %% 500, 'h', 'GET', '/' || n, 200, 1, '203.0.0.0'::inet + n * 7 %% 65536, '',"
            " CASE WHEN n %% 5 = 0 THEN gen_random_uuid() END, '', '', '' FROM generate_series(1, 30000) n",
            [now],
        )
        plan = matching(Search(now - timedelta(days=3), now, **more))[: PAGE + 1].explain()
    assert "Seq Scan" not in plan.replace("Seq Scan on operations_requestlog_default", ""), plan
    assert index in plan and "Index" in plan, plan


def test_only_the_platforms_staff_come_here(tenant: Any, people: Any, browser: Any) -> None:
    user = people()
    client = browser()
    logging_in.enter(client, user)
    for host in ("alpha.localhost", settings.SITE_HOST):
        answer = client.get(ADDRESS, headers={"host": host})
        assert answer.status_code in {302, 404}
        assert client.post(ADDRESS, asked(), headers={"host": host}).status_code in {302, 403, 404}
    weak = Client(HTTP_HOST=settings.SITE_HOST)
    assert weak.get(ADDRESS)["Location"].startswith("/admin/login/")


def test_alerts_are_acknowledged_with_a_note_in_the_admin(
    staff: Client, now: datetime, requests: Callable[..., None]
) -> None:
    alert = Alert.objects.create(
        kind="scan", network="203.0.113.66", count=50, window_seconds=600, first_seen=now, last_seen=now,
        raised_at=now,
    )  # fmt: skip
    listed = staff.get("/admin/operations/alert/").content.decode()
    assert "203.0.113.66" in listed and "Acknowledge" in listed
    chosen = {"action": "acknowledge", "_selected_action": str(alert.pk)}
    asked_for = staff.post("/admin/operations/alert/", chosen)
    assert asked_for.status_code == 200 and "What you found" in asked_for.content.decode()
    assert staff.post("/admin/operations/alert/", {**chosen, "note": ""}).status_code == 422
    done = staff.post("/admin/operations/alert/", {**chosen, "note": "A scanner."}, follow=True)
    assert "1 alerts are acknowledged" in done.content.decode()
    alert.refresh_from_db()
    assert (alert.acknowledged_by, alert.note) == ("Robin <robin@pro.example>", "A scanner.")
    assert staff.get(f"/admin/operations/alert/{alert.pk}/change/").status_code == 200
    assert RequestLog.objects.count() == 0
