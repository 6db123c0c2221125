"""Attacks L1–L15 on log-in, second factors and sessions, each test named by its number."""

import io
import logging
import re
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as site
from django.test import Client
from django.utils.http import urlsafe_base64_encode

from accounts import contacts, email_changing, inviting, jobs, passwords, proving, visiting
from accounts.email_changing import Wish
from accounts.errors import Refused
from accounts.grants import Grant
from accounts.hashers import Argon2id
from accounts.inviting import Invitee
from accounts.models import EmailChange, Invitation, Passkey, Session, User
from accounts.people import create_user
from accounts.portal import email_pages
from accounts.session_store import SessionStore
from audit.models import AuditEvent
from audit.reading import opened
from proecommerce.logs import OneLine
from tenants import clock, throttling
from tenants.context import enter, enter_public
from tenants.models import Job
from tenants.throttling import Rule
from tests import logging_in, routes
from tests.accounts.conftest import PASSWORD, log_in
from tests.accounts.factors import SETUP, Key, at_once, code_at, with_app, with_codes
from tests.accounts.test_passkeys import add, enter_by
from tests.attacks.conftest import at_step, link_in
from tests.billing.portal import making
from tests.humans import stamped
from tests.website.test_sign_up import GOOD

Browser = Callable[..., Client]
People = Callable[..., User]
Inside = Callable[..., Client]
WRONG = "not the password at all"
SECURITY = "/account/security/"
# What no two pages have in common: tokens, times, keys of rows.
OWN = (
    r'(name="csrfmiddlewaretoken"|name="stamp") value="[^"]*"|<time.*?</time>|'
    r"[0-9a-f]{8}-?([0-9a-f]{4}-?){3}[0-9a-f]{12}"
)


def statuses(answers: Any) -> list[int]:
    return [answer.status_code for answer in answers]


def is_in(client: Client) -> bool:
    return bool(client.get("/account/sessions/").status_code == 200)


def reset_link(user: User) -> str:
    return f"/reset/{urlsafe_base64_encode(user.pk.bytes)}/{passwords.tokens.make_token(user)}/"


def test_l1_a_spray_is_stopped_by_account_and_by_address(
    tenant: Any, browser: Browser, people: People
) -> None:
    """Many networks try one account; one network tries many accounts."""
    people()
    spread = [log_in(browser(REMOTE_ADDR=f"192.0.2.{n}"), password=WRONG) for n in range(11)]
    assert statuses(spread) == [422] * 10 + [429]
    assert log_in(browser(REMOTE_ADDR="192.0.2.99")).status_code == 429  # found it, and has to wait
    one = [log_in(browser(REMOTE_ADDR="198.51.100.7"), email=f"p{n}@lind.example") for n in range(11)]
    assert statuses(one) == [422] * 10 + [429]


@pytest.mark.parametrize("what", ["log-in", "reset", "change of address", "invite", "register"])
def test_l2_nobody_learns_who_has_a_log_in(
    tenant: Any, browser: Browser, people: People, inside: Inside, monkeypatch: Any, what: str
) -> None:
    """By text, status, length, or by time: what costs time is the hash, and it is paid on both sides."""
    known, unknown = "emil@lind.example", "otto@lind.example"
    people(known)
    owner, stranger, worked = inside(people()), browser(), Counter[str]()
    contact, public = inside(making.account("ida@holm.example").user), Client(HTTP_HOST=site.SITE_HOST)
    slugs = iter(("one-hosting", "two-hosting", "six-hosting"))

    def invite(email: str) -> Any:
        """Somebody who acts for a customer asks about an address that acts for none of theirs."""
        answer = contact.post("/team/invite/", {"email": email, "is_owner": "on"}, follow=True)
        assert f"An invitation is on its way to {email}." in answer.content.decode()
        Invitation.objects.all().delete()
        return answer

    def register(email: str) -> Any:
        answer = public.post(
            "/sign-up/", GOOD | stamped("sign-up", work=False) | {"slug": next(slugs), "email": email}
        )
        assert answer.status_code == 302
        return answer

    encode, verify = Argon2id.encode, Argon2id.verify
    monkeypatch.setattr(Argon2id, "encode", lambda *a, **k: worked.update("h") or encode(*a, **k))
    monkeypatch.setattr(Argon2id, "verify", lambda *a, **k: worked.update("h") or verify(*a, **k))
    ask: dict[str, Callable[[str], Any]] = {
        "log-in": lambda email: stranger.post("/log-in/", {"email": email, "password": WRONG}),
        "reset": lambda email: stranger.post("/forgotten/", {"email": email} | stamped("reset", work=False)),
        "change of address": lambda email: owner.post("/account/email/", {"email": email}, follow=True),
        "invite": invite,
        "register": register,
    }
    monkeypatch.setattr(email_pages, "EMAIL_CHANGE", Rule("change of address"))  # there are two a day
    ask[what](unknown)  # the first one warms up
    told = []
    for email in (known, unknown):
        worked.clear()
        answer = ask[what](email)
        page = re.sub(OWN, "", answer.content.decode())
        told.append((answer.status_code, page.replace(email, "X"), worked["h"]))
    assert told[0] == told[1]
    assert told[0][2] == (1 if what in {"log-in", "register"} else 0)


def test_l3_a_reset_cannot_be_led_elsewhere_used_twice_or_outlive_its_reason(
    tenant: Any, browser: Browser, people: People, mails: Any, now: datetime
) -> None:
    """A poisoned host in the mail; the token again; the token after a change of address; no second factor."""
    user = people()
    poisoned = browser(
        HTTP_X_FORWARDED_HOST="evil.example", HTTP_FORWARDED="host=evil.example", HTTP_X_HOST="evil.example"
    )
    poisoned.post("/forgotten/", {"email": user.email} | stamped("reset", work=False))
    asked = {"email": user.email} | stamped("reset", work=False)
    assert Client(HTTP_HOST="evil.example").post("/forgotten/", asked).status_code == 404
    (job,) = Job.objects.filter(name="accounts.mail_reset")
    jobs.mail_reset(**job.args)
    assert link_in(mails[0][1].text).startswith("http://alpha.localhost")
    assert "evil" not in mails[0][1].text + mails[0][1].html

    link, secret = reset_link(user), with_app(user, now)
    assert browser().post(link, {"password": "another row of four words"}).status_code == 302
    assert browser().post(link, {"password": "a third row of some words"}).status_code == 410
    client = browser()
    assert log_in(client, password="another row of four words")["Location"] == "/log-in/second/"
    assert not is_in(client)  # the second factor is asked for after a reset as before
    assert secret

    user.refresh_from_db()
    link = reset_link(user)
    change = email_changing.ask(Wish(user, "nora@new.example"), actor=SETUP, now=now)
    email_changing.complete(change, actor=SETUP, now=now)
    assert browser().get(link).status_code == 410


def test_l4_another_address_has_to_be_proved_and_the_old_one_is_told(
    tenant: Any, people: People, inside: Inside, mails: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An open screen changes the address: it is asked who it is; the address is not taken unproved."""
    user = people()
    client = inside(user)
    start = clock.now()
    monkeypatch.setattr(clock, "now", lambda: start + timedelta(minutes=16))
    asked = client.post("/account/email/", {"email": "thief@evil.example"})
    assert asked["Location"].startswith("/account/confirm/") and not EmailChange.objects.exists()
    monkeypatch.setattr(clock, "now", lambda: start)
    assert client.post("/account/email/", {"email": "thief@evil.example"}).status_code == 302
    user.refresh_from_db()
    assert user.email == "nora@lind.example"
    change = EmailChange.objects.get()
    email_changing.complete(change, actor=SETUP, now=start)
    for job in Job.objects.filter(name__startswith="accounts.mail_email").order_by("created_at"):
        getattr(jobs, job.name.removeprefix("accounts."))(**job.args)
    old = [mail for to, mail in mails if to == "nora@lind.example"]
    assert len(old) == 1 and "/email/undo/" in old[0].text


def fail2ban_expression(conf: str) -> re.Pattern[str]:
    """The filter's expression, after the time that fail2ban takes off, with its mark for a network."""
    (line,) = re.findall(r"^failregex = (.*)$", conf, re.M)
    timed = line.replace("^", r"^\d{4}-\d\d-\d\d [\d:,]+", 1)
    return re.compile(timed.replace("<SUBNET>", r"(?P<ip>[0-9a-f:.]+(?:/\d+)?)"))


class TestL5Codes:
    def test_l5_a_code_counts_once_also_of_the_step_beside_and_with_a_clock_put_back(
        self, tenant: Any, people: People, now: datetime, settings: Any
    ) -> None:
        user, at = people(), at_step()
        secret = with_app(user, now)
        settings.TOTP_WINDOW = 1
        assert proving.spend_app_code(user, code_at(secret, at), at=at)
        later = at + timedelta(seconds=30)
        for again in (at, later, at - timedelta(seconds=30)):
            assert not proving.spend_app_code(user, code_at(secret, at), at=again)
            assert not proving.spend_app_code(user, code_at(secret, at, steps=-1), at=again)
        assert proving.spend_app_code(user, code_at(secret, later), at=later)

    def test_l5_of_many_who_send_the_same_code_at_once_one_is_let_in(
        self, fresh_tenant: Any, member: User, now: datetime
    ) -> None:
        at = at_step()
        code = code_at(with_app(member, now), at)
        assert at_once(fresh_tenant, 64, lambda: proving.spend_app_code(member, code, at=at)).count(True) == 1

    def test_l5_who_guesses_codes_is_stopped_and_the_right_one_comes_too_late(
        self, tenant: Any, browser: Browser, people: People, now: datetime
    ) -> None:
        """The password is known to the attacker, who asks from many networks."""
        secret = with_app(people(), now)
        for path, guess in (("/log-in/second/", "000000"), ("/log-in/backup-code/", "aaaaa-aaaaa-aaaaa")):
            throttling_by = []
            for n in range(6 if path == "/log-in/second/" else 1):
                client = browser(REMOTE_ADDR=f"192.0.2.{n + 1}")
                log_in(client)
                throttling_by.append(client.post(path, {"code": guess}).status_code)
            expected = [422] * 5 + [429] if path == "/log-in/second/" else [429]  # one count for both
            assert throttling_by == expected
        client = browser(REMOTE_ADDR="198.51.100.9")
        log_in(client)
        late = client.post("/log-in/second/", {"code": code_at(secret, datetime.now(UTC))})
        assert late.status_code == 429 and int(late["Retry-After"]) > 240
        assert not is_in(client)

    def test_l5_codes_that_are_right_are_not_counted(
        self, tenant: Any, browser: Browser, people: People, now: datetime
    ) -> None:
        user = people()
        with_app(user, now)
        codes = with_codes(user, now)
        for code in codes[:7]:
            client = browser()
            log_in(client)
            assert client.post("/log-in/backup-code/", {"code": code})["Location"] == SECURITY

    @pytest.mark.parametrize(
        ("path", "form", "tries"),
        [
            (SECURITY + "app/", {"code": "000000"}, 5),
            (SECURITY + "password/", {"old": WRONG, "password": "another row of four words"}, 10),
            (SECURITY + "app/remove/", {"password": WRONG}, 10),
            ("/account/confirm/", {"password": WRONG}, 10),
        ],
    )
    def test_l5_an_open_screen_is_no_place_to_guess_at(
        self, tenant: Any, people: People, inside: Inside, now: datetime, path: str, form: Any, tries: int
    ) -> None:
        """Whoever has the session guesses the code of a new app, or the password where that is asked for."""
        user = people()
        with_app(user, now)
        client = inside(user)
        client.post(SECURITY + "app/begin/")
        answers = [client.post(path, form) for _ in range(tries + 1)]
        assert statuses(answers) == [422] * tries + [429]

    def test_l5_passkeys_that_do_not_fit_are_counted(self, tenant: Any, browser: Browser) -> None:
        client = browser()
        answers = [client.post("/log-in/passkey/", {"answer": "{}"}) for _ in range(11)]
        assert statuses(answers) == [302] * 10 + [429]


def test_l6_a_backup_code_opens_once_however_many_send_it(
    fresh_tenant: Any, member: User, now: datetime
) -> None:
    """Twice, and sixteen times at once."""
    with_app(member, now)
    first, second = with_codes(member, now)[:2]

    def spend(code: str) -> bool:
        return proving.spend_backup_code(member, code, actor=SETUP, now=now)

    assert [spend(first), spend(first)] == [True, False]
    assert at_once(fresh_tenant, 16, lambda: spend(second)).count(True) == 1


class TestL7Sessions:
    def test_l7_a_planted_session_is_nobodys_after_log_in(
        self, tenant: Any, browser: Browser, people: People
    ) -> None:
        people()
        planted = SessionStore()
        planted.host = "alpha.localhost"
        planted["seen"] = "before"
        planted.save()
        victim, attacker = browser(), browser()
        victim.cookies["PROE_SID"] = attacker.cookies["PROE_SID"] = str(planted.session_key)
        log_in(victim)
        assert is_in(victim) and not is_in(attacker)

    def test_l7_the_key_changes_with_the_second_factor_and_with_a_new_password(
        self, tenant: Any, browser: Browser, people: People, now: datetime
    ) -> None:
        user, client = people(), browser()
        secret = with_app(user, now)
        keys = []
        log_in(client)
        keys.append(client.cookies["PROE_SID"].value)
        client.post("/log-in/second/", {"code": code_at(secret, datetime.now(UTC))})
        keys.append(client.cookies["PROE_SID"].value)
        changed = {"old": PASSWORD, "password": "another row of four words"}
        assert client.post(SECURITY + "password/", changed)["Location"] == SECURITY
        keys.append(client.cookies["PROE_SID"].value)
        assert len(set(keys)) == 3 and is_in(client)
        for old in keys[:2]:
            thief = browser()
            thief.cookies["PROE_SID"] = old
            assert not is_in(thief)

    def test_l7_sessions_elsewhere_end_with_the_password_the_person_and_by_hand(
        self, tenant: Any, people: People, inside: Inside
    ) -> None:
        user = people()
        here, there, last = inside(user), inside(user), inside(user)
        row = Session.objects.filter(user=user).latest("begun_at")
        assert here.post(f"/account/sessions/{row.pk}/end/").status_code == 302
        assert not is_in(last) and is_in(there)
        here.post(SECURITY + "password/", {"old": PASSWORD, "password": "another row of four words"})
        assert is_in(here) and not is_in(there)
        User.objects.update(is_active=False)
        assert not is_in(here)


def test_l8_a_cookie_tossed_from_a_neighbour_is_refused(
    two_tenants: Any, browser: Browser, people: People
) -> None:
    """Another host below the same domain sets a second PROE_SID, or the session of another tenant's host."""
    with enter(two_tenants[0]):
        client = browser()
        logging_in.enter(client, people())
    mine = client.cookies["PROE_SID"].value
    for cookies in (f"PROE_SID={mine}; PROE_SID=evil", f"PROE_SID=evil; PROE_SID={mine}"):
        assert Client(HTTP_HOST="alpha.localhost", HTTP_COOKIE=cookies).get("/log-in/").status_code == 400
    for host in ("beta.localhost", "localhost", "pay.localhost"):
        tossed = Client(HTTP_HOST=host, HTTP_COOKIE=f"PROE_SID={mine}")
        assert tossed.get("/account/sessions/").status_code in {302, 404}
    assert is_in(client)


class TestL9Forms:
    def test_l9_no_route_takes_a_form_that_another_site_made(self, tenant: Any, people: People) -> None:
        """Every route of the three hosts, in the victim's browser, without the form's token."""
        user, taken = people(), set()
        clients = {
            host: Client(HTTP_HOST=host, enforce_csrf_checks=True, raise_request_exception=False)
            for host in routes.hosts()
        }
        logging_in.enter(clients["alpha.localhost"], user)
        found = routes.every()
        for n, route in enumerate(found):
            clients[route.host].defaults["REMOTE_ADDR"] = f"10.0.{n % 250}.1"
            answer = clients[route.host].post(route.path, headers={"origin": "https://evil.example"})
            if answer.status_code not in {403, 429}:
                taken.add(route.name)
        # Signed by Stripe (see W1), or by us, in the link of a mail.
        assert len(found) > 100 and taken == {"stripe_webhook", "unsubscribe"}

    def test_l9_a_link_that_is_only_opened_does_nothing(
        self, tenant: Any, browser: Browser, people: People, inside: Inside, now: datetime
    ) -> None:
        """A program that follows links in mails, or a picture whose address is a button's."""
        user = people()
        moment = clock.now()
        change = email_changing.ask(Wish(user, "nora@new.example"), actor=SETUP, now=moment)
        invitation = inviting.invite(Invitee("x@x.example", "owner"), actor=SETUP, now=moment)
        browser().get(f"/email/confirm/{email_changing.token_of(change, email_changing.CONFIRM)}/")
        browser().get(f"/invitation/{inviting.token_of(invitation)}/")
        browser().get(reset_link(user))
        user.refresh_from_db()
        assert user.email == "nora@lind.example" and not User.objects.filter(email="x@x.example").exists()
        client = inside(user)
        for path in ("/log-out/", "/account/sessions/end-others/", SECURITY + "codes/", "/visit/leave/"):
            assert client.get(path).status_code == 405, path
        assert is_in(client)


def test_l10_nobody_is_logged_in_or_out_by_another_site(
    tenant: Any, browser: Browser, people: People, inside: Inside
) -> None:
    """The victim is to be logged in as the attacker, or out, by a form on the attacker's page."""
    user, client = people(), browser(enforce_csrf_checks=True)
    client.get("/log-in/")
    token = client.cookies["csrftoken"].value
    form = {"email": user.email, "password": PASSWORD}
    evil = {"origin": "https://evil.example"}
    for sent in (form, form | {"csrfmiddlewaretoken": token}, form | {"csrfmiddlewaretoken": "a" * 64}):
        assert client.post("/log-in/", sent, headers=evil).status_code == 403
    assert "PROE_SID" not in client.cookies
    victim = inside(user, enforce_csrf_checks=True)
    assert victim.post("/log-out/", headers=evil).status_code == 403
    assert is_in(victim)


def test_l11_a_passkey_proves_only_for_its_site_its_question_and_its_tenant(
    two_tenants: Any, browser: Browser, people: People
) -> None:
    """Another origin, another challenge, the answer again, a counter that went back, another tenant."""
    alpha, beta = two_tenants
    with enter(alpha):
        people()
        owner, key = browser(), Key()
        log_in(owner)
        assert add(owner, key).status_code == 200
        for changes in ({"origin": "https://evil.example"}, {"origin": "http://beta.localhost"},
                        {"challenge": "AAAA"}, {"type": "webauthn.create"}):  # fmt: skip
            client = browser()
            key.count += 1
            assert enter_by(client, key, **changes)["Location"] == "/log-in/"
            assert not is_in(client)
        client = browser()
        key.count += 5
        asked = client.post("/log-in/passkey/ask/").json()
        answer = key.use(asked)
        assert client.post("/log-in/passkey/", {"answer": answer})["Location"] == "/manage/"
        replayed = browser()
        replayed.post("/log-in/passkey/ask/")
        replayed.post("/log-in/passkey/", {"answer": answer})
        assert not is_in(replayed)
        key.count -= 1  # a copy of the authenticator
        copy = browser()
        enter_by(copy, key)
        assert not is_in(copy)
        assert Passkey.objects.count() == 1
    with enter(beta):
        people()
    key.host, key.count = "beta.localhost", key.count + 10
    foreign = browser("beta", REMOTE_ADDR="192.0.2.44")
    enter_by(foreign, key)
    assert not is_in(foreign)


def test_l12_who_acts_as_somebody_is_seen_limited_and_on_record(
    tenant: Any, browser: Browser, people: People, mails: Any, now: datetime, monkeypatch: Any
) -> None:
    """Platform staff enter without a reason, stay longer, or take the account over."""
    nora, moment = people(), clock.now()
    with enter_public():
        robin = create_user(
            email="robin@pro.example", name="Robin", role="platform", password=None, actor=SETUP, now=now
        )
        with pytest.raises(Refused):
            visiting.allow(visiting.Wish(tenant, nora.pk, ""), staff=robin, actor=SETUP, now=moment)
        wish = visiting.Wish(tenant, nora.pk, "They cannot find an invoice")
        token = visiting.allow(wish, staff=robin, actor=SETUP, now=moment)
    client = browser()
    assert client.post(f"/visit/{token}/").status_code == 302
    assert browser().post(f"/visit/{token}/").status_code == 410  # the link again
    assert "robin@pro.example" in client.get("/manage/").content.decode()
    before = User.objects.get(pk=nora.pk)
    for path in ("/account/security/password/", "/account/security/app/begin/", "/account/security/codes/",
                 "/account/security/passkeys/ask/", "/account/email/", "/account/sessions/end-others/",
                 "/manage/settings/stripe/key/", "/manage/settings/staff/invite/"):  # fmt: skip
        assert client.post(path, {"email": "x@x.example", "old": PASSWORD}).status_code == 403, path
    after = User.objects.get(pk=nora.pk)
    assert (after.password, after.email) == (before.password, before.email)
    begun = opened([AuditEvent.objects.get(action="visit.begun")])[0]
    assert "Nora" in begun.label and "Robin" in begun.behind
    jobs.mail_visit(**Job.objects.get(name="accounts.mail_visit").args)
    assert mails[0][0] == nora.email and "They cannot find an invoice" in mails[0][1].text
    monkeypatch.setattr(clock, "now", lambda: moment + timedelta(minutes=30, seconds=1))
    assert client.get("/manage/").status_code != 200


class TestL13Limits:
    @pytest.mark.parametrize("header", ["HTTP_X_FORWARDED_FOR", "HTTP_FORWARDED", "HTTP_X_REAL_IP"])
    def test_l13_no_header_makes_a_caller_another(self, tenant: Any, browser: Browser, header: str) -> None:
        answers = [
            log_in(browser(REMOTE_ADDR="192.0.2.7", **{header: f"198.51.100.{n}"}), f"p{n}@lind.example")
            for n in range(11)
        ]
        assert statuses(answers) == [422] * 10 + [429]

    def test_l13_neither_do_addresses_of_one_ipv6_network_nor_other_spellings_nor_other_hosts(
        self, tenant: Any, browser: Browser, people: People
    ) -> None:
        answers = [
            log_in(browser(REMOTE_ADDR=f"2001:db8:0:7::{n:x}"), f"p{n}@lind.example") for n in range(11)
        ]
        assert statuses(answers) == [422] * 10 + [429]
        assert log_in(browser("beta", REMOTE_ADDR="2001:db8:0:7::ff"), "q@lind.example").status_code == 429
        people()
        spelt = ["nora@lind.example", "NORA@lind.example", " nora@lind.example", "Nora@Lind.Example "]
        paths = ["/log-in/", "/log-in/?a=1", "/log-in/?next=/x"]
        dressed = [
            browser(REMOTE_ADDR=f"192.0.2.{n}").post(paths[n % 3], {"email": spelt[n % 4], "password": WRONG})
            for n in range(11)
        ]
        assert statuses(dressed) == [422] * 10 + [429]
        assert browser().post("/log-in", {"email": "nora@lind.example", "password": WRONG}).status_code != 302
        assert browser().post("/log-in//", {"email": "nora@lind.example"}).status_code == 404

    def test_l13_a_burst_at_once_gets_no_more_through(self, fresh_tenant: Any, now: datetime) -> None:
        caller = throttling.Caller("nora", "192.0.2.77")

        def attempt() -> bool:
            try:
                throttling.spend(throttling.SECOND_FACTOR, caller, now=now)
            except throttling.TooMany:
                return False
            return True

        assert at_once(fresh_tenant, 48, attempt).count(True) == 5

    def test_l13_nobody_is_mailed_without_end_by_invitations(self, tenant: Any, inside: Inside) -> None:
        """An address is invited and withdrawn, or the invitation sent again, over and over."""
        lind = making.account()
        owner = inside(making.person("owner@alpha.example", "owner"))
        contact = inside(lind.user)
        team = {"email": "a@x.example", "permissions": ["invoices"]}
        for client, path, form, stop in (
            (contact, "/team/invite/", team, "/team/invitations/{}/withdraw/"),
            (owner, f"/manage/customers/{lind.customer.pk}/invite/", team | {"email": "b@x.example"},
             f"/manage/customers/{lind.customer.pk}/invitations/{{}}/withdraw/"),
        ):  # fmt: skip
            answers = []
            for _ in range(11):
                answers.append(client.post(path, form))
                for invitation in Invitation.objects.filter(email=form["email"], withdrawn_at=None):
                    client.post(stop.format(invitation.pk))
            assert statuses(answers) == [302] * 10 + [429], path

    @pytest.mark.parametrize("who", ["contact", "owner", "staff"])
    def test_l13_an_invitation_is_not_sent_again_without_end(
        self, tenant: Any, inside: Inside, who: str
    ) -> None:
        lind, moment = making.account(), clock.now()
        boss = making.person("owner@alpha.example", "owner")
        if who == "staff":
            invited = inviting.invite(Invitee("c@x.example", "billing"), actor=SETUP, now=moment)
        else:
            invited = contacts.invite_contact(
                lind.customer, Grant.of(["invoices"]), email="c@x.example", name="", by=lind.user,
                actor=SETUP, now=moment,
            )  # fmt: skip
        path = {
            "contact": f"/team/invitations/{invited.pk}/resend/",
            "owner": f"/manage/customers/{lind.customer.pk}/invitations/{invited.pk}/resend/",
            "staff": f"/manage/settings/staff/invitations/{invited.pk}/resend/",
        }[who]
        client = inside(lind.user if who == "contact" else boss)
        assert statuses(client.post(path) for _ in range(11)) == [302] * 10 + [429]


def test_l14_the_limit_stands_while_the_cache_is_down(
    tenant: Any, browser: Browser, people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    people()
    monkeypatch.setitem(site.CACHES["default"], "LOCATION", "redis://127.0.0.1:1/0")
    monkeypatch.setattr(throttling, "_away_until", 0)
    assert statuses(log_in(browser(), password=WRONG) for _ in range(11)) == [422] * 10 + [429]
    monkeypatch.setattr(throttling, "_away_until", 0)


def test_l15_fail2ban_sees_every_refusal(
    tenant: Any, browser: Browser, people: People, now: datetime
) -> None:
    """Wrong passwords, codes, tokens and hosts, by callers whose names are made to hide them.

    By the expression of the filter's own file; tests/deploy runs the real program.
    """
    conf = Path(site.BASE_DIR) / "deploy" / "fail2ban" / "filter.d" / "proecommerce.conf"
    expression = fail2ban_expression(conf.read_text())
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(OneLine("{asctime} {levelname} {name} {message}", style="{"))
    logging.root.addHandler(handler)
    try:
        with_app(people(), now)
        for n in range(12):
            client = browser(REMOTE_ADDR=f"203.0.113.{n}", HTTP_USER_AGENT='x" ip=9.9.9.9\r\nevent=')
            if n % 2:
                log_in(client)
                client.post("/log-in/second/", {"code": "000000"})
            else:
                log_in(client, email=f"p{n}@lind.example", password=WRONG)
        Client(HTTP_HOST="no.example", REMOTE_ADDR="203.0.113.50").get("/")
        browser(enforce_csrf_checks=True, REMOTE_ADDR="203.0.113.51").post("/log-in/")
    finally:
        logging.root.removeHandler(handler)
    seen = [found["ip"] for line in stream.getvalue().splitlines() if (found := expression.search(line))]
    # A form without its token is no reason to shut anybody out: another site may have sent it.
    assert {f"203.0.113.{n}" for n in [*range(12), 50]} == set(seen)
