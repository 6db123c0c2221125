"""Which passwords are taken, how they are kept, and the hashes that imports bring along."""

import random
import string
import time
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import bcrypt
import pytest
from django.contrib.auth.password_validation import validate_password
from django.core.checks import run_checks
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.test import Client

from accounts import common_passwords, enrolling, passwords
from accounts.common_passwords import Filter, NotAFilter, digest_of, packaged_words
from accounts.hashers import HashRefused, imported
from accounts.models import User
from tenants.models import Job
from tests.accounts.conftest import PASSWORD, actions, log_in
from tests.accounts.factors import with_app

Browser = Callable[..., Client]
People = Callable[..., User]


def codes_of(password: str, user: User | None = None) -> list[str]:
    """Why the password is refused; empty when it is taken."""
    try:
        validate_password(password, user)
    except ValidationError as refused:
        return [str(each.code) for each in refused.error_list]
    return []


def test_fifteen_characters_alone_and_twelve_beside_a_second_factor(
    tenant: Any, people: People, now: Any
) -> None:
    user = people()
    assert codes_of("kelp over moss", user) == ["password_too_short"]
    assert codes_of("kelp over mosses", user) == []
    with_app(user, now)
    assert codes_of("kelp on moss", user) == []
    assert codes_of("kelp on mos", user) == ["password_too_short"]


@pytest.mark.parametrize(
    "password",
    [
        "83649027364510928374",
        "ĝardeno kun kvar vortoj",
        "四つの言葉でできた長い合言葉です",
        "🦊🐻🦊🌲🌲🦊🐻🌧🦊🦊🐻🐻🌧🌲🌲",
        "   kelp   over   moss   ",
    ],
)
def test_any_sign_will_do_and_none_is_asked_for(tenant: Any, password: str) -> None:
    assert codes_of(password) == []


def test_all_128_characters_count_and_no_more_are_taken(
    tenant: Any, browser: Browser, people: People
) -> None:
    long = "".join(random.Random(7).choices(string.ascii_letters, k=127))
    people(password=long + "x")
    assert codes_of(long + "x") == [] and codes_of(long + "xy") == ["password_too_long"]
    assert log_in(browser(), password=long + "y").status_code == 422
    assert log_in(browser(), password=long + "x").status_code == 302


def test_one_password_in_two_spellings_of_unicode_is_one_password(
    tenant: Any, browser: Browser, people: People
) -> None:
    composed, decomposed = "caf\u00e9 am gro\u00dfen See", "cafe\u0301 am gro\u00dfen See"
    people(password=decomposed)
    assert log_in(browser(), password=composed).status_code == 302
    assert log_in(browser(), password=decomposed).status_code == 302
    assert log_in(browser(), password="café am grossen See").status_code == 422


@pytest.mark.parametrize(
    "password",
    [
        "password12345678", "P@ssw0rd!2026!!!", "passwordpassword", "password password", "123456789012345",
        "qwertyuiopasdfg", "zyxwvutsrqponmlk", "aaaaaaaaaaaaaaaa", "!!!!!!!!!!!!!!!!", "abcabcabcabcabcabc",
        "November2026!!!!", "ProEcommerce 2026", "Alpha Hosting 2026", "2026alphahosting", "",
    ],
)  # fmt: skip
def test_what_others_use_and_what_is_made_from_it_is_refused(tenant: Any, password: str) -> None:
    assert codes_of(password)


@pytest.mark.parametrize(
    "password",
    [
        "correct horse battery staple", "CorrectHorseBatteryStaple1!", "thisismypassword",
        "this is my password",
        "iloveyouforever", "I love you forever", "password123password", "pass word 123 pass word",
        "letmeinletmein123", "To be, or not to be", "the quick brown fox", "qazwsxedcrfvtgb",
        "trustno1trustno1",
        "summer2026summer", "monkey-dragon-1234", "michael.jennifer.2019", "m4ytheforcebewithyou",
        "iloveyoumommy",
        "changemechangeme", "administrator123",
    ],
)  # fmt: skip
def test_famous_ones_that_are_on_no_list_as_they_stand_are_refused(tenant: Any, password: str) -> None:
    assert "password_too_common" in codes_of(password)


@pytest.mark.parametrize(
    "password",
    [
        "wide brown river stones", "plum-kettle-harbour-47", "vier warme Socken im Schrank",
        "xK9#mQ2$vL7@pR4",
        "my aunt paints blue goats", "horse saddle copper rain", "la lune mange mes carottes",
        "a" * 3 + " quilt beneath nine ladders", "Tr7-uuQ-91x-Lpz-0vb", "tobe honest: moss tastes odd",
        "".join(random.Random(3).choices(string.ascii_letters, k=128)),
    ],
)  # fmt: skip
def test_what_only_one_would_put_together_is_taken(tenant: Any, password: str) -> None:
    assert codes_of(password) == []


def test_all_of_ten_thousand_listed_passwords_are_refused_and_hardly_any_other(db: None) -> None:
    listed = random.Random(1).sample(sorted(set(packaged_words())), 10_000)
    known = common_passwords.packaged()
    assert [word for word in listed if digest_of(word) not in known] == []
    others = ("".join(random.Random(n).choices(string.ascii_letters, k=16)) for n in range(5_000))
    assert sum(common_passwords.is_common(each, known) for each in others) <= 3


def test_a_filter_is_built_from_words_and_from_breached_digests(
    tenant: Any, tmp_path: Path, settings: Any
) -> None:
    words, digests, target = tmp_path / "words", tmp_path / "digests", tmp_path / "filter"
    words.write_text("Kelp Over Moss And Stone\nplover\n", encoding="utf-8")
    digests.write_text(f"{digest_of('seven tired herons wade').hex().upper()}:1234\n", encoding="utf-8")
    call_command(
        "build_password_filter",
        str(target),
        "--list",
        str(words),
        "--list",
        str(digests),
        stdout=StringIO(),
    )
    assert target.stat().st_size < 500_000
    settings.PASSWORD_FILTER = str(target)
    assert "accounts.E002" not in [each.id for each in run_checks()]
    for password in (
        "kelp over moss and stone",
        "seven tired herons wade",
        "password12345678",
        "plover!!!!!!!!!",
    ):
        assert codes_of(password) == ["password_too_common"]
    assert codes_of("eight tired herons wade") == []


def test_a_filter_that_cannot_be_read_stops_the_start(db: None, tmp_path: Path, settings: Any) -> None:
    for name, content in (("absent", None), ("other", b"words"), ("cut", common_passwords.MAGIC + bytes(20))):
        path = tmp_path / name
        if content is not None:
            path.write_bytes(content)
        settings.PASSWORD_FILTER = str(path)
        assert "accounts.E002" in [each.id for each in run_checks()], name
    with pytest.raises(NotAFilter, match="build_password_filter"):
        Filter.read(tmp_path / "other")
    with pytest.raises(CommandError, match="absent"):
        call_command("build_password_filter", str(tmp_path / "x"), "--list", str(tmp_path / "absent"))


@pytest.mark.parametrize("version", ["2y", "2a", "2b"])
def test_an_imported_bcrypt_hash_logs_in_and_becomes_argon2id(
    tenant: Any, browser: Browser, people: People, version: str
) -> None:
    old = "kelp over old moss"
    brought = bcrypt.hashpw(old.encode(), bcrypt.gensalt(4)).decode().replace("$2b$", f"${version}$", 1)
    user = people(password=None, bcrypt_hash=brought)
    assert log_in(browser(), password="kelp over old mosses").status_code == 422
    assert log_in(browser(), password=old).status_code == 302
    user.refresh_from_db()
    assert user.password.startswith("argon2$argon2id$") and not user.password_may_be_short
    assert log_in(browser(), password=old).status_code == 302


def test_an_imported_password_that_is_too_short_gets_a_link_to_set_another_instead_of_a_session(
    tenant: Any, browser: Browser, people: People
) -> None:
    people(password=None, bcrypt_hash=bcrypt.hashpw(b"old short", bcrypt.gensalt(4)).decode())
    client = browser()
    assert log_in(client, password="old shorts").status_code == 422
    assert not Job.objects.filter(name="accounts.mail_reset").exists()
    for _ in range(2):  # nor the second time, when the hash is one of ours
        assert log_in(client, password="old short").status_code == 403
    assert client.get("/account/security/").status_code == 302
    assert Job.objects.filter(name="accounts.mail_reset").count() == 2


def test_an_imported_hash_proves_no_password_of_which_it_saw_the_beginning_only(
    tenant: Any, browser: Browser, people: People
) -> None:
    seen = "ä" * 36  # 72 bytes
    people(password=None, bcrypt_hash=bcrypt.hashpw(seen.encode(), bcrypt.gensalt(4)).decode())
    for longer in ("e", "end"):
        assert log_in(browser(), password=seen + longer).status_code == 422
    assert log_in(browser(), password=seen).status_code == 302


@pytest.mark.parametrize(
    "brought",
    ["", "$2x$10$" + "a" * 53, "$2y$31$" + "a" * 53, "$2y$10$short", "5f4dcc3b5aa765d61d8327deb882cf99"],
)
def test_what_is_no_bcrypt_hash_is_refused(brought: str) -> None:
    with pytest.raises(HashRefused, match="bcrypt"):
        imported(brought)


@pytest.mark.full_hashes
def test_checking_a_password_takes_a_bearable_time(tenant: Any, people: People) -> None:
    user = people()
    took = []
    for _ in range(5):
        began = time.perf_counter()
        user.check_password(PASSWORD)
        took.append(time.perf_counter() - began)
    assert 0.005 < min(took) < 0.15


def test_a_change_asks_for_the_old_password_ends_other_sessions_and_is_told(
    tenant: Any, browser: Browser, people: People
) -> None:
    people()
    here, there = browser(), browser()
    log_in(here), log_in(there)
    path, new = "/account/security/password/", "seven tired herons wade"
    wrong = here.post(path, {"old": "not the password at all", "password": new})
    assert wrong.status_code == 422 and "not your present password" in wrong.content.decode()
    assert here.post(path, {"old": PASSWORD, "password": "short"}).status_code == 422
    assert here.post(path, {"old": PASSWORD, "password": new})["Location"] == "/account/security/"
    assert here.get("/account/security/").status_code == 200
    assert there.get("/account/security/").status_code == 302
    assert Job.objects.get(name="accounts.mail_notice").args["kind"] == "password_changed"
    assert {"user.factor_refused", "user.password_changed"} <= set(actions())
    assert log_in(browser(), password=new).status_code == 302


def test_a_reset_keeps_the_second_factor_and_is_told(
    tenant: Any, browser: Browser, people: People, now: Any, actor: Any
) -> None:
    user = people()
    with_app(user, now)
    passwords.set_password(user, "kelp on moss", actor=actor, now=now)
    client = browser()
    assert log_in(client, password="kelp on moss")["Location"] == "/log-in/second/"
    assert client.get("/manage/")["Location"].startswith("/log-in/")
    assert "password_changed" in [
        each.args["kind"] for each in Job.objects.filter(name="accounts.mail_notice")
    ]


def test_the_last_factor_stays_while_the_password_is_short(
    tenant: Any, people: People, now: Any, actor: Any
) -> None:
    user = people(password="kelp on moss")
    with_app(user, now)
    with pytest.raises(enrolling.FactorKept, match="15 characters"):
        enrolling.remove_app(user, password="kelp on moss", actor=actor, now=now)
    assert codes_of("kelp on moss", user) == []
