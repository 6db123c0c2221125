"""What counts as abuse, and what does not: counts in, findings out."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from operations import patterns
from operations.patterns import Busy, Failure, Finding, Groping, Source, find

NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
HERE = Source("192.0.2.7", "192.0.2.7", ("t_alpha",), NOW - timedelta(minutes=1), NOW)


def tried(number: int, *, network: str = "192.0.2.7", account: str = "", minutes_ago: float = 1) -> Failure:
    return Failure(
        network, network, "t_alpha", account or f"mark{number}", NOW - timedelta(minutes=minutes_ago)
    )


def kinds(
    busy: Sequence[Busy] = (), groping: Sequence[Groping] = (), failures: Sequence[Failure] = ()
) -> list[str]:
    return [each.kind for each in find(busy, groping, failures, now=NOW)]


@pytest.mark.parametrize(
    ("requests", "files", "found"),
    [
        (600, 0, []), (601, 0, ["burst"]), (100, 2900, []), (100, 2901, ["burst"]), (1, 30, []),
    ],
)  # fmt: skip
def test_a_burst_is_more_than_a_crowd_behind_one_address_asks_for(
    requests: int, files: int, found: list[str]
) -> None:
    assert kinds([Busy(HERE, requests, files)]) == found


@pytest.mark.parametrize(
    ("not_found", "probes", "found"),
    [(39, 4, []), (40, 0, ["scan"]), (5, 5, ["scan"]), (0, 0, [])],
)
def test_a_scan_asks_for_many_things_that_are_not_there(
    not_found: int, probes: int, found: list[str]
) -> None:
    assert kinds(groping=[Groping(HERE, not_found, probes)]) == found


def test_spraying_is_many_accounts_from_one_network_quickly_or_slowly() -> None:
    assert kinds(failures=[tried(n) for n in range(7)]) == []
    assert kinds(failures=[tried(n) for n in range(8)]) == ["spraying"]
    assert kinds(failures=[tried(1) for _ in range(60)]) == []  # somebody who forgot a password
    slowly = [tried(n, minutes_ago=55 - 2.5 * n) for n in range(20)]
    assert kinds(failures=slowly[:19]) == []
    (found,) = find([], [], slowly, now=NOW)
    assert (found.kind, found.network, found.count, found.seconds) == ("spraying", "192.0.2.7", 20, 3600)
    assert (found.first, found.last) == (slowly[0].at, slowly[-1].at)


def test_one_account_from_many_networks_is_found_by_its_mark() -> None:
    from_many = [tried(0, account="olga", network=f"203.0.113.{n}") for n in range(6)]
    assert kinds(failures=from_many[:5]) == []
    (found,) = find([], [], from_many, now=NOW)
    assert (found.kind, found.network, found.account, found.address) == ("one_account", "", "olga", "")
    assert found.count == 6


def test_what_is_found_twice_is_one_finding_the_worst() -> None:
    quickly = [tried(n) for n in range(25)]
    assert [each.count for each in find([], [], quickly, now=NOW)] == [25]
    busier = Busy(replace(HERE, last=NOW), 900, 0)
    (found,) = find([Busy(HERE, 700, 0), busier], [], [], now=NOW)
    assert isinstance(found, Finding) and found.count == 900


def test_a_failed_second_factor_of_nobody_known_counts_for_no_account() -> None:
    assert kinds(failures=[replace(tried(n), account="") for n in range(50)]) == []


def test_nobody_is_banned_for_a_crowd() -> None:
    assert {"scan", "spraying"} == patterns.BANNED
