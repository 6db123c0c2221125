"""Another address to log in with: proved, announced, undone; races and takers included."""

import re
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import partial
from threading import Barrier, Thread
from typing import Any

import pytest
from django.core import signing
from django.db import connection
from django.test import Client

from accounts import email_changing, enrolling, inviting, jobs, passwords
from accounts.email_changing import CONFIRM, UNDO, ChangeRefused, Wish
from accounts.factors import factors_of
from accounts.inviting import Invitee
from accounts.models import EmailChange, Passkey, User
from accounts.people import EmailTaken, create_user
from audit.models import AuditEvent
from tenants import clock
from tenants.context import enter
from tenants.models import Job
from tests import logging_in
from tests.accounts.conftest import PASSWORD, actions, log_in
from tests.accounts.factors import with_app, with_codes

pytestmark = pytest.mark.usefixtures("often")

Browser = Callable[..., Client]
People = Callable[..., User]
NEW = "nora@harbour.example"


@pytest.fixture
def mails(monkeypatch: pytest.MonkeyPatch) -> Callable[[], list[tuple[str, str, str]]]:
    """Do the jobs that wait, and return each mail's recipient, subject and link."""
    sent: list[tuple[str, str, str]] = []
    done: list[Any] = []

    def keep(mail: Any, *, to: str) -> None:
        found = re.search(r"http://\S+?(/(?:email|log-in|reset)/\S*)", mail.text)
        sent.append((to, mail.subject, found.group(1) if found else ""))

    monkeypatch.setattr(jobs, "send", keep)

    def work(*, again: bool = False) -> list[tuple[str, str, str]]:
        if again:  # what was sent since
            told = list(sent)
            sent.clear()
            return told
        sent.clear()
        asked = Job.objects.filter(name__startswith="accounts.mail_email").exclude(pk__in=done)
        for job in asked.order_by("created_at"):
            getattr(jobs, job.name.removeprefix("accounts."))(**job.args)
            done.append(job.pk)
        return list(sent)

    return work


@pytest.fixture
def nora(tenant: Any, browser: Browser, people: People) -> tuple[User, Client]:
    user, client = people(), browser()
    logging_in.enter(client, user)
    return user, client


def change_to(client: Client, email: str) -> Any:
    return client.post("/account/email/", {"email": email})


def test_the_address_changes_once_the_link_is_opened_and_the_button_pressed(
    nora: Any, browser: Browser, mails: Any
) -> None:
    user, client = nora
    assert change_to(client, NEW).status_code == 302
    assert NEW in client.get("/account/email/").content.decode()
    [(to, _, link)] = mails()
    assert to == NEW
    elsewhere = browser()
    assert NEW in elsewhere.get(link).content.decode()
    user.refresh_from_db()
    assert user.email == "nora@lind.example"  # a program that follows links in mails changed nothing
    assert elsewhere.post(link)["Location"] == "/log-in/"
    user.refresh_from_db()
    assert user.email == NEW
    assert elsewhere.post(link).status_code == 410
    assert log_in(browser(), email=NEW).status_code == 302
    assert log_in(browser()).status_code == 422
    assert client.get("/account/email/").status_code == 200  # the session in use stays
    [(to, subject, undo)] = mails()
    assert (to, subject) == ("nora@lind.example", "Your address at Alpha Hosting was changed")
    assert undo.startswith("/email/undo/")
    assert {"email_change.asked", "email.changed"} <= set(actions())


def test_it_asks_for_a_confirmation(nora: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    _, client = nora
    late = clock.now() + timedelta(minutes=16)
    monkeypatch.setattr(clock, "now", lambda: late)
    assert client.get("/account/email/").status_code == 200
    assert change_to(client, NEW)["Location"].startswith("/account/confirm/")
    assert not EmailChange.objects.exists()


def test_an_undone_change_gives_the_address_back_and_ends_what_a_thief_had(
    nora: Any, browser: Browser, mails: Any
) -> None:
    user, thief = nora
    reset_before = passwords.tokens.make_token(user)
    change_to(thief, NEW)
    thief.post(mails()[0][2])
    [(_, _, undo)] = mails()
    user.refresh_from_db()
    reset_between = passwords.tokens.make_token(user)
    assert passwords.user_of_reset(user.pk, reset_before) is None
    change_to(thief, "nora@elsewhere.example")  # on to a third address, confirmed, and a fourth
    thief.post(mails()[0][2])
    mails()
    change_to(thief, "nora@far.example")
    far = mails()[0][2]
    owner = browser()
    assert "nora@lind.example" in owner.get(undo).content.decode()
    assert "The change is undone" in owner.post(undo).content.decode()
    user.refresh_from_db()
    assert user.email == "nora@lind.example"
    assert thief.get("/account/email/").status_code == 302
    assert "a change of your e-mail address was undone" in thief.get("/log-in/").content.decode()
    for token in (reset_before, reset_between):
        assert passwords.user_of_reset(user.pk, token) is None
    assert passwords.user_of_reset(user.pk, passwords.tokens.make_token(user)) == user
    assert [owner.post(link).status_code for link in (undo, far)] == [410, 410]
    assert actions()[-2:] == ["session.ended", "email_change.undone"]


def test_a_taken_address_answers_the_same_and_tells_only_its_owner(
    nora: Any, browser: Browser, people: People, mails: Any
) -> None:
    _, client = nora
    people("emil@lind.example")
    answers = []
    for email in ("EMIL@lind.example", "free@lind.example"):
        page = client.post("/account/email/", {"email": email}, follow=True).content.decode()
        page = re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", page)
        answers.append(re.sub(r"<time.*?</time>", "", page).replace(email, "X"))
    assert answers[0] == answers[1]
    # the second wish made the first one void: wish for the taken one again
    change_to(client, "EMIL@lind.example")
    [(_, subject, link)] = [each for each in mails() if each[0].startswith("EMIL")]
    assert (subject, link) == ("This address has a log-in at Alpha Hosting already", "/log-in/")
    token = email_changing.token_of(EmailChange.objects.latest("asked_at"), CONFIRM)
    assert browser().post(f"/email/confirm/{token}/").status_code == 410


def test_a_wish_is_void_when_withdrawn_replaced_or_old(
    nora: Any, browser: Browser, mails: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, client = nora
    change_to(client, NEW)
    first = mails()[0][2]
    change_to(client, "nora@second.example")
    second = mails()[0][2]
    assert browser().get(first).status_code == 410
    assert browser().get(second).status_code == 200
    client.post("/account/email/withdraw/")
    assert browser().get(second).status_code == 410
    assert "Waiting for you" not in client.get("/account/email/").content.decode()
    change_to(client, NEW)
    third = mails()[0][2]
    late = clock.now() + timedelta(hours=24)
    monkeypatch.setattr(clock, "now", lambda: late)
    assert browser().get(third).status_code == 410


def test_the_change_can_be_undone_for_seven_days(nora: Any, actor: Any, now: datetime) -> None:
    user, _ = nora
    change = email_changing.ask(Wish(user, NEW), actor=actor, now=now)
    email_changing.complete(change, actor=actor, now=now)
    token = email_changing.token_of(change, UNDO)
    week = now + timedelta(days=7)
    assert email_changing.open_change(token, UNDO, now=week - timedelta(seconds=1)) == change
    with pytest.raises(ChangeRefused):
        email_changing.open_change(token, UNDO, now=week)
    with pytest.raises(ChangeRefused):
        email_changing.undo(change, actor=actor, now=week)


def test_an_address_that_may_be_given_back_is_nobody_elses_until_then(
    nora: Any, people: People, actor: Any, now: datetime
) -> None:
    user, other = nora[0], people("emil@lind.example")
    change = email_changing.ask(Wish(user, NEW), actor=actor, now=now)
    email_changing.complete(change, actor=actor, now=now)
    claim = email_changing.ask(Wish(other, "Nora@lind.example"), actor=actor, now=now)
    with pytest.raises(ChangeRefused):
        email_changing.complete(claim, actor=actor, now=now)
    taker: dict[str, Any] = {"email": "nora@LIND.example", "role": "contact", "actor": actor, "now": now}
    with pytest.raises(EmailTaken, match="given back"):
        create_user(name="Taker", password=None, **taker)
    asked = Invitee(email="nora@lind.example", role="billing")
    invitation = inviting.invite(asked, actor=actor, now=now)
    with pytest.raises(inviting.InvitationRefused, match="in a week"):
        inviting.accept(invitation, name="Taker", password=PASSWORD, actor=actor, now=now)
    assert User.objects.count() == 2
    assert email_changing.undo(change, actor=actor, now=now).email == "nora@lind.example"


def test_an_address_that_cannot_be_given_back_any_more_is_free(nora: Any, actor: Any, now: datetime) -> None:
    change = email_changing.ask(Wish(nora[0], NEW), actor=actor, now=now)
    email_changing.complete(change, actor=actor, now=now)
    week = now + timedelta(days=7)
    create_user(email="nora@lind.example", name="N", role="contact", password=None, actor=actor, now=week)


def test_undoing_takes_away_what_a_thief_set_up_and_mails_a_link_to_the_old_address(
    nora: Any, browser: Browser, mails: Any, actor: Any
) -> None:
    user, thief = nora
    start = clock.now()
    change_to(thief, NEW)
    thief.post(mails()[0][2])
    undo = mails()[0][2]
    with_app(user, start)
    codes = with_codes(user, start)
    Passkey.objects.create(user=user, name="P", host="alpha.localhost", credential_id=b"1", created_at=start)
    browser().post(undo)
    assert not factors_of(user).enough and factors_of(user).codes_left == 0 and codes
    for email in ("nora@lind.example", NEW):
        assert log_in(browser(), email=email).status_code == 422
    event = AuditEvent.objects.get(action="email_change.undone")
    assert event.details == {"apps": 1, "passkeys": 1, "backup_codes": 10} | event.details
    (job,) = Job.objects.filter(name="accounts.mail_reset")
    jobs.mail_reset(**job.args)
    to, _, link = mails(again=True)[-1]
    assert to == "nora@lind.example"
    assert browser().post(link, {"password": "seven tired herons wade"}).status_code == 302
    assert log_in(browser(), password="seven tired herons wade")["Location"] == "/manage/"


def test_undoing_leaves_the_second_factors_of_before(nora: Any, actor: Any, now: datetime) -> None:
    user = nora[0]
    with_app(user, now - timedelta(days=30))
    with_codes(user, now - timedelta(days=30))
    change = email_changing.ask(Wish(user, NEW), actor=actor, now=now)
    email_changing.complete(change, actor=actor, now=now)
    email_changing.undo(change, actor=actor, now=now)
    assert factors_of(user).enough and factors_of(user).codes_left == 10


def test_while_it_can_be_undone_the_old_address_hears_what_happens_to_the_log_in(
    nora: Any, browser: Browser, mails: Any, actor: Any, now: datetime
) -> None:
    user = nora[0]
    change = email_changing.ask(Wish(user, NEW), actor=actor, now=now)
    email_changing.complete(change, actor=actor, now=now)
    log_in(browser(HTTP_USER_AGENT="Other/1.0", REMOTE_ADDR="203.0.113.9"), email=NEW)
    with_app(user, now)
    with_codes(user, now)
    for name in ("mail_notice", "mail_new_device"):
        asked = Job.objects.filter(name=f"accounts.{name}")
        for job in asked:
            getattr(jobs, name)(**job.args)
        assert sorted(to for to, _, _ in mails(again=True)) == ["nora@harbour.example", "nora@lind.example"]
    enrolling.tell(user, "code_used", now=now + timedelta(days=7))
    assert Job.objects.filter(name="accounts.mail_notice").count() == 3


@pytest.mark.parametrize("purpose", [CONFIRM, UNDO])
def test_links_of_another_shape_purpose_or_tenant_are_void(
    two_tenants: Any, browser: Browser, people: People, actor: Any, purpose: str
) -> None:
    with enter(two_tenants[0]):
        change = email_changing.ask(Wish(people(), NEW), actor=actor, now=clock.now())
        right = email_changing.token_of(change, CONFIRM)
    signer = signing.Signer(salt=email_changing.SALT)
    shapes: list[Any] = ["x", ["t_alpha"], ["t_alpha", purpose, "zz"], [1, 2, 3], {}]
    odd = [str(signer.sign_object(each)) for each in shapes]
    for token in [*odd, right[:-1], f"x{right}", "nothing"]:
        assert browser().post(f"/email/{purpose}/{token}/").status_code == 410, token
    assert browser().get(f"/email/undo/{right}/").status_code == 410
    assert browser("beta").get(f"/email/confirm/{right}/").status_code == 410
    assert browser().get(f"/email/confirm/{right}/").status_code == 200


@pytest.mark.parametrize(
    "wrong", ["", "nobody", "NORA@lind.example", "a" * 250 + "@x.example", "a\x00@x.example"]
)
def test_no_address_or_the_same_is_shown_again(nora: Any, wrong: str) -> None:
    assert change_to(nora[1], wrong).status_code == 422
    assert not EmailChange.objects.exists()


def test_two_who_want_one_address_at_the_same_time_do_not_both_get_it(
    fresh_tenant: Any, actor: Any, now: datetime
) -> None:
    people = [
        create_user(email=f"p{n}@lind.example", name="P", role="contact", password=None, actor=actor, now=now)
        for n in range(4)
    ]
    changes = [email_changing.ask(Wish(user, NEW), actor=actor, now=now) for user in people]
    claims = [partial(email_changing.complete, change, actor=actor, now=now) for change in changes]
    assert outcomes(fresh_tenant, claims) == ["done", "refused", "refused", "refused"]
    assert User.objects.filter(email=NEW).count() == 1


def test_a_link_opened_twice_at_once_works_once(fresh_tenant: Any, actor: Any, now: datetime) -> None:
    user = create_user(
        email="nora@lind.example", name="Nora", role="owner", password=None, actor=actor, now=now
    )
    change = email_changing.ask(Wish(user, NEW), actor=actor, now=now)
    confirm = [partial(email_changing.complete, change, actor=actor, now=now)] * 4
    assert outcomes(fresh_tenant, confirm) == ["done", "refused", "refused", "refused"]
    back = [partial(email_changing.undo, change, actor=actor, now=now)] * 4
    assert outcomes(fresh_tenant, back) == ["done", "refused", "refused", "refused"]
    assert actions().count("email.changed") == actions().count("email_change.undone") == 1


def outcomes(tenant: Any, acts: Sequence[Callable[[], Any]]) -> list[str]:
    """Do all at once, each on a connection of its own."""
    together, told = Barrier(len(acts)), []

    def run(act: Callable[[], Any]) -> None:
        try:
            with enter(tenant):
                together.wait(10)
                act()
            told.append("done")
        except ChangeRefused:
            told.append("refused")
        finally:
            connection.close()

    threads = [Thread(target=run, args=[act]) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return sorted(told)
