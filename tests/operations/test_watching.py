"""The job of every minute: from the log to alerts, the guard's log, the mail, and somebody who has looked."""

import logging
import re
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.conf import settings
from django.core import mail
from django.db import IntegrityError, transaction
from django.test import Client, override_settings

from audit.actors import Actor
from audit.models import AuditEvent
from operations import alerting, jobs, patterns, queries
from operations.alerting import NoteNeeded, acknowledge, look_into
from operations.models import Alert
from tenants.context import enter_public
from tenants.models import Job
from tests import logging_in
from tests.accounts.conftest import log_in

WATCH = Actor.system("abuse watch")
SCANNED = (
    "/wp-login.php", "/.env", "/.git/config", "/wp-content/plugins/x.php", "/phpmyadmin/", "/xmlrpc.php",
)  # fmt: skip


@pytest.fixture
def public(db: None) -> Iterator[None]:
    with enter_public():
        yield


def watch(now: datetime) -> list[Alert]:
    seen = queries.busy(now=now), queries.groping(now=now), queries.failures(now=now)
    return look_into(patterns.find(*seen, now=now), actor=WATCH, now=now)


def security_lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [each.getMessage() for each in caplog.records if each.name == "proecommerce.security"]


def test_each_pattern_raises_one_alert_with_its_network_and_count(
    public: None, requests: Callable[..., None], now: datetime, caplog: pytest.LogCaptureFixture
) -> None:
    at = now - timedelta(seconds=40)
    requests(at, 601, ip="203.0.113.1", path="/plans/", schema_name="public")
    requests(at, 6, ip=lambda n: f"2001:db8:0:1::{n + 1:x}", path=lambda n: SCANNED[n], status=404)
    requests(
        at, 8, ip="203.0.113.3", path="/log-in/", status=422, event="login_failed",
        account_mark=lambda n: f"mark{n}", schema_name=lambda n: "t_alpha" if n else "t_beta",
    )  # fmt: skip
    requests(
        at, 6, ip=lambda n: f"198.51.100.{n}", path="/log-in/", status=422, event="login_failed",
        account_mark="olga",
    )  # fmt: skip
    with caplog.at_level(logging.WARNING):
        raised = watch(now)
    found = {alert.kind: (alert.network, alert.count, alert.schema_name) for alert in raised}
    assert found == {
        "burst": ("203.0.113.1", 601, "public"),
        "scan": ("2001:db8:0:1::/64", 6, "t_alpha"),
        "spraying": ("203.0.113.3", 8, ""),
        "one_account": ("", 6, "t_alpha"),
    }
    lines = security_lines(caplog)
    assert len(lines) == 4
    assert sum(line.endswith('may_ban="yes"') for line in lines) == 2
    assert any(
        line.startswith('event=abuse ip=203.0.113.3 network=203.0.113.3 kind="spraying"') for line in lines
    )
    assert any(line.startswith('event=abuse ip=- network=- kind="one_account"') for line in lines)
    assert not [line for line in lines if "olga" in line]
    events = AuditEvent.objects.filter(action="alert.raised")
    assert {event.subject_id for event in events} >= {str(alert.pk) for alert in raised}


def test_an_open_alert_is_brought_up_to_date_and_there_is_never_a_second(
    public: None, requests: Callable[..., None], now: datetime, caplog: pytest.LogCaptureFixture
) -> None:
    requests(now - timedelta(minutes=3), 45, path=lambda n: f"/guess-{n}/", status=404)
    (alert,) = watch(now)
    assert watch(now + timedelta(minutes=1)) == []  # the same requests are still within the window
    with caplog.at_level(logging.WARNING):
        requests(now, 10, path=lambda n: f"/other-{n}/", status=404)
        assert watch(now + timedelta(minutes=2)) == []
    assert ['count="55"' in line for line in security_lines(caplog)] == [False, True]
    alert.refresh_from_db()
    assert (alert.count, alert.last_seen) == (55, now)
    with pytest.raises(IntegrityError), transaction.atomic():
        Alert.objects.create(
            kind=alert.kind, network=alert.network, count=1, window_seconds=1, first_seen=now,
            last_seen=now, raised_at=now,
        )  # fmt: skip


def test_once_acknowledged_only_what_comes_after_raises_the_next(
    public: None, requests: Callable[..., None], now: datetime, actor: Actor
) -> None:
    requests(now - timedelta(minutes=1), 45, path=lambda n: f"/guess-{n}/", status=404)
    (alert,) = watch(now)
    for empty in ("", " \n "):
        with pytest.raises(NoteNeeded):
            acknowledge(alert, note=empty, actor=actor, now=now)
    assert acknowledge(alert, note="A scanner; banned.", actor=actor, now=now)
    assert not acknowledge(alert, note="Again.", actor=actor, now=now)
    alert.refresh_from_db()
    assert (alert.acknowledged_by, alert.note, alert.acknowledged_at) == ("Tester", "A scanner; banned.", now)
    assert AuditEvent.objects.filter(action="alert.acknowledged", subject_id=str(alert.pk)).count() == 1
    assert watch(now + timedelta(minutes=2)) == []
    requests(now + timedelta(minutes=3), path="/once-more/", status=404)
    (again,) = watch(now + timedelta(minutes=4))
    assert again.pk != alert.pk and again.network == alert.network


def test_the_platform_is_mailed_at_most_once_a_quarter_and_without_addresses(
    public: None, requests: Callable[..., None], now: datetime
) -> None:
    day = f"alerts:{now:%Y-%m-%d}"
    for minute in range(5):
        at = now + timedelta(minutes=minute)
        requests(at, 45, ip=f"203.0.113.{minute}", path=lambda n: f"/guess-{n}/", status=404)
        watch(at + timedelta(seconds=1))
    assert Job.objects.filter(name="operations.mail_alerts", key__startswith=day).count() == 1
    with override_settings(EMAIL_BACKEND="django.core.mail.backends.locmem.EmailBackend"):
        jobs.mail_alerts()
        jobs.mail_alerts()
    (sent,) = mail.outbox
    assert sent.to == [settings.DEFAULT_FROM_EMAIL] and sent.subject == "Abuse: 5 alerts"
    text = str(sent.body)
    assert "Scan for weak spots: 45 within 600 seconds at t_alpha" in text
    assert f"{settings.SITE_URL}/admin/operations/alert/" in text
    assert "203.0.113" not in text
    assert not Alert.objects.filter(mailed_at=None).exists()
    watch(now + timedelta(minutes=6))
    assert Job.objects.filter(name="operations.mail_alerts", key__startswith=day).count() == 1
    later = now + timedelta(minutes=alerting.MAIL_MINUTES)
    requests(later, 45, ip="203.0.113.99", path=lambda n: f"/guess-{n}/", status=404)
    watch(later + timedelta(seconds=1))
    assert Job.objects.filter(name="operations.mail_alerts", key__startswith=day).count() == 2


def test_what_people_and_partners_do_raises_nothing(
    public: None, requests: Callable[..., None], now: datetime
) -> None:
    """A page with thirty files, an office at its billing, a customer's old bookmarks, Stripe's bursts."""
    at = now - timedelta(seconds=30)
    requests(at, ip="203.0.113.1", path="/invoices/")
    requests(at, 30, ip="203.0.113.1", path=lambda n: f"/static/part-{n}.0123456789ab.js")
    for second in range(0, 60, 2):  # twenty people, each a page every two seconds, with their files
        moment = now - timedelta(seconds=second)
        requests(moment, 20, ip="203.0.113.2", path=lambda n: f"/manage/customers/{n}/", user_agent="office")
        requests(moment, 20 * 3, ip="203.0.113.2", path="/static/looks.css", status=304)
    requests(at, 25, ip="203.0.113.3", path=lambda n: f"/old/{n}/", status=404)
    requests(at, 300, ip="203.0.113.3", path="/favicon.ico", status=404)
    requests(at, 4, ip="203.0.113.4", path=lambda n: SCANNED[n], status=404)
    requests(at, 5000, ip="203.0.113.5", method="POST", path="/webhooks/stripe/")
    failed = {"path": "/log-in/", "status": 422, "event": "login_failed"}
    requests(at, 10, ip="203.0.113.6", account_mark="forgetful", **failed)
    requests(at, 7, ip="203.0.113.7", account_mark=lambda n: f"colleague{n}", **failed)
    assert watch(now) == []


def test_a_morning_of_the_owners_at_their_pages_raises_nothing(
    tenant: Any, people: Any, browser: Any, written: Callable[[], list[Any]]
) -> None:
    """Every page that can be reached by clicking, and the files of each, at the speed of a program."""
    client, waiting, seen = browser(REMOTE_ADDR="203.0.113.8"), ["/manage/"], {"/manage/"}
    logging_in.enter(client, people())
    while waiting and len(seen) < 60:
        answer = client.get(waiting.pop(0))
        page = "" if answer.streaming else answer.content.decode(errors="replace")
        for link in re.findall(r'(?:href|src)="(/[^"#?]*)', page):
            if link not in seen and "log-out" not in link:
                seen.add(link)
                waiting.append(link)
    for path in waiting:
        client.get(path)
    rows = written()
    assert len(rows) >= 30 and {row.ip for row in rows} == {"203.0.113.8"}
    with enter_public():
        assert watch(rows[-1].at + timedelta(seconds=1)) == []


def test_a_robot_that_asks_the_site_itself_is_found(
    tenant: Any, people: Any, browser: Any, written: Callable[[], list[Any]]
) -> None:
    """From the requests through middleware, log and job to the alert: probes, and log-ins tried."""
    people()
    robot = {"REMOTE_ADDR": "203.0.113.66"}
    for path in SCANNED:
        assert browser(**robot).get(path).status_code == 404
    for n in range(8):
        log_in(browser(**robot), email=f"guess{n}@lind.example", password="Summer2026!")
    for path in ("/log-in/", "/static/looks.css", "/.well-known/security.txt"):
        Client(HTTP_HOST="alpha.localhost", REMOTE_ADDR="203.0.113.8").get(path)
    at = written()[-1].at + timedelta(seconds=1)
    with enter_public():
        raised = watch(at)
    assert {(alert.kind, alert.network) for alert in raised} == {
        ("scan", "203.0.113.66"), ("spraying", "203.0.113.66"),
    }  # fmt: skip


def test_what_another_sites_page_asks_for_makes_no_scanner_of_its_visitor(
    tenant: Any, browser: Any, written: Callable[[], list[Any]], caplog: pytest.LogCaptureFixture
) -> None:
    """That it was such a page is the caller's word: it is found, and nobody is banned by it."""
    visitor = browser(REMOTE_ADDR="203.0.113.67", HTTP_SEC_FETCH_SITE="cross-site")
    assert {visitor.get(path).status_code for path in SCANNED} == {404}
    rows = written()
    assert {row.event for row in rows} == {"cross_site"}
    with enter_public(), caplog.at_level(logging.WARNING):
        (alert,) = watch(rows[-1].at + timedelta(seconds=1))
    assert (alert.kind, alert.network, alert.count) == ("cross_scan", "203.0.113.67", len(SCANNED))
    (line,) = [each for each in security_lines(caplog) if each.startswith("event=abuse")]
    assert line.endswith('may_ban="no"')
