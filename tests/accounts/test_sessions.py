"""Sessions: a row for each, asked with every request; ended at once; of one host and one schema."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.sessions.models import Session as SessionData
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts import sessions
from accounts.models import Session, User
from accounts.session_store import SessionStore, stored_key
from audit.models import AuditEvent
from audit.reading import opened
from tenants import clock
from tenants.context import enter, enter_public
from tenants.models import Host
from tests import logging_in
from tests.accounts.conftest import PASSWORD, actions, log_in

Browser = Callable[..., Client]
People = Callable[..., User]
Later = Callable[..., None]
FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0"


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Later:
    """Let time go on at the edges, from now."""
    start = clock.now()

    def go(**span: float) -> None:
        monkeypatch.setattr(clock, "now", lambda: start + timedelta(**span))

    go()
    return go


def key_of(client: Client) -> str:
    return client.cookies["PROE_SID"].value


def is_in(client: Client) -> bool:
    return bool(client.get("/account/sessions/").status_code == 200)


def test_a_log_in_writes_a_row_and_the_key_stands_nowhere(
    tenant: Any, browser: Browser, people: People
) -> None:
    user = people()
    client = browser(HTTP_USER_AGENT=FIREFOX, REMOTE_ADDR="192.0.2.7")
    log_in(client)
    row = Session.objects.get()
    assert (row.user, row.host, row.methods) == (user, "alpha.localhost", ["password"])
    assert (row.device, row.ip, row.user_agent) == ("Firefox on Windows", "192.0.2.7", FIREFOX)
    assert row.begun_at == row.last_seen_at and row.ended_at is None
    with connection.cursor() as cursor:
        for table in ("accounts_session", "django_session", "audit_auditevent", "accounts_knowndevice"):
            cursor.execute(f"SELECT count(*) FROM {table} t WHERE t::text LIKE %s", [f"%{key_of(client)}%"])
            assert cursor.fetchone() == (0,), table
    assert row.key_hash == stored_key(key_of(client)) == SessionData.objects.get().session_key


def test_a_key_that_was_known_before_log_in_opens_nothing_after_it(
    tenant: Any, browser: Browser, people: People
) -> None:
    people()
    planted = SessionStore()
    planted.host = "alpha.localhost"
    planted["seen"] = "before"
    planted.save()
    victim, attacker = browser(), browser()
    victim.cookies["PROE_SID"] = attacker.cookies["PROE_SID"] = str(planted.session_key)
    log_in(victim)
    assert key_of(victim) != planted.session_key
    assert is_in(victim) and not is_in(attacker)


def test_every_log_in_of_a_browser_replaces_the_one_before(
    tenant: Any, browser: Browser, people: People
) -> None:
    people()
    client, copy = browser(), browser()
    log_in(client)
    copy.cookies["PROE_SID"] = key_of(client)
    log_in(client)
    assert not is_in(copy) and is_in(client)
    assert sorted(Session.objects.values_list("ended_because", flat=True)) == ["", "replaced"]
    assert AuditEvent.objects.latest("seq").details.keys() >= {"replaces", "session"}


def test_the_key_changes_when_the_session_gains_rights_and_the_row_goes_with_it(
    tenant: Any, browser: Browser, people: People
) -> None:
    user, client = people(), browser()
    row = logging_in.enter(client, user)
    store = SessionStore(key_of(client))
    store.host = "alpha.localhost"
    store.cycle_key()
    store.save()
    assert not is_in(client)
    client.cookies["PROE_SID"] = str(store.session_key)
    assert is_in(client)
    assert Session.objects.get().pk == row.pk


def test_a_session_ends_with_the_next_request_and_says_so(
    tenant: Any, browser: Browser, people: People
) -> None:
    user = people()
    laptop, phone = browser(HTTP_USER_AGENT=FIREFOX), browser(HTTP_USER_AGENT="Mozilla/5.0 (iPhone) x")
    log_in(laptop)
    log_in(phone)
    lost = Session.objects.get(user=user, device="iPhone")
    page = laptop.get("/account/sessions/").content.decode()
    assert page.count("This one<") == 1 and "Firefox on Windows" in page and "iPhone" in page
    answer = laptop.post(f"/account/sessions/{lost.pk}/end/", follow=True)
    assert "iPhone is logged out." in answer.content.decode()
    away = phone.get("/account/email/?a=1")
    assert away["Location"] == "/log-in/?next=/account/email/%3Fa%3D1"
    told = phone.get(away["Location"]).content.decode()
    assert "this session was ended from another one" in told
    back = log_in(phone, next="/account/email/?a=1")
    assert back["Location"] == "/account/email/?a=1"
    assert "logged out" not in phone.get("/log-in/").content.decode()
    assert actions().count("session.ended") == 1
    assert is_in(laptop)


def test_all_others_end_and_this_one_stays(tenant: Any, browser: Browser, people: People) -> None:
    user = people()
    here, *others = (browser() for _ in range(3))
    for client in (here, *others):
        logging_in.enter(client, user)
    stranger = browser()
    logging_in.enter(stranger, people("emil@lind.example"))
    here.post("/account/sessions/end-others/")
    assert [is_in(client) for client in (here, *others, stranger)] == [True, False, False, True]
    again = here.post("/account/sessions/end-others/", follow=True).content.decode()
    assert "There was no other session." in again


def test_nobody_ends_what_is_anothers(tenant: Any, browser: Browser, people: People) -> None:
    client, other = browser(), browser()
    logging_in.enter(client, people())
    theirs = logging_in.enter(other, people("emil@lind.example"))
    assert client.post(f"/account/sessions/{theirs.pk}/end/").status_code == 404
    assert client.post(f"/account/sessions/{uuid4()}/end/").status_code == 404
    assert client.get(f"/account/sessions/{theirs.pk}/end/").status_code == 405
    assert is_in(other)


def test_ending_the_one_in_use_is_a_log_out(tenant: Any, browser: Browser, people: People) -> None:
    client = browser()
    row = logging_in.enter(client, people())
    assert client.post(f"/account/sessions/{row.pk}/end/")["Location"] == "/log-in/"
    assert not is_in(client)
    assert Session.objects.get().ended_because == "logged_out"
    assert not SessionData.objects.filter(session_key=row.key_hash).exists()


@pytest.mark.parametrize(
    ("role", "idle", "absolute"),
    [
        ("owner", {"minutes": 30}, {"hours": 12}),
        ("support", {"minutes": 30}, {"hours": 12}),
        ("contact", {"days": 7}, {"days": 30}),
    ],
)
def test_a_session_ends_when_unused_or_old(
    tenant: Any, browser: Browser, people: People, later: Later, role: str, idle: Any, absolute: Any
) -> None:
    user, client, now = people(role=role), browser(), clock.now()
    second = timedelta(seconds=1)
    for column, span, why, words in (
        ("last_seen_at", timedelta(**idle), "idle", "because nothing happened for a while"),
        ("begun_at", timedelta(**absolute), "expired", "lasted its longest"),
    ):
        row = logging_in.enter(client, user)
        at = Session.objects.filter(pk=row.pk)
        at.update(**{column: now - span + second})
        assert is_in(client), why
        at.update(**{column: now - span})
        assert not is_in(client), why
        assert words in client.get("/log-in/").content.decode()
        assert (at.get().ended_because, at.get().ended_at) == (why, now)
        assert not SessionData.objects.filter(session_key=row.key_hash).exists()
    assert actions().count("session.ended") == 2


def test_what_was_last_seen_is_written_once_a_minute(
    tenant: Any, browser: Browser, people: People, later: Later
) -> None:
    client = browser()
    row = logging_in.enter(client, people())

    def writes() -> int:
        with CaptureQueriesContext(connection) as asked:
            assert is_in(client)
        return sum('UPDATE "accounts_session"' in each["sql"] for each in asked)

    later(seconds=59)
    assert writes() == 0
    later(seconds=61)
    assert [writes(), writes()] == [1, 0]
    assert Session.objects.get().last_seen_at == clock.now() != row.begun_at


def test_a_page_costs_two_questions_for_its_session(tenant: Any, browser: Browser, people: People) -> None:
    client = browser()
    logging_in.enter(client, people())
    with CaptureQueriesContext(connection) as asked:
        client.get("/account/confirm/")
    told = [each["sql"] for each in asked if "session" in each["sql"]]
    assert len(told) == 2, told


def test_a_copied_cookie_opens_nothing_on_another_host_and_says_nothing(
    two_tenants: Any, browser: Browser, people: People, now: datetime
) -> None:
    alpha, beta = two_tenants
    with enter_public():
        Host.objects.create(
            tenant=alpha, schema_name=alpha.schema_name, hostname="bill.alpha.example", created_at=now
        )
    with enter(alpha):
        client = browser()
        logging_in.enter(client, people())
        data, row = SessionData.objects.get(), Session.objects.get()
    with enter(beta):  # even were the rows copied along
        twin = people()
        SessionData(data.session_key, data.session_data, data.expire_date).save(force_insert=True)
        row.user_id = twin.pk
        row.save(force_insert=True)
    for host in ("bill.alpha.example", "beta.localhost"):
        thief = Client(HTTP_HOST=host)
        thief.cookies["PROE_SID"] = key_of(client)
        assert thief.get("/account/sessions/")["Location"] == "/log-in/?next=/account/sessions/", host
        page = thief.get("/log-in/")
        assert "logged out" not in page.content.decode(), host
        assert page.wsgi_request.session.get("_auth_user_id") is None, host
    assert is_in(client)


def test_a_session_without_data_or_row_is_nobodys(tenant: Any, browser: Browser, people: People) -> None:
    user, client = people(), browser()
    logging_in.enter(client, user)
    Session.objects.all().delete()
    assert not is_in(client)
    logging_in.enter(client, user)
    SessionData.objects.all().delete()
    assert not is_in(client)
    for odd in ("", "x", "x" * 5000, "a b", "é" * 40, "../../etc"):
        client.cookies["PROE_SID"] = odd
        assert not is_in(client)


def test_a_new_password_ends_every_session_but_the_one_kept(
    tenant: Any, browser: Browser, people: People, actor: Any
) -> None:
    user, here, there = people(), browser(), browser()
    for client in (here, there):
        logging_in.enter(client, user)
    assert sessions.end_others(user, keep=key_of(here), actor=actor, now=clock.now()) == 1
    assert is_in(here) and not is_in(there)
    assert "your password or what you may do has changed" in there.get("/log-in/").content.decode()
    user.set_password("another row of four words")
    user.save()
    assert not is_in(here)  # unless it was rotated with the change
    assert Session.objects.filter(ended_because="credentials").count() == 2


def test_whoever_changes_the_own_password_stays_in_with_a_new_key(
    tenant: Any, browser: Browser, people: People, rf: Any
) -> None:
    user, client = people(), browser()
    logging_in.enter(client, user)
    before = key_of(client)
    request = rf.get("/", HTTP_HOST="alpha.localhost")
    request.session = SessionStore(before)
    request.session.host = "alpha.localhost"
    user.set_password("another row of four words")
    user.save()
    request.user = user
    sessions.rotate(request, user)
    request.session.save()
    assert not is_in(client)
    client.cookies["PROE_SID"] = request.session.session_key
    assert is_in(client)


def test_an_operator_acts_in_somebodys_name_with_both_on_record(
    tenant: Any, browser: Browser, people: People, later: Later
) -> None:
    user, client = people(), browser()
    operator = sessions.Operator("7", "Staff <staff@proe.example>")
    logging_in.enter(client, user, operator=operator, lifetime=timedelta(minutes=20))
    assert "Staff &lt;staff@proe.example&gt;" in client.get("/account/sessions/").content.decode()
    assert opened([AuditEvent.objects.latest("seq")])[0].details["operator"] == operator.label
    assert client.get("/manage/settings/staff/invite/")["Location"].startswith("/account/confirm/")
    assert not user.known_devices.exists()
    later(minutes=20)
    assert not is_in(client)


def test_the_own_log_ins_are_listed_with_those_that_failed(
    tenant: Any, browser: Browser, people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("accounts.session_queries.PAGE", 2)
    people()
    stranger = people("emil@lind.example")
    log_in(browser(REMOTE_ADDR="203.0.113.66"), password="not the password at all")
    logging_in.enter(browser(REMOTE_ADDR="203.0.113.99"), stranger)
    client = browser(HTTP_USER_AGENT=FIREFOX)
    log_in(client)
    log_in(client)
    first = client.get("/account/sessions/").content.decode()
    assert "1–2 of 3 log-ins" in first and "Logged in" in first and "203.0.113.66" not in first
    second = client.get("/account/sessions/?page=2").content.decode()
    assert "Refused" in second and "203.0.113.66" in second
    assert "203.0.113.99" not in first + second
    assert client.get("/account/sessions/?page=x").status_code == 200


def test_a_role_raised_ends_what_was_begun_with_less(
    tenant: Any, browser: Browser, people: People, actor: Any
) -> None:
    from accounts import inviting
    from accounts.inviting import Invitee

    user, client = people(role="contact"), browser()
    logging_in.enter(client, user)
    invitation = inviting.invite(Invitee(email=user.email, role="owner"), actor=actor, now=clock.now())
    new = browser()
    new.post(f"/invitation/{inviting.token_of(invitation)}/", {"name": "Nora", "password": PASSWORD})
    assert not is_in(client) and is_in(new)
