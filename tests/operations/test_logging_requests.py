"""Every request that reaches us stands in the log, with who and how, and without what lets anybody in."""

import logging
import os
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from django.conf import settings
from django.db import OperationalError, connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from operations import writing
from operations.masking import clean, plain_path
from operations.models import RequestLog
from operations.seen import Seen, plain_address
from operations.writing import Writer
from tenants.context import enter_public
from tests import logging_in, routes
from tests.accounts.conftest import log_in

Written = Callable[[], list[RequestLog]]
TOKEN = "1aZ-bQ7tLmNoPq:1rSTuv:Hj29KkLmnoPQRstuVWxyz0123456789"
ID = "01939f5e-7c1a-7000-8000-0123456789ab"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


def test_a_request_is_logged_with_who_where_and_how(
    tenant: Any, people: Any, browser: Any, written: Written
) -> None:
    user = people()
    client = browser(HTTP_USER_AGENT=FIREFOX, REMOTE_ADDR="192.0.2.7")
    logging_in.enter(client, user)
    before = datetime.now(UTC)
    assert client.get("/manage/customers/?q=secret+words&page=2").status_code == 200
    (row,) = written()
    assert before <= row.at <= datetime.now(UTC)
    assert (row.schema_name, row.host, row.method) == ("t_alpha", "alpha.localhost", "GET")
    assert (row.path, row.status, row.user_id) == ("/manage/customers/", 200, user.pk)
    assert (row.ip, row.user_agent, row.operator_id) == ("192.0.2.7", FIREFOX, "")
    assert 0 < row.duration_ms < 60_000
    with enter_public(), connection.cursor() as cursor:
        cursor.execute("SELECT r::text FROM operations_requestlog r")
        assert "secret" not in cursor.fetchone()[0]


def test_every_kind_of_answer_is_logged(tenant: Any, written: Written, browser: Any) -> None:
    """Files, errors, refused methods, hosts that nobody has, our own hosts, whoever answers them."""
    asked = [
        ("alpha.localhost", "/static/looks.css"), ("alpha.localhost", "/no-such-page/"),
        ("unknown.example", "/"), (settings.SITE_HOST, "/plans/"), (settings.PAY_HOST, "/"),
        ("a b", "/"),
    ]  # fmt: skip
    answers = [
        Client(HTTP_HOST=host, raise_request_exception=False).get(path).status_code for host, path in asked
    ]
    answers.append(browser().generic("TRACE", "/log-in/").status_code)
    rows = written()
    assert [(row.host, row.path) for row in rows[:-1]] == asked
    assert [row.status for row in rows] == answers and answers[-1] == 405
    tenants = ["t_alpha", "t_alpha", "", "public", "public", "", ""]
    assert [row.schema_name for row in rows][1:] == tenants[1:]
    assert [row.event for row in rows] == ["", "", "unknown_host", "", "", "unknown_host", ""]


def test_no_route_is_logged_with_what_its_address_lets_in(tenant: Any, written: Written) -> None:
    """Every route whose address holds a text of ours: links in mails, frames, tickets."""
    letting_in = dict.fromkeys(("token", "reference", "ticket", "known", "object_id"), TOKEN)
    found = [route for route in routes.every(letting_in) if TOKEN in route.path]
    assert len(found) >= 12
    for route in found:
        Client(HTTP_HOST=route.host, raise_request_exception=False).get(route.path)
    paths = [row.path for row in written()]
    assert len(paths) == len(found) and all("…" in path for path in paths)
    assert not [path for path in paths if TOKEN[8:] in path]


@pytest.mark.parametrize(
    ("path", "taken", "shown"),
    [
        (f"/pay/{TOKEN}/pdf/", (), "/pay/…/pdf/"),
        ("/reset/onlyletters/withoutanydigit/", ("onlyletters", "withoutanydigit"), "/reset/…/…/"),
        ("/frame/abcdefghijk?x=1", ("abcdefghijk",), "/frame/…"),
        (f"/invoices/{ID}/?k=v#f", (ID,), f"/invoices/{ID}/"),
        ("/static/app.0123456789abcdef0123.css", (), "/static/app.0123456789abcdef0123.css"),
        ("/manage/customers/", (7,), "/manage/customers/"),
        ("/wp-login.php", (), "/wp-login.php"),
    ],
)  # fmt: skip
def test_a_path_is_kept_without_what_lets_somebody_in(
    path: str, taken: tuple[object, ...], shown: str
) -> None:
    assert plain_path(path, taken) == shown


def test_texts_and_addresses_are_such_as_the_database_takes() -> None:
    assert clean("a\0b\r\nc\u2028d\ud800e" + "x" * 900, 500) == "abcde" + "x" * 490
    assert plain_address("::ffff:192.0.2.7") == "192.0.2.7"
    assert plain_address("fe80::1%eth0") == "fe80::1"
    assert plain_address("2001:DB8::1") == "2001:db8::1" and plain_address(None) is None


def test_a_failed_log_in_is_logged_by_a_mark_that_tells_no_address(
    tenant: Any, two_tenants: Any, people: Any, browser: Any, written: Written
) -> None:
    user = people()
    for email in (user.email, user.email.upper(), "nobody@lind.example"):
        log_in(browser(), email=email, password="not the password")
    log_in(browser("beta"), email=user.email, password="not the password")
    log_in(browser(), email=user.email)
    rows = written()
    assert [row.event for row in rows] == ["login_failed"] * 4 + [""]
    marks = [row.account_mark for row in rows]
    assert marks[0] == marks[1] and len(set(marks[:4])) == 3 and marks[4] == ""
    assert all(len(mark) == 32 for mark in marks[:4])
    assert rows[4].user_id == user.pk and rows[0].user_id is None


def test_who_acts_as_somebody_else_is_logged_beside_them(
    tenant: Any, people: Any, browser: Any, written: Written
) -> None:
    from accounts.sessions import Operator

    user, client = people(), browser()
    logging_in.enter(client, user, operator=Operator("0193-staff", "Robin"))
    client.get("/manage/")
    (row,) = written()
    assert (row.user_id, row.operator_id) == (user.pk, "0193-staff")


def test_to_note_a_request_takes_no_query(tenant: Any, browser: Any, written: Written) -> None:
    """Whoever no page asks for is not looked up."""
    client, counts = browser(), []
    client.cookies["PROE_SID"] = "nobodys"
    for is_open in (False, False, True):
        writing.WRITER.is_open = is_open
        with CaptureQueriesContext(connection) as queries:
            client.get("/.well-known/security.txt")
        counts.append(len(queries))
    assert counts[1] == counts[2]
    assert [row.user_id for row in written()] == [None]


def seen(**more: Any) -> Seen:
    values: dict[str, Any] = {
        "at": datetime.now(UTC), "seconds": 0.01, "schema_name": "t_alpha", "host": "alpha.localhost",
        "method": "GET", "path": "/", "secrets": (), "status": 200, "ip": "192.0.2.7", "user_agent": "",
        "user_id": None, "operator_id": "", "event": "", "tried": "",
    }  # fmt: skip
    return Seen(**(values | more))


def test_hostile_text_and_a_row_that_is_refused_take_no_other_with_them(db: None) -> None:
    writer = Writer()
    writer.open(by_hand=True)
    for n in range(40):
        writer.put(
            seen(path=f"/{n}/\0\ud800\n\\N", host="\\.\t\x1b", user_agent="\u202e" * 999, method="X" * 99)
        )
    writer.put(seen(status=99_999))  # no smallint
    assert writer.flush() == 40 and writer.dropped == 1
    with enter_public():
        assert set(RequestLog.objects.values_list("host", flat=True)) == {"\\."}


def test_a_queue_that_is_full_drops_and_counts_and_holds_up_nobody(db: None) -> None:
    writer = Writer(most=50)
    writer.open(by_hand=True)
    began = time.perf_counter()
    for _ in range(10_000):
        writer.put(seen())
    assert time.perf_counter() - began < 2
    assert writer.dropped == 9_950 and writer.flush() == 50


def test_closed_it_keeps_nothing(db: None, tenant: Any, browser: Any) -> None:
    browser().get("/log-in/")
    assert not writing.WRITER._queue and not writing.WRITER.is_open


@pytest.fixture
def thread(committed: None) -> Any:
    """A writer with its thread, whose rows are committed; on a host of its own."""
    writer = Writer()
    writer.open()
    yield writer
    writer.close()


def logged(host: str) -> int:
    with enter_public():
        return RequestLog.objects.filter(host=host).count()


def until(true: Callable[[], bool]) -> None:
    end = time.monotonic() + 30
    while not true():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_the_thread_writes_what_many_threads_put_and_the_rest_at_the_end(thread: Writer) -> None:
    def put() -> None:
        for _ in range(400):
            thread.put(seen(host="threads.example"))

    threads = [threading.Thread(target=put) for _ in range(5)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    until(lambda: logged("threads.example") == 2000)
    for _ in range(30):
        thread.put(seen(host="threads.example"))
    thread.close()
    assert logged("threads.example") == 2030 and thread.dropped == 0


def test_while_the_database_is_away_requests_wait_and_a_line_says_so(
    thread: Writer, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    whole, failed = Writer._write, threading.Event()

    def away(self: Writer, rows: Any) -> int:
        failed.set()
        raise OperationalError("the server is gone")

    with caplog.at_level(logging.WARNING):
        monkeypatch.setattr(Writer, "_write", away)
        for _ in range(700):
            thread.put(seen(host="away.example"))
        assert failed.wait(20)
        until(lambda: "does not answer" in caplog.text)
        assert logged("away.example") == 0
        monkeypatch.setattr(Writer, "_write", whole)
        until(lambda: logged("away.example") == 700)
    assert thread.dropped == 0


def test_a_forked_process_writes_its_own_and_not_its_parents(committed: None) -> None:
    writer = Writer()
    writer.open(by_hand=True)
    writer.put(seen(host="parent.example"))
    connection.close()
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(write, str(len(writer._queue)).encode())
        os._exit(0)
    os.waitpid(child, 0)
    assert os.read(read, 10) == b"0" and len(writer._queue) == 1
    os.close(read)
    os.close(write)


def test_people_are_of_the_type_that_is_looked_for() -> None:
    """`_user_of` knows a person by its type: nobody makes subclasses of it."""
    assert User.__subclasses__() == []
