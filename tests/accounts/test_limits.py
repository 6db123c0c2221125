"""Nobody tries more often than the limits say, however the attempts are dressed up."""

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from django.conf import settings as site
from django.test import Client

from accounts.models import User
from accounts.people import create_user
from billing import pay_links
from proecommerce import errors
from tenants import limits, throttling
from tenants.context import enter_public
from tenants.throttling import Rule, Window
from tests import logging_in
from tests.accounts.conftest import PASSWORD, log_in
from tests.humans import stamped

Browser = Callable[..., Client]
People = Callable[..., User]
WRONG = "not the password at all"


def statuses(answers: Any) -> list[int]:
    return [answer.status_code for answer in answers]


def test_ten_wrong_passwords_close_an_account_for_five_minutes_wherever_they_come_from(
    tenant: Any, browser: Browser, people: People
) -> None:
    people()
    dressed = ["nora@lind.example", "NORA@lind.example", " nora@lind.example", "Nora@Lind.Example "]
    answers = [
        log_in(browser(REMOTE_ADDR=f"192.0.2.{n}"), email=dressed[n % 4], password=WRONG) for n in range(12)
    ]
    assert statuses(answers) == [422] * 10 + [429] * 2
    assert 240 < int(answers[-1]["Retry-After"]) <= 300
    assert log_in(browser(REMOTE_ADDR="192.0.2.99")).status_code == 429  # the right one has to wait as well
    assert log_in(browser(REMOTE_ADDR="192.0.2.98"), email="nora+a@lind.example").status_code == 422


def test_ten_wrong_passwords_close_an_address_whatever_accounts_they_try(
    tenant: Any, browser: Browser
) -> None:
    answers = [
        log_in(browser(REMOTE_ADDR="192.0.2.7"), email=f"p{n}@lind.example", password=WRONG)
        for n in range(12)
    ]
    assert statuses(answers) == [422] * 10 + [429] * 2
    other_host = browser("beta", REMOTE_ADDR="192.0.2.7")
    assert log_in(other_host, email="q@lind.example", password=WRONG).status_code == 429


def test_forms_that_another_site_has_a_browser_send_use_up_nothing_of_the_persons(
    tenant: Any, browser: Browser, people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "ANY", Rule("any", account=(Window(2, 60),), network=(Window(2, 60),)))
    monkeypatch.setattr(errors, "TOKENLESS", Rule("tokenless", network=(Window(4, 60),)))
    client = browser(enforce_csrf_checks=True)
    logging_in.enter(client, people())
    forged = [client.post("/log-out/", headers={"origin": "https://evil.example"}) for _ in range(6)]
    assert statuses(forged) == [403] * 4 + [429] * 2  # and they do not come for nothing either
    page = client.get("/account/confirm/").content.decode()
    found = re.search(r'csrfmiddlewaretoken" value="(\w+)"', page)
    assert found is not None
    real = {"csrfmiddlewaretoken": found[1], "password": PASSWORD}
    answers = [client.post("/account/confirm/", real) for _ in range(3)]
    assert statuses(answers) == [302, 302, 429]
    assert client.post("/log-out/").status_code == 429  # without a token: counted before its body is read


def test_whoever_copies_page_after_page_has_to_wait(
    tenant: Any, browser: Browser, people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "READ", replace(throttling.READ, account=(Window(3, 60),)))
    client, other = browser(), browser()
    logging_in.enter(client, people())
    logging_in.enter(other, people("emil@lind.example"))
    assert statuses(client.get("/manage/") for _ in range(5)) == [200] * 3 + [429] * 2
    assert client.get("/brand.css").status_code == other.get("/manage/").status_code == 200
    assert statuses(browser().get("/log-in/") for _ in range(5)) == [200] * 5
    monkeypatch.setattr(throttling, "_spend_in_cache", lambda *_: None)
    assert client.get("/manage/").status_code == 200  # not worth a row of the database


def test_what_costs_much_to_make_is_counted(
    tenant: Any, browser: Browser, people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    from billing.manage import invoices
    from billing.portal import hosted, pages
    from tests.billing.portal import making

    account = making.account()
    invoice = making.invoice(account.customer, due=making.TODAY)
    client, contact = browser(), browser()
    logging_in.enter(client, people("own@lind.example"))
    logging_in.enter(contact, account.user)
    once = Rule("costly", account=(Window(1, 60),))
    link = f"/pay/{pay_links.token_for(invoice, making.NOW)}/pdf/"
    by_network = Rule("costly", network=(Window(1, 60),))
    for module, rule, who, path in (
        (invoices, once, client, f"/manage/invoices/{invoice.pk}/pdf/"),
        (pages, once, contact, f"/invoices/{invoice.pk}/pdf/"),
        (hosted, by_network, browser(), link),
    ):
        monkeypatch.setattr(module, "COSTLY", rule)
        assert statuses(who.get(path) for _ in range(2)) == [200, 429], path


def test_an_ipv6_network_is_one_caller(tenant: Any, browser: Browser) -> None:
    answers = [
        log_in(browser(REMOTE_ADDR=f"2001:db8:0:7::{n:x}"), email=f"p{n}@lind.example") for n in range(12)
    ]
    assert statuses(answers) == [422] * 10 + [429] * 2
    assert log_in(browser(REMOTE_ADDR="2001:db8:0:8::1"), email="x@lind.example").status_code == 422
    mapped = [log_in(browser(REMOTE_ADDR="::ffff:192.0.2.50"), email=f"m{n}@lind.example") for n in range(10)]
    assert statuses(mapped) == [422] * 10
    assert log_in(browser(REMOTE_ADDR="192.0.2.50"), email="m@lind.example").status_code == 429


@pytest.mark.parametrize(
    "header", ["HTTP_X_FORWARDED_FOR", "HTTP_FORWARDED", "HTTP_X_REAL_IP", "HTTP_CLIENT_IP"]
)
@pytest.mark.parametrize("hops", [0, 1])
def test_no_header_makes_a_caller_somebody_else(
    tenant: Any, browser: Browser, settings: Any, header: str, hops: int
) -> None:
    settings.TRUSTED_PROXIES = hops
    tail = ", 192.0.2.7" if hops and header == "HTTP_X_FORWARDED_FOR" else ""
    answers = [
        log_in(
            browser(REMOTE_ADDR="192.0.2.7", **{header: f"198.51.100.{n}{tail}"}), email=f"p{n}@lind.example"
        )
        for n in range(12)
    ]
    assert statuses(answers) == [422] * 10 + [429] * 2


def test_right_passwords_do_not_count(tenant: Any, browser: Browser, people: People) -> None:
    people()
    assert statuses(log_in(browser()) for _ in range(14)) == [302] * 14


def test_the_limit_stands_while_the_cache_is_away(
    tenant: Any, browser: Browser, people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    people()
    monkeypatch.setitem(site.CACHES["default"], "LOCATION", "redis://127.0.0.1:1/0")
    monkeypatch.setattr(throttling, "_away_until", 0)
    assert log_in(browser()).status_code == 302
    answers = [log_in(browser(), password=WRONG) for _ in range(12)]
    assert statuses(answers) == [422] * 10 + [429] * 2
    monkeypatch.setattr(throttling, "_away_until", 0)


def test_the_answer_says_how_long_to_wait_to_people_and_to_programs(tenant: Any, browser: Browser) -> None:
    for n in range(10):
        log_in(browser(), email=f"p{n}@lind.example")
    page = browser(HTTP_ACCEPT="text/html").post("/log-in/", {"email": "x@lind.example", "password": "x"})
    assert page.status_code == 429
    assert "A little too fast" in page.content.decode() and "Wait 5 minutes" in page.content.decode()
    plain = browser(HTTP_ACCEPT="application/json").post(
        "/log-in/", {"email": "x@a.example", "password": "x"}
    )
    assert plain["Content-Type"] == "text/plain; charset=utf-8"
    assert plain.content.decode() == f"Too many requests. Try again in {plain['Retry-After']} seconds.\n"


def test_the_staffs_log_in_is_limited_alike(db: None, now: Any, actor: Any) -> None:
    with enter_public():
        create_user(email="p@p.example", name="P", role="platform", password=PASSWORD, actor=actor, now=now)
    client = Client(HTTP_HOST=site.SITE_HOST)
    answers = [log_in(client, "p@p.example", WRONG) for _ in range(11)]
    assert statuses(answers) == [422] * 10 + [429]
    assert log_in(client, "p@p.example").status_code == 429


def test_an_invitation_is_no_way_to_guess_a_password(
    tenant: Any, browser: Browser, people: People, actor: Any, now: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from accounts.inviting import Invitee, invite, token_of
    from tenants import clock

    monkeypatch.setattr(clock, "now", lambda: now)
    people()
    link = f"/invitation/{token_of(invite(Invitee('nora@lind.example', 'owner'), actor=actor, now=now))}/"
    answers = [
        browser(REMOTE_ADDR=f"192.0.2.{n}").post(
            link, {"name": "N", "password": f"four words of a garden {n}"}
        )
        for n in range(11)
    ]
    assert statuses(answers) == [422] * 10 + [429]


def test_five_resets_a_day_for_an_address_known_or_not(tenant: Any, browser: Browser, people: People) -> None:
    people()
    for email in ("nora@lind.example", "nobody@lind.example"):
        answers = []
        for n in range(6):
            asked = {"email": email} | stamped("reset", work=False)
            answers.append(browser(REMOTE_ADDR=f"192.0.{len(email)}.{n}").post("/forgotten/", asked))
        assert statuses(answers) == [200] * 5 + [429]


def test_nobody_has_more_mail_sent_than_one_person_has_reason_to(
    tenant: Any, browser: Browser, people: People
) -> None:
    """A contact with the team right and made-up addresses does not use up what the tenant has."""
    from tests.billing.portal import making

    account = making.account()

    def invitations(client: Client, count: int, whom: str) -> list[int]:
        grant = {"name": "Kim", "permissions": ["pay"]}
        to = (grant | {"email": f"{whom}{n}@made-up.example"} for n in range(count))
        return statuses(client.post("/team/invite/", form) for form in to)

    contact = browser(REMOTE_ADDR="192.0.2.7")
    logging_in.enter(contact, account.user)
    assert invitations(contact, 12, "a") == [302] * 10 + [429] * 2
    moved = browser(REMOTE_ADDR="198.51.100.7")
    logging_in.enter(moved, account.user)
    assert invitations(moved, 1, "b") == [429]
    other = browser(REMOTE_ADDR="192.0.2.7")
    logging_in.enter(other, making.account("emil@other.example").user)
    assert invitations(other, 1, "c") == [429]
    owner = browser()
    logging_in.enter(owner, people("own@lind.example"))
    staff = {"email": "kim@made-up.example", "name": "Kim", "role": "billing"}
    assert owner.post("/manage/settings/staff/invite/", staff).status_code == 302
    wishes = [owner.post("/account/email/", {"email": f"n{n}@made-up.example"}) for n in range(3)]
    assert statuses(wishes) == [302] * 2 + [429]


def test_refusals_are_told_to_the_security_log(
    tenant: Any, browser: Browser, caplog: pytest.LogCaptureFixture
) -> None:
    for n in range(11):
        log_in(browser(HTTP_USER_AGENT='x" ip=9.9.9.9\n'), email=f"p{n}@lind.example")
    browser(enforce_csrf_checks=True).post("/log-in/", {})
    Client(HTTP_HOST="unknown.example").get("/")
    lines = [each.getMessage() for each in caplog.records if each.name == "proecommerce.security"]
    assert [line.split()[0] for line in lines] == [
        *["event=login_failed"] * 10, "event=limit_hit", "event=csrf_refused", "event=unknown_host",
    ]  # fmt: skip
    assert all(line.split()[1] == "ip=127.0.0.1" and line.count("\n") == 0 for line in lines)
    assert lines[0].endswith('agent="x\\" ip=9.9.9.9"')
