"""Of whom a second factor is demanded, and how those who lost theirs come back in."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils.http import urlsafe_base64_encode

from accounts import jobs, recovering
from accounts.factors import demand, factors_of
from accounts.models import FactorReset, Totp, User
from accounts.people import create_user
from audit.models import AuditEvent
from tenants.context import enter, enter_public
from tenants.models import Job
from tests import logging_in
from tests.accounts.conftest import PASSWORD, actions, log_in
from tests.accounts.factors import SETUP, Key, code_at, with_app, with_codes
from tests.accounts.test_passkeys import add

Browser = Callable[..., Client]
People = Callable[..., User]
SECURITY = "/account/security/"


def log_in_with(client: Client, email: str, secret: str) -> Any:
    log_in(client, email)
    return client.post("/log-in/second/", {"code": code_at(secret, datetime.now(UTC))})


@pytest.fixture
def robin(db: None, now: datetime) -> Any:
    """Somebody of the platform's staff."""
    with enter_public():
        yield create_user(
            email="robin@platform.example", name="Robin", role=User.Role.PLATFORM, password=PASSWORD,
            actor=SETUP, now=now,
        )  # fmt: skip


@pytest.fixture
def public() -> Callable[[], Client]:
    return lambda: Client(HTTP_HOST="localhost")


def test_an_owner_demands_it_and_is_asked_first(tenant: Any, browser: Browser, people: People) -> None:
    people()
    client = browser()
    log_in(client)
    assert demand() == "nobody"
    assert client.post("/manage/settings/security/", {"demand": "staff"})["Location"]
    event = AuditEvent.objects.get(action="log_in_policy.changed")
    assert event.details == {"before": {"second_factor": "nobody"}, "after": {"second_factor": "staff"}}
    for path in ("/manage/", "/manage/settings/security/", "/", "/invoices/"):
        assert client.get(path)["Location"] == SECURITY
    assert client.post("/manage/settings/security/", {"demand": "nobody"})["Location"] == SECURITY
    assert demand() == "staff"
    page = client.get(SECURITY).content.decode()
    assert "Set up a second factor to go on" in page
    client.post(SECURITY + "app/begin/")
    secret = Totp.objects.get().secret.reveal()
    client.post(SECURITY + "app/", {"code": code_at(secret, datetime.now(UTC))})
    assert client.get("/manage/").status_code == 200
    assert client.post(SECURITY + "app/remove/", {"password": PASSWORD}).status_code == 422
    assert Totp.objects.exists()


@pytest.mark.parametrize(
    ("asked", "role", "held"),
    [
        ("nobody", "staff", False), ("staff", "support", True), ("staff", "owner", True),
        ("staff", "contact", False), ("everyone", "contact", True),
    ],
)  # fmt: skip
def test_the_demand_holds_for_those_it_names(
    tenant: Any, browser: Browser, people: People, now: Any, asked: str, role: str, held: bool
) -> None:
    from accounts.demanding import set_demand

    people(role=role)
    client = browser()
    log_in(client)
    set_demand(asked, actor=SETUP, now=now)
    answer = client.get("/manage/" if role != "contact" else "/")
    assert (answer.get("Location") == SECURITY) is held
    assert client.get(SECURITY).status_code == 200


def test_an_older_session_without_the_factor_is_asked_for_it(
    tenant: Any, browser: Browser, people: People, now: Any
) -> None:
    from accounts.demanding import set_demand

    user, client = people(), browser()
    log_in(client)
    secret = with_app(user, now)
    set_demand("staff", actor=SETUP, now=now)
    assert client.get("/manage/runs/")["Location"] == "/log-in/second/"
    assert client.get(SECURITY)["Location"].startswith("/log-in/")  # nor may it set up another
    done = client.post("/log-in/second/", {"code": code_at(secret, datetime.now(UTC))})
    assert done["Location"] == "/manage/runs/" and client.get("/manage/runs/").status_code == 200


def test_only_owners_say_what_is_demanded_and_reset_others(
    tenant: Any, browser: Browser, people: People, now: Any
) -> None:
    owner, staff = people(), people("emil@apps.example", role="billing")
    with_app(owner, now)
    client = browser()
    log_in(client, "emil@apps.example")
    assert client.post("/manage/settings/security/", {"demand": "everyone"}).status_code == 403
    assert client.post(f"/manage/settings/staff/{owner.pk}/reset/").status_code == 403
    assert factors_of(owner).enough and demand() == "nobody"
    assert staff.pk != owner.pk


def test_an_owner_resets_a_colleague_but_not_oneself(
    tenant: Any, browser: Browser, people: People, now: Any
) -> None:
    owner, staff = people(), people("emil@apps.example", role="billing")
    secret = with_app(owner, now)
    with_app(staff, now)
    with_codes(staff, now)
    client = browser()
    log_in_with(client, owner.email, secret)
    page = client.get("/manage/settings/staff/").content.decode()
    assert page.count("Lost device…") == 1
    client.post(f"/manage/settings/staff/{owner.pk}/reset/")
    assert factors_of(owner).enough
    client.post(f"/manage/settings/staff/{staff.pk}/reset/")
    assert not factors_of(staff).enough and factors_of(staff).codes_left == 0
    event = AuditEvent.objects.get(action="user.factors_reset")
    assert (event.actor_id, event.subject_id) == (str(owner.pk), str(staff.pk))
    assert Job.objects.filter(name="accounts.mail_notice", args__kind="factors_reset").count() == 1
    assert log_in(browser(), staff.email)["Location"] == "/manage/"


def test_the_platforms_staff_enrol_before_the_admin_opens(robin: User, public: Any) -> None:
    client = public()
    assert client.get("/admin/")["Location"] == "/admin/login/?next=/admin/"
    assert client.get("/admin/login/?next=/admin/")["Location"] == "/log-in/?next=/admin/"
    assert client.get("/admin/login/?next=//evil.example/")["Location"] == "/log-in/?next=/admin/"
    assert log_in(client, robin.email)["Location"] == "/admin/"
    for path in ("/admin/", "/admin/tenants/tenant/", "/"):
        assert client.get(path)["Location"] == SECURITY
    assert "Set up a second factor" in client.get(SECURITY).content.decode()
    client.post(SECURITY + "app/begin/")
    with enter_public():
        secret = Totp.objects.get().secret.reveal()
    assert client.post(SECURITY + "app/", {"code": code_at(secret, datetime.now(UTC))}).status_code == 200
    assert client.get("/admin/").status_code == 200
    assert client.get("/admin/password_change/")["Location"] == SECURITY + "password/"
    assert client.post("/admin/logout/")["Location"] == "/log-in/"
    assert client.get("/admin/").status_code == 302


def test_the_platforms_staff_log_in_by_password_and_code(robin: User, public: Any, now: Any) -> None:
    with enter_public():
        secret = with_app(robin, now)
        Totp.objects.update(last_step=1)
    client = public()
    assert log_in(client, robin.email, next="/admin/tenants/tenant/")["Location"] == "/log-in/second/"
    assert client.get("/admin/").status_code == 302
    done = client.post("/log-in/second/", {"code": code_at(secret, datetime.now(UTC))})
    assert done["Location"] == "/admin/tenants/tenant/"
    assert client.get("/admin/tenants/tenant/").status_code == 200


def test_somebody_of_a_tenant_does_not_log_in_at_the_public_host(
    two_tenants: Any, people: People, public: Any
) -> None:
    with enter(two_tenants[0]):
        people()
    assert log_in(public()).status_code == 422


def test_the_platform_resets_after_72_hours_which_the_person_is_told_of(
    two_tenants: Any, robin: User, public: Any, people: People, now: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    alpha = two_tenants[0]
    with enter(alpha):
        user = people()
        with_app(user, now)
    with enter_public():
        secret = with_app(robin, now)
    client = public()
    log_in_with(client, robin.email, secret)
    page = f"/admin/tenants/tenant/{alpha.pk}/lost-device/"
    assert "Lost device" in client.get(f"/admin/tenants/tenant/{alpha.pk}/change/").content.decode()
    assert client.get(page).status_code == 200
    reason = {"reason": "called the number on file"}
    assert client.post(page, {"email": "nobody@lind.example"} | reason).status_code == 422
    assert client.post(page, {"email": "nora@lind.example"} | reason).status_code == 302
    assert client.post(page, {"email": "nora@lind.example"} | reason).status_code == 422  # under way already
    sent: list[Any] = []
    monkeypatch.setattr(jobs, "send", lambda mail, *, to: sent.append((mail, to)))
    with enter(alpha):
        reset = FactorReset.objects.get()
        assert "user.factor_reset_asked" in actions()
        waiting = Job.objects.get(name="accounts.carry_out_reset")
        assert waiting.run_at == reset.due_at == reset.asked_at + timedelta(hours=72)
        jobs.mail_reset_asked(reset_id=str(reset.pk))
        assert sent[0][1] == user.email and "/keep-factors/" in sent[0][0].text
        recovering.carry_out_reset(reset.pk, actor=SETUP, now=reset.due_at - timedelta(seconds=1))
        assert factors_of(user).enough
        recovering.carry_out_reset(reset.pk, actor=SETUP, now=reset.due_at)
        recovering.carry_out_reset(reset.pk, actor=SETUP, now=reset.due_at)
        assert not factors_of(user).enough and actions().count("user.factors_reset") == 1
    with enter_public():
        helped = AuditEvent.objects.get(action="user.factor_reset_asked")
        assert helped.subject_id == str(alpha.pk) and helped.details["user"] == str(user.pk)
        assert helped.details["reason"] == reason["reason"] and helped.actor_id == str(robin.pk)


def test_the_person_stops_a_reset_from_the_mail_or_the_own_page(
    two_tenants: Any, browser: Browser, people: People, now: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[Any] = []
    monkeypatch.setattr(jobs, "send", lambda mail, *, to: sent.append(mail))
    with enter(two_tenants[0]):
        user = people()
        secret = with_app(user, now)
        reset = recovering.ask_reset(user, reason="a call", actor=SETUP, now=now)
        jobs.mail_reset_asked(reset_id=str(reset.pk))
    found = re.search(r"/keep-factors/\S+/", sent[0].text)
    assert found is not None
    link = found[0]
    assert browser("beta").get(link).status_code == 410
    assert browser().get(link[:-2] + "/").status_code == 410
    assert "Keep your second factors?" in browser().get(link).content.decode()
    assert "Stopped" in browser().post(link).content.decode()
    with enter(two_tenants[0]):
        recovering.carry_out_reset(reset.pk, actor=SETUP, now=reset.due_at)
        assert factors_of(user).enough and "user.factor_reset_cancelled" in actions()
        again = recovering.ask_reset(user, reason="another", actor=SETUP, now=now)
    client = browser()
    log_in_with(client, user.email, secret)
    assert "will be taken away" in client.get(SECURITY).content.decode()
    client.post(SECURITY + "keep/")
    with enter(two_tenants[0]):
        again.refresh_from_db()
        assert again.cancelled_at is not None and recovering.open_reset_of(user) is None
        done = recovering.ask_reset(user, reason="a third", actor=SETUP, now=now)
        recovering.carry_out_reset(done.pk, actor=SETUP, now=done.due_at)
        late = f"/keep-factors/{recovering.token_of(done)}/"
    assert "Too late" in browser().post(late).content.decode()


def test_a_promised_reset_takes_no_factor_that_was_set_up_after_it(
    tenant: Any, browser: Browser, people: People, now: Any
) -> None:
    """Reset at once by an owner, or let in by a backup code: the person has set up anew meanwhile."""
    user = people()
    with_app(user, now)
    first = recovering.ask_reset(user, reason="a call", actor=SETUP, now=now)
    recovering.reset_factors(user, actor=SETUP, now=now)
    first.refresh_from_db()
    assert first.done_at == now and recovering.open_reset_of(user) is None
    with_app(user, now)
    code = with_codes(user, now)[0]
    second = recovering.ask_reset(user, reason="again", actor=SETUP, now=now)
    client = browser()
    log_in(client)
    client.post("/log-in/backup-code/", {"code": code})
    client.post(SECURITY + "app/begin/")
    secret = Totp.objects.get(confirmed_at__isnull=True).secret.reveal()
    client.post(SECURITY + "app/", {"code": code_at(secret, datetime.now(UTC))})
    assert "user.factor_reset_cancelled" in actions() and recovering.open_reset_of(user) is None
    for reset in (first, second):
        recovering.carry_out_reset(reset.pk, actor=SETUP, now=reset.due_at)
    assert factors_of(user).enough and factors_of(user).codes_left == 9


def test_a_new_passkey_stops_a_promised_reset(
    tenant: Any, browser: Browser, people: People, now: Any
) -> None:
    user, client = people(), browser()
    logging_in.enter(client, user)
    reset = recovering.ask_reset(user, reason="a call", actor=SETUP, now=now)
    add(client, Key())
    recovering.carry_out_reset(reset.pk, actor=SETUP, now=reset.due_at)
    assert factors_of(user).passkeys == 1


def test_the_last_resort_is_a_command_on_the_server(
    two_tenants: Any, robin: User, people: People, now: Any
) -> None:
    with enter(two_tenants[0]):
        user = people()
        with_app(user, now)
    with enter_public():
        with_app(robin, now)
    out = StringIO()
    call_command("reset_factors", "nora@lind.example", tenant="alpha", stdout=out)
    call_command("reset_factors", "robin@platform.example", stdout=out)
    assert out.getvalue().count("password alone") == 2
    with enter(two_tenants[0]):
        assert not factors_of(user).enough and actions()[-1] == "user.factors_reset"
    with enter_public():
        assert not factors_of(robin).enough
        reset = AuditEvent.objects.filter(action="user.factors_reset").order_by("seq")
        assert list(reset.values_list("subject_kind", flat=True)) == ["tenant", "user"]
    for wrong in ({"tenant": "alpha"}, {}, {"tenant": "no-such"}):
        with pytest.raises(CommandError):
            call_command("reset_factors", "nobody@lind.example", **wrong)


def test_after_a_reset_a_short_password_opens_nothing_and_a_longer_one_is_set_by_mail(
    tenant: Any, browser: Browser, people: People, now: Any
) -> None:
    """12 characters beside a factor, 15 alone: how many there are is known when they are entered."""
    from accounts import passwords

    user = people(password="twelve signs")
    with_app(user, now)
    recovering.reset_factors(user, actor=SETUP, now=now)
    client = browser()
    assert log_in(client, password="wrong as ever").status_code == 422
    short = log_in(client, password="twelve signs")
    assert short.status_code == 403 and "Choose a longer password" in short.content.decode()
    assert client.get("/manage/")["Location"].startswith("/log-in/")
    mailed = Job.objects.get(name="accounts.mail_reset")
    assert mailed.args["user_id"] == str(user.pk)
    user.refresh_from_db()
    reference = urlsafe_base64_encode(user.pk.bytes)
    link = f"/reset/{reference}/{passwords.tokens.make_token(user)}/"
    assert client.post(link, {"password": "another twelve"}).status_code == 422
    assert client.post(link, {"password": PASSWORD})["Location"] == "/log-in/"
    assert log_in(client)["Location"] == "/manage/"


def test_after_a_reset_a_long_password_stands_alone_and_is_asked_once(
    tenant: Any, people: People, browser: Browser, now: Any
) -> None:
    user = people()
    with_app(user, now)
    recovering.reset_factors(user, actor=SETUP, now=now)
    user.refresh_from_db()
    assert user.password_may_be_short
    assert log_in(browser())["Location"] == "/manage/"
    user.refresh_from_db()
    assert not user.password_may_be_short


def test_each_notice_says_what_happened_in_the_names_of_both_houses(
    two_tenants: Any, robin: User, people: People, now: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from accounts.notices import NOTICES

    sent: list[Any] = []
    monkeypatch.setattr(jobs, "send", lambda mail, *, to: sent.append(mail))
    with enter(two_tenants[0]):
        user = people()
        for kind in NOTICES:
            jobs.mail_notice(user_id=str(user.pk), kind=kind, at=now.isoformat())
    with enter_public():
        jobs.mail_notice(user_id=str(robin.pk), kind="password_changed", at=now.isoformat())
        jobs.mail_reset(user_id=str(robin.pk))
    assert len(sent) == len(NOTICES) + 2
    for mail in sent[: len(NOTICES)]:
        assert "Alpha Hosting" in mail.subject and "/account/security/" in mail.text
        assert "{" not in mail.text + mail.subject
    assert "23 November 2026, 10:30 CET" in sent[0].text
    assert "ProEcommerce" in sent[-2].subject and "http://localhost" in sent[-1].text


def test_a_tenants_looks_stay_the_same_for_everybody(tenant: Any, browser: Browser) -> None:
    answer = browser().get("/brand.css")
    assert answer.status_code == 200 and "Cookie" not in answer.get("Vary", "")


def test_a_session_from_before_ends_when_a_factor_is_added_and_a_shown_secret_grows_stale(
    tenant: Any, browser: Any, people: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    import pyotp

    from accounts import enrolling
    from tests import logging_in

    user = people()
    here, thief = browser(), browser()
    for client in (here, thief):
        logging_in.enter(client, user)
    here.post("/account/security/app/begin/")
    Totp.objects.update(created_at=datetime.now(UTC) - enrolling.SETTING_UP - timedelta(seconds=1))
    assert here.get("/account/security/app/")["Location"] == "/account/security/"
    here.post("/account/security/app/begin/")
    secret = Totp.objects.get().secret.reveal()
    session = thief.session
    del session["confirmed_at"]
    session.save()
    assert "/account/confirm/" in thief.get("/account/security/app/")["Location"]
    assert here.post("/account/security/app/", {"code": pyotp.TOTP(secret).now()}).status_code in {200, 302}
    assert here.get("/account/security/").status_code == 200
    assert thief.get("/account/security/")["Location"].startswith("/log-in/")
