"""Nobody learns who has a log-in: not by words, status, length, or time."""

import re
import statistics
import time
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import bcrypt
import pytest
from django.contrib.auth import hashers
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.hashers import Argon2id, ImportedBcrypt
from accounts.models import User
from tests import logging_in
from tests.humans import stamped

Browser = Callable[..., Client]
People = Callable[..., User]
pytestmark = [pytest.mark.full_hashes, pytest.mark.usefixtures("often")]
KNOWN, UNKNOWN = "emil@lind.example", "otto@lind.example"  # of one length
WRONG = "not the password at all"


@pytest.fixture
def tell(tenant: Any, browser: Browser, people: People) -> dict[str, Callable[[str], Any]]:
    """What a stranger, or somebody logged in, may ask about an address."""
    people(KNOWN)
    strangers, client = browser(), browser()
    logging_in.enter(client, people())
    return {
        "log-in": lambda email: strangers.post("/log-in/", {"email": email, "password": WRONG}),
        "reset": lambda email: strangers.post("/forgotten/", {"email": email} | stamped("reset", work=False)),
        "e-mail change": lambda email: client.post("/account/email/", {"email": email}, follow=True),
    }


@pytest.fixture
def hashed(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often the password hasher worked."""
    worked: Counter[str] = Counter()
    for hasher, name in ((Argon2id, "encode"), (Argon2id, "verify"), (ImportedBcrypt, "verify")):
        real = getattr(hasher, name)

        def counted(self: Any, *args: Any, real: Any = real, **kwargs: Any) -> Any:
            worked[self.algorithm] += 1
            return real(self, *args, **kwargs)

        monkeypatch.setattr(hasher, name, counted)
    return worked


ASKED = ["log-in", "reset", "e-mail change"]


@pytest.mark.parametrize("what", ASKED)
def test_answers_and_work_are_the_same_for_known_and_unknown(
    tell: Any, hashed: Counter[str], what: str
) -> None:
    tell[what](UNKNOWN)  # the first one warms up
    seen = []
    for email in (KNOWN, UNKNOWN):
        hashed.clear()
        with CaptureQueriesContext(connection) as asked:
            answer = tell[what](email)
        body = re.sub(r'name="csrfmiddlewaretoken" value="\w+"|<time.*?</time>', "", answer.content.decode())
        kinds = [_kind(each["sql"]) for each in asked if not each["sql"].startswith("RELEASE")]
        seen.append((answer.status_code, body.replace(email, "X"), hashed["argon2"], kinds))
    known, unknown = seen
    assert known == unknown
    assert known[2] == (1 if what == "log-in" else 0)


@pytest.mark.parametrize("wrong", [WRONG, "nicht das Passwort der Re\u0301gie", "x" * 80])
@pytest.mark.parametrize("imports", [False, True])
def test_the_work_is_the_same_whatever_the_password_and_whosever_hash_it_is(
    tenant: Any, browser: Browser, people: People, hashed: Counter[str], wrong: str, imports: bool
) -> None:
    """A hash of an import is slower than ours, and a password in an odd spelling is tried in two."""
    people(KNOWN)
    if imports:
        brought = bcrypt.hashpw(b"brought along", bcrypt.gensalt(4)).decode()
        people("nele@lind.example", password=None, bcrypt_hash=brought)
    counts = []
    for email in (KNOWN, UNKNOWN, "nele@lind.example"):  # the last one is unknown, or has a hash of an import
        hashed.clear()
        assert browser().post("/log-in/", {"email": email, "password": wrong}).status_code == 422
        counts.append(dict(hashed))
    spelled = 2 if "\u0301" in wrong else 1
    assert counts == [{"argon2": 1} | ({"bcrypt": spelled} if imports else {})] * 3


def _kind(sql: str) -> str:
    """A statement without its values."""
    return re.sub(r"'[^']*'|\d+|x\d+_\w+|s\d+_\w+", "?", sql)[:60]


def _both(ask: Callable[[str], Any], rounds: int) -> Iterator[tuple[float, float]]:
    """The seconds that known and unknown took, in turns, so that noise meets both."""
    for turn in range(rounds):
        took = {}
        for email in (KNOWN, UNKNOWN) if turn % 2 else (UNKNOWN, KNOWN):
            began = time.perf_counter()
            ask(email)
            took[email] = time.perf_counter() - began
        yield took[KNOWN], took[UNKNOWN]


def apart(pairs: list[tuple[float, float]]) -> tuple[float, float]:
    """The median of how far known and unknown lie apart, in milliseconds and in percent.

    Of each pair asked one after the other: what slows the machine down for a while slows both.
    """
    difference = abs(statistics.median(known - unknown for known, unknown in pairs))
    middle = statistics.median(each for pair in pairs for each in pair)
    return difference * 1000, 100 * difference / middle


@pytest.mark.parametrize("what", ASKED)
def test_the_time_tells_nothing(tell: Any, what: str) -> None:
    """Goes on while a busy machine disturbs it: a real difference, such as a hash, does not go away."""
    tell[what](KNOWN)
    seen: list[tuple[float, float]] = []
    pairs: list[tuple[float, float]] = []
    for _ in range(5):
        pairs.extend(_both(tell[what], 15))
        seen.append(apart(pairs))
        if seen[-1][0] < 5 or seen[-1][1] < 2:
            return
    pytest.fail(f"known and unknown lie apart by (ms, %): {seen}")


@pytest.mark.long
@pytest.mark.parametrize("what", ASKED)
def test_the_time_tells_nothing_in_a_thousand_tries(tell: Any, what: str) -> None:
    tell[what](KNOWN)
    pairs = list(_both(tell[what], 1000))
    milliseconds, percent = apart(pairs)
    assert milliseconds < 5 or percent < 2
    assert _p_of_rank_sum(pairs) > 0.01


def _p_of_rank_sum(pairs: list[tuple[float, float]]) -> float:
    """Mann-Whitney's p for "neither is slower", by the normal approximation."""
    known, unknown = zip(*pairs, strict=True)
    order = sorted([(value, 0) for value in known] + [(value, 1) for value in unknown])
    ranks = sum(rank for rank, (_, which) in enumerate(order, 1) if which == 0)
    n, m = len(known), len(unknown)
    u = ranks - n * (n + 1) / 2
    z = (u - n * m / 2) / (n * m * (n + m + 1) / 12) ** 0.5
    return 2 * statistics.NormalDist().cdf(-abs(z))


def test_the_measure_sees_a_hash_that_only_one_side_pays(tell: Any) -> None:
    def leaky(email: str) -> None:
        tell["reset"](email)
        if email == KNOWN:
            hashers.make_password(WRONG)

    milliseconds, percent = apart(list(_both(leaky, 15)))
    assert milliseconds >= 5 and percent >= 2


def test_an_invitation_takes_one_hash_whether_its_address_is_known(
    tenant: Any, browser: Browser, people: People, hashed: Counter[str], actor: Any
) -> None:
    from accounts import inviting
    from accounts.inviting import Invitee
    from tenants import clock

    people(KNOWN)
    counts = []
    for email in (KNOWN, UNKNOWN):
        invitation = inviting.invite(Invitee(email=email, role="billing"), actor=actor, now=clock.now())
        link = f"/invitation/{inviting.token_of(invitation)}/"
        page = browser().get(link).content.decode()
        hashed.clear()
        answer = browser().post(link, {"name": "E", "password": "four words of a garden"})
        counts.append(
            (hashed["argon2"], answer.status_code, re.sub(r'value="\w+"', "", page).replace(email, "X"))
        )
    assert counts[0] == counts[1]
