"""Authenticator apps and backup codes: set up, asked for, each code once."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from accounts import enrolling, factors, halfway, inviting, one_time, proving
from accounts.inviting import Invitee
from accounts.models import BackupCode, Totp, User
from tenants import clock
from tenants.models import Job
from tests.accounts.conftest import PASSWORD, actions, log_in
from tests.accounts.factors import SETUP, at_once, code_at, with_app, with_codes

Browser = Callable[..., Client]
People = Callable[..., User]
SECURITY = "/account/security/"


def notices() -> list[str]:
    return [
        each.args["kind"] for each in Job.objects.filter(name="accounts.mail_notice").order_by("created_at")
    ]


def at_step(seconds: int = 3) -> datetime:
    """An instant that far into the present time step."""
    now = datetime.now(UTC)
    return datetime.fromtimestamp(one_time.step_at(now) * 30 + seconds, UTC)


@pytest.mark.parametrize("role", ["owner", "billing", "contact"])
def test_an_app_is_set_up_through_its_qr_code_and_asked_for_from_then_on(
    tenant: Any, browser: Browser, people: People, role: str
) -> None:
    user, client = people(role=role), browser()
    log_in(client)
    assert "Off" in client.get(SECURITY).content.decode()
    assert client.post(SECURITY + "app/begin/")["Location"] == SECURITY + "app/"
    page = client.get(SECURITY + "app/").content.decode()
    assert 'src="data:image/svg+xml' in page and "style=" not in page
    found = re.search(r'<code id="secret">([A-Z2-7 ]+)</code>', page)
    assert found is not None
    secret = found[1].replace(" ", "")
    assert client.post(SECURITY + "app/", {"code": "000000"}).status_code == 422
    key = client.cookies["PROE_SID"].value
    codes = client.post(SECURITY + "app/", {"code": code_at(secret, datetime.now(UTC))})
    assert codes.status_code == 200 and len(re.findall(r"\w{5}-\w{5}-\w{5}", codes.content.decode())) == 10
    assert client.cookies["PROE_SID"].value != key  # more may be done by this session: it has a new key
    assert "10 of 10 left" in client.get(SECURITY).content.decode()
    assert notices() == ["app_added", "codes_made"]
    assert {"totp.begun", "totp.added", "backup_codes.made"} <= set(actions())
    assert log_in(browser())["Location"] == "/log-in/second/"
    assert Totp.objects.get(user=user).last_step > 0


def test_the_secret_is_sealed_and_shows_nothing_of_itself(tenant: Any, people: People, now: Any) -> None:
    user = people()
    secret = with_app(user, now)
    with connection.cursor() as cursor:
        cursor.execute("SELECT secret FROM accounts_totp")
        assert secret.encode() not in bytes(cursor.fetchone()[0])
    totp = Totp.objects.get()
    assert secret not in repr(totp) + str(totp) + repr(totp.secret) and totp.secret.reveal() == secret


def test_log_in_goes_on_after_the_code_to_where_the_person_was_going(
    tenant: Any, browser: Browser, people: People, now: Any
) -> None:
    secret, client = with_app(people(), now), browser()
    assert log_in(client, next="/manage/invoices/")["Location"] == "/log-in/second/"
    assert client.get("/manage/")["Location"].startswith("/log-in/")
    assert client.get("/log-in/second/").status_code == 200
    wrong = client.post("/log-in/second/", {"code": "12345a"})
    assert wrong.status_code == 422 and "does not fit" in wrong.content.decode()
    done = client.post("/log-in/second/", {"code": code_at(secret, datetime.now(UTC))})
    assert done["Location"] == "/manage/invoices/"
    assert client.get("/manage/").status_code == 200
    assert client.session["methods"] == ["password", "totp"]
    assert actions()[-2:] == ["user.factor_refused", "user.logged_in"]


def test_each_time_step_is_accepted_once(tenant: Any, people: People, now: Any) -> None:
    user, at = people(), at_step()
    secret = with_app(user, now)
    assert proving.spend_app_code(user, code_at(secret, at), at=at)
    assert not proving.spend_app_code(user, code_at(secret, at), at=at)
    assert not proving.spend_app_code(user, code_at(secret, at), at=at + timedelta(seconds=20))
    later = at + timedelta(seconds=30)
    assert proving.spend_app_code(user, code_at(secret, later), at=later)
    assert not proving.spend_app_code(user, code_at(secret, at), at=at)  # a clock put back


def test_the_code_that_set_the_app_up_does_not_log_in(tenant: Any, people: People, now: Any) -> None:
    user, at = people(), at_step()
    code = code_at(enrolling.begin_app(user, actor=SETUP, now=now).secret.reveal(), at)
    assert not proving.spend_app_code(user, code, at=at)  # begun is not set up
    assert enrolling.confirm_app(user, code, at=at, actor=SETUP, now=now)
    assert not proving.spend_app_code(user, code, at=at)


def test_codes_of_the_steps_beside_are_refused_unless_the_window_is_opened(
    tenant: Any, people: People, now: Any, settings: Any
) -> None:
    user, at = people(), at_step()
    secret = with_app(user, now)
    assert settings.TOTP_WINDOW == 0
    assert not any(proving.spend_app_code(user, code_at(secret, at, steps=n), at=at) for n in (-2, -1, 1, 2))
    settings.TOTP_WINDOW = 1
    assert proving.spend_app_code(user, code_at(secret, at, steps=-1), at=at)
    assert not proving.spend_app_code(user, code_at(secret, at, steps=-1), at=at)
    assert proving.spend_app_code(user, code_at(secret, at, steps=1), at=at)
    assert not proving.spend_app_code(user, code_at(secret, at), at=at)
    assert not proving.spend_app_code(user, code_at(secret, at, steps=2), at=at)


def test_a_right_password_with_a_wrong_second_factor_is_listed_and_told_once_a_day(
    tenant: Any, browser: Browser, people: People, now: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    user, thief = people(), browser(REMOTE_ADDR="203.0.113.9")
    secret = with_app(user, now)
    log_in(thief)
    for path, code in [("second", "000000"), ("second", "111111"), ("backup-code", "22222-22222-22222")]:
        thief.post(f"/log-in/{path}/", {"code": code})
    assert notices() == ["factor_refused"]
    client, start = browser(), clock.now()
    log_in(client)
    client.post("/log-in/second/", {"code": code_at(secret, datetime.now(UTC))})
    client.post(SECURITY + "password/", {"old": "another one", "password": "seven tired herons wade"})
    page = client.get("/account/sessions/").content.decode()
    assert page.count("right password, wrong second factor (totp)") == 2
    assert page.count("right password, wrong second factor (backup code)") == 1
    assert page.count("203.0.113.9") == 3
    monkeypatch.setattr(clock, "now", lambda: start + timedelta(hours=25))
    log_in(thief)
    thief.post("/log-in/second/", {"code": "000000"})
    assert notices() == ["factor_refused"] * 2


@pytest.mark.parametrize("code", ["", "12345", "1234567", "１２３４５６", "12 34 5x", "-12345", "1e5000"])
def test_what_is_no_code_is_refused(code: str) -> None:
    assert one_time.step_of(one_time.new_secret(), code, at=datetime.now(UTC), window=1) is None


def test_of_a_thousand_replays_at_once_one_succeeds(fresh_tenant: Any, member: User, now: datetime) -> None:
    at = at_step()
    code = code_at(with_app(member, now), at)
    tried = at_once(fresh_tenant, 1008, lambda: proving.spend_app_code(member, code, at=at))
    assert tried.count(True) == 1


def test_of_many_uses_of_a_backup_code_at_once_one_succeeds(
    fresh_tenant: Any, member: User, now: datetime
) -> None:
    with_app(member, now)
    code = with_codes(member, now)[0]
    tried = at_once(fresh_tenant, 32, lambda: proving.spend_backup_code(member, code, actor=SETUP, now=now))
    assert tried.count(True) == 1
    assert factors.factors_of(member).codes_left == 9


def test_backup_codes_log_in_once_each_and_are_counted_and_told(
    tenant: Any, browser: Browser, people: People, now: Any
) -> None:
    user, client = people(), browser()
    with_app(user, now)
    codes = with_codes(user, now)
    assert len({*codes}) == 10 and all(len(code) == one_time.CODE_LENGTH for code in codes)
    assert not BackupCode.objects.filter(hash__in=codes).exists()
    log_in(client)
    typed = f" {one_time.in_groups(codes[0].lower(), 5, '-')} "
    assert client.post("/log-in/backup-code/", {"code": typed})["Location"] == SECURITY
    assert "9 of 10 left" in client.get(SECURITY).content.decode()
    assert client.session["methods"] == ["backup_code", "password"]
    assert notices()[-1] == "code_used" and "backup_code.used" in actions()
    again = browser()
    log_in(again)
    assert again.post("/log-in/backup-code/", {"code": codes[0]}).status_code == 422
    client.post(SECURITY + "codes/")
    assert again.post("/log-in/backup-code/", {"code": codes[1]}).status_code == 422  # replaced


def test_backup_codes_of_somebody_else_help_nobody(tenant: Any, people: People, now: Any, actor: Any) -> None:
    one, other = people(), people("emil@apps.example")
    for each in (one, other):
        with_app(each, now)
    code = with_codes(other, now)[0]
    assert not proving.spend_backup_code(one, code, actor=actor, now=now)


def test_without_a_second_factor_there_are_no_backup_codes(
    tenant: Any, browser: Browser, people: People
) -> None:
    people()
    client = browser()
    log_in(client)
    page = client.post(SECURITY + "codes/", follow=True).content.decode()
    assert "Set up an authenticator app or a passkey first" in page and not BackupCode.objects.exists()


@pytest.mark.parametrize("spoil", ["late", "password", "inactive"])
def test_who_waits_too_long_or_has_changed_meanwhile_begins_again(
    tenant: Any, browser: Browser, people: People, now: Any, spoil: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    user, client = people(), browser()
    secret = with_app(user, now)
    log_in(client)
    if spoil == "late":
        monkeypatch.setattr(halfway, "LIFETIME", timedelta(0))
    elif spoil == "password":
        user.set_password("seven tired herons wade")
        user.save()
    else:
        User.objects.update(is_active=False)
    answer = client.post("/log-in/second/", {"code": code_at(secret, datetime.now(UTC))})
    assert answer["Location"] == "/log-in/"
    assert client.get("/manage/").status_code == 302


def test_an_invitation_does_not_lead_past_the_second_factor(
    tenant: Any, browser: Browser, people: People, now: Any
) -> None:
    with_app(people(role="billing"), now)
    asked = Invitee(email="nora@lind.example", role="owner")
    invitation = inviting.invite(asked, actor=SETUP, now=datetime.now(UTC))
    client = browser()
    path = f"/invitation/{inviting.token_of(invitation)}/"
    assert client.post(path, {"name": "Nora", "password": PASSWORD})["Location"] == "/log-in/second/"
    assert client.get("/manage/").status_code == 302


def test_an_app_is_removed_by_password_and_told(
    tenant: Any, browser: Browser, people: People, now: Any
) -> None:
    user, client = people(), browser()
    secret = with_app(user, now)
    with_codes(user, now)
    log_in(client)
    client.post("/log-in/second/", {"code": code_at(secret, datetime.now(UTC))})
    path = SECURITY + "app/remove/"
    assert client.get(path).status_code == 200
    assert client.post(path, {"password": "not the password at all"}).status_code == 422
    assert Totp.objects.exists()
    assert client.post(path, {"password": PASSWORD})["Location"] == SECURITY
    assert not Totp.objects.exists() and not BackupCode.objects.exists()
    assert notices()[-1] == "app_removed" and actions()[-1] == "totp.removed"
    assert log_in(browser())["Location"] == "/manage/"


@pytest.mark.parametrize("path", ["", "password/", "app/", "app/remove/"])
def test_strangers_see_none_of_it(tenant: Any, browser: Browser, path: str) -> None:
    assert browser().get(SECURITY + path)["Location"].startswith("/log-in/?next=/account/security/")


@pytest.mark.parametrize("path", ["app/begin/", "codes/", "passkeys/", "passkeys/ask/", "keep/"])
def test_nothing_is_begun_by_a_link(tenant: Any, browser: Browser, people: People, path: str) -> None:
    people()
    client = browser()
    log_in(client)
    assert client.get(SECURITY + path).status_code == 405
