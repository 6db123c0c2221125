"""Never more attempts than a rule allows: in the cache or the database, one by one or at once."""

import threading
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection

from tenants import throttling
from tenants.context import enter, enter_public
from tenants.models import Throttle
from tenants.throttling import Caller, Rule, TooMany, Window, spend
from tenants.working import tick

THREE = Rule("three", account=(Window(3, 60),), network=(Window(5, 60),), tenant=(Window(7, 60),))


@pytest.fixture
def away(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A cache that answers nobody."""
    from django.conf import settings

    monkeypatch.setitem(settings.CACHES["default"], "LOCATION", "redis://127.0.0.1:1/0")
    monkeypatch.setattr(throttling, "_away_until", 0)
    yield
    monkeypatch.setattr(throttling, "_away_until", 0)


@pytest.fixture(params=["cache", "database"])
def where(request: pytest.FixtureRequest, tenant: Any) -> Any:
    """Count in the cache, then in the database."""
    if request.param == "database":
        request.getfixturevalue("away")
    return request.param


def tries(number: int, caller: Caller, now: datetime, rule: Rule = THREE) -> list[int]:
    """How long each of so many attempts has to wait; 0 for those that were let through."""
    found = []
    for n in range(number):
        try:
            spend(rule, caller, now=now + timedelta(milliseconds=n))
            found.append(0)
        except TooMany as refused:
            found.append(refused.retry_after)
    return found


def test_each_thing_that_is_counted_by_has_a_bound(where: str, now: datetime) -> None:
    assert tries(4, Caller("nora", "192.0.2.1"), now) == [0, 0, 0, 60]
    assert tries(1, Caller("ida", "192.0.2.1"), now) == [0]
    assert tries(3, Caller("ole", "192.0.2.1"), now) == [0, 60, 60]
    assert tries(2, Caller("per", "192.0.2.2"), now) == [0, 0]
    assert tries(1, Caller("eva", "192.0.2.3"), now) == [60]


def test_the_window_slides(where: str, now: datetime) -> None:
    caller = Caller("nora", "192.0.2.1")
    for second in (0, 30, 59):
        spend(THREE, caller, now=now + timedelta(seconds=second))
    assert tries(1, caller, now + timedelta(seconds=59, microseconds=1)) == [1]
    spend(THREE, caller, now=now + timedelta(seconds=61))
    assert tries(1, caller, now + timedelta(seconds=62)) == [28]


def test_what_is_refused_does_not_count(where: str, now: datetime) -> None:
    caller = Caller("nora", "192.0.2.1")
    assert tries(50, caller, now)[:4] == [0, 0, 0, 60]
    assert tries(1, caller, now + timedelta(seconds=61)) == [0]


def test_a_good_attempt_is_given_back_and_no_other(where: str, now: datetime) -> None:
    caller = Caller("nora", "192.0.2.1")
    spend(THREE, caller, now=now)
    for n in range(20):
        spend(THREE, caller, now=now + timedelta(milliseconds=n)).give_back()
    assert tries(3, caller, now + timedelta(seconds=1)) == [0, 0, 59]


def test_several_windows_hold_together(where: str, now: datetime) -> None:
    let_through = 0
    for second in range(0, 3600, 20):
        try:
            spend(
                throttling.SECOND_FACTOR,
                Caller("nora", f"192.0.2.{second % 250}"),
                now=now + timedelta(seconds=second),
            )
            let_through += 1
        except TooMany:
            pass
    assert let_through == 20


def test_tenants_count_apart_but_a_network_counts_once(two_tenants: Any, now: datetime) -> None:
    alpha, beta = two_tenants
    with enter(alpha):
        assert tries(4, Caller("nora", "192.0.2.1"), now) == [0, 0, 0, 60]
    with enter(beta):
        assert tries(3, Caller("nora", "192.0.2.1"), now) == [0, 0, 60]
        assert tries(2, Caller("nora", "192.0.2.9"), now) == [0, 60]


@pytest.mark.parametrize("store", ["cache", "database"])
def test_a_burst_gets_no_more_through(
    store: str, fresh_tenant: Any, now: datetime, request: pytest.FixtureRequest
) -> None:
    if store == "database":
        request.getfixturevalue("away")
    rule = Rule("burst", account=(Window(5, 60),), network=(Window(6, 60),))
    through: list[int] = []
    start = threading.Barrier(12)

    def burst() -> None:
        start.wait()
        with enter(fresh_tenant):
            through.extend(tries(4, Caller("nora", "192.0.2.77"), now, rule))
        connection.close()

    threads = [threading.Thread(target=burst) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(through) == 48
    assert through.count(0) == 5


def test_accounts_are_the_same_however_they_are_written() -> None:
    spellings = (" nora@lind.example ", "NORA@Lind.Example", "nora@lind.example")
    assert {throttling.normalised(each) for each in spellings} == {"nora@lind.example"}
    # PostgreSQL finds people by UPPER(): the dotless i and the long s are other people's letters for it, too.
    assert throttling.normalised("ıda@lınd.example") == throttling.normalised("ida@lind.example")
    assert throttling.normalised("ole@\u017fund.example") == throttling.normalised("ole@sund.example")
    assert throttling.normalised("nora+1@lind.example") != throttling.normalised("nora@lind.example")


def test_the_database_keeps_no_address_and_forgets_by_itself(tenant: Any, away: None, now: datetime) -> None:
    with enter_public():
        others = set(Throttle.objects.values_list("key", flat=True))
    spend(THREE, Caller("nora@lind.example", "192.0.2.1"), now=now)
    with enter_public():
        mine = Throttle.objects.exclude(key__in=others)
        rows = list(mine.all())
        assert len(rows) == 3
        assert all(len(row.key) == 64 and len(row.hits) == 1 for row in rows)
        tick(now=now + timedelta(seconds=59))
        assert mine.count() == 3
        tick(now=now + timedelta(seconds=61))
        assert mine.count() == 0


def test_what_is_counted_in_the_database_is_in_no_backup(db: None) -> None:
    with enter_public(), connection.cursor() as cursor:
        cursor.execute("SELECT relpersistence FROM pg_class WHERE oid = 'public.tenants_throttle'::regclass")
        assert cursor.fetchone() == ("u",)


def test_a_cache_that_is_away_is_not_waited_for_each_time(
    tenant: Any, away: None, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    client_at = throttling._client_at

    def noting(url: str) -> Any:
        asked.append(url)
        return client_at(url)

    monkeypatch.setattr(throttling, "_client_at", noting)
    tries(3, Caller("nora", "192.0.2.1"), now)
    assert len(asked) == 1
