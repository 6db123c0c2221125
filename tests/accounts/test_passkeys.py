"""Passkeys: as the whole log-in and as the second factor, and everything that is no proof."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from accounts import passkeys
from accounts.models import Passkey, PasskeyChallenge, User
from accounts.passkey_gateway import PasskeyRefused
from audit.models import AuditEvent
from tenants.context import enter
from tests.accounts.conftest import actions, log_in
from tests.accounts.factors import PRESENT, VERIFIED, Key, at_once, with_app

Browser = Callable[..., Client]
People = Callable[..., User]
SECURITY = "/account/security/"


def ask(client: Client, path: str = "/log-in/passkey/ask/") -> dict[str, Any]:
    asked: dict[str, Any] = client.post(path).json()
    return asked


def add(client: Client, key: Key, **changes: Any) -> Any:
    """Add the key on the security page, whose person is logged in."""
    answer = key.make(ask(client, SECURITY + "passkeys/ask/"), **changes)
    return client.post(SECURITY + "passkeys/", {"answer": answer, "name": "my laptop"})


def enter_by(client: Client, key: Key, **changes: Any) -> Any:
    """Log in by the key alone."""
    answer = key.use(ask(client), **changes)
    return client.post("/log-in/passkey/", {"answer": answer})


@pytest.fixture
def key(tenant: Any, browser: Browser, people: People) -> Key:
    """A passkey of Nora's."""
    people()
    client, made = browser(), Key()
    log_in(client)
    assert add(client, made).status_code == 200
    made.count += 1
    return made


def is_in(client: Client) -> bool:
    return bool(client.get("/manage/").status_code == 200)


def why() -> str:
    return str(AuditEvent.objects.filter(action="user.factor_refused").latest("seq").details["why"])


def test_a_passkey_is_the_whole_log_in(key: Key, browser: Browser) -> None:
    client = browser()
    asked = ask(client)
    assert asked["rpId"] == "alpha.localhost" and asked["userVerification"] == "required"
    assert asked["allowCredentials"] == []  # nobody learns who has one
    answer = client.post("/log-in/passkey/", {"answer": key.use(asked), "next": "/manage/invoices/"})
    assert answer["Location"] == "/manage/invoices/"
    assert is_in(client) and client.session["methods"] == ["passkey"]
    found = Passkey.objects.get()
    assert (found.name, found.host, found.sign_count) == ("my laptop", "alpha.localhost", 2)
    assert found.last_used_at is not None
    page = client.get(SECURITY).content.decode()
    assert "my laptop" in page and "last used" in page
    assert {"passkey.added", "backup_codes.made"} <= set(actions())


def test_a_passkey_is_the_second_factor_too(key: Key, browser: Browser) -> None:
    client = browser()
    assert log_in(client, next="/manage/runs/")["Location"] == "/log-in/second/"
    page = client.get("/log-in/second/").content.decode()
    assert "Use your passkey" in page and 'name="code"' not in page
    asked = ask(client)
    assert len(asked["allowCredentials"]) == 1
    done = client.post("/log-in/passkey/", {"answer": key.use(asked)})
    assert done["Location"] == "/manage/runs/" and client.session["methods"] == ["passkey", "password"]


def test_after_a_password_only_that_persons_passkey_counts(
    key: Key, browser: Browser, people: People, now: Any
) -> None:
    with_app(people("emil@apps.example"), now)
    client = browser()
    log_in(client, "emil@apps.example")
    assert enter_by(client, key)["Location"] == "/log-in/second/"
    assert not is_in(client)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"origin": "https://evil.example"}, "origin"),
        ({"origin": "http://beta.localhost"}, "origin"),
        ({"origin": "http://localhost"}, "origin"),
        ({"challenge": "AAAA"}, "challenge"),
        ({"type": "webauthn.create"}, "type"),
    ],
)
def test_what_was_signed_elsewhere_or_for_something_else_is_refused(
    key: Key, browser: Browser, changes: dict[str, Any], reason: str
) -> None:
    client = browser()
    assert enter_by(client, key, **changes)["Location"] == "/log-in/"
    assert reason in why() and not is_in(client)
    assert "does not log in here" in client.get("/log-in/").content.decode()


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"host": "beta.localhost", "origin": "http://alpha.localhost"}, "RP ID"),
        ({"host": "localhost", "origin": "http://alpha.localhost"}, "RP ID"),
        ({"flags": PRESENT}, "verification"),
        ({"flags": VERIFIED}, "present"),
        ({"private": Key().private}, "signature"),
        ({"id": b"x" * 32}, "No such passkey"),
        ({"handle": b"y" * 16}, "somebody else"),
        ({"count": 1}, "sign count"),
        ({"count": 0}, "sign count"),
    ],
)
def test_an_answer_that_proves_less_is_refused(
    key: Key, browser: Browser, change: dict[str, Any], reason: str
) -> None:
    client = browser()
    for name, value in change.items():
        setattr(key, name, value)
    assert enter_by(client, key)["Location"] == "/log-in/"
    assert reason in why() and not is_in(client)


def test_a_counter_that_goes_back_is_refused_after_a_good_log_in(key: Key, browser: Browser) -> None:
    key.count = 9
    assert enter_by(browser(), key)["Location"] == "/manage/"
    for count in (9, 8):
        key.count = count
        client = browser()
        enter_by(client, key)
        assert not is_in(client) and "sign count" in why()
    key.count = 10
    assert enter_by(browser(), key)["Location"] == "/manage/"


def test_an_answer_counts_once_and_only_in_the_session_that_asked(key: Key, browser: Browser) -> None:
    key.count = 0  # as passkeys that are kept in several devices have it: no counter to go by
    Passkey.objects.update(sign_count=0)
    client, other = browser(), browser()
    answer = key.use(ask(client))
    assert other.post("/log-in/passkey/", {"answer": answer})["Location"] == "/log-in/"
    ask(other)
    assert other.post("/log-in/passkey/", {"answer": answer})["Location"] == "/log-in/"
    assert not is_in(other)
    assert client.post("/log-in/passkey/", {"answer": answer})["Location"] == "/manage/"
    client.post("/log-out/")
    assert client.post("/log-in/passkey/", {"answer": answer})["Location"] == "/log-in/"


def test_a_challenge_is_answered_once_however_many_try_at_once(
    fresh_tenant: Any,
    member: User,
    now: Any,
) -> None:
    challenge = str(passkeys.new_challenge(now=now).pk)

    def taken() -> bool:
        try:
            return bool(passkeys.take_challenge(challenge, now=now))
        except PasskeyRefused:
            return False

    assert at_once(fresh_tenant, 160, taken).count(True) == 1


def test_a_challenge_is_good_for_five_minutes_and_forgotten(tenant: Any, now: Any) -> None:
    challenge = str(passkeys.new_challenge(now=now).pk)
    late = now + timedelta(minutes=5)
    with pytest.raises(PasskeyRefused, match="too old"):
        passkeys.take_challenge(challenge, now=late)
    passkeys.new_challenge(now=late)
    assert PasskeyChallenge.objects.count() == 1


def test_a_passkey_of_one_tenant_is_none_in_another(
    key: Key, two_tenants: Any, browser: Browser, people: People
) -> None:
    with enter(two_tenants[1]):
        people()
    for host, origin in (("alpha.localhost", "http://alpha.localhost"), ("beta.localhost", "")):
        key.host, key.origin = host, origin
        client = browser("beta")
        assert enter_by(client, key)["Location"] == "/log-in/"
        assert client.get("/manage/").status_code == 302


def test_a_passkey_is_bound_to_the_host_it_was_made_at(key: Key, browser: Browser) -> None:
    Passkey.objects.update(host="old.alpha.localhost")
    client = browser()
    enter_by(client, key)
    assert not is_in(client) and "No such passkey" in why()


@pytest.mark.parametrize(
    ("change", "changes"),
    [
        ({}, {"origin": "https://evil.example"}),
        ({}, {"challenge": "AAAA"}),
        ({}, {"type": "webauthn.get"}),
        ({"host": "localhost", "origin": "http://alpha.localhost"}, {}),
        ({"flags": PRESENT}, {}),
    ],
)
def test_a_passkey_made_elsewhere_or_without_its_person_is_not_added(
    tenant: Any, browser: Browser, people: People, change: dict[str, Any], changes: dict[str, Any]
) -> None:
    people()
    client, key = browser(), Key(**change)
    log_in(client)
    assert add(client, key, **changes)["Location"] == SECURITY
    assert not Passkey.objects.exists() and actions()[-1] == "user.factor_refused"


def test_nobody_adds_a_passkey_that_is_known(key: Key, browser: Browser, people: People) -> None:
    people("emil@apps.example")
    client = browser()
    log_in(client, "emil@apps.example")
    add(client, key)
    assert Passkey.objects.count() == 1 and "known already" in why()


@pytest.mark.parametrize(
    "answer",
    ["", "{", "[]", "{}", '"x"', '{"id": 5}', json.dumps({"id": "AAAA", "response": {}}), '{"id": "é"}'],
)
def test_what_is_no_answer_is_refused(key: Key, browser: Browser, answer: str) -> None:
    client = browser()
    ask(client)
    assert client.post("/log-in/passkey/", {"answer": answer})["Location"] == "/log-in/"


def test_a_person_removes_only_their_own_passkeys(key: Key, browser: Browser, people: People) -> None:
    people("emil@apps.example")
    client = browser()
    log_in(client, "emil@apps.example")
    path = f"{SECURITY}passkeys/{Passkey.objects.get().pk}/"
    assert client.get(path).status_code == 404
    assert client.post(path, {"password": "four words of a garden"}).status_code == 404
    owner = browser()
    enter_by(owner, key)
    assert owner.get(path).status_code == 200
    assert owner.post(path, {"password": "wrong"}).status_code == 422
    assert owner.post(path, {"password": "four words of a garden"})["Location"] == SECURITY
    assert not Passkey.objects.exists() and "passkey.removed" in actions()


def test_somebody_deactivated_has_no_passkey(key: Key, browser: Browser) -> None:
    User.objects.update(is_active=False)
    client = browser()
    enter_by(client, key)
    assert not is_in(client)
