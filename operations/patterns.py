"""What abuse looks like in the log of requests: counts in, findings out. Pure; the figures stand here.

A network is an IPv4 address or an IPv6 /64, behind which a whole office may sit: the figures are far above
what people do. Only findings of `BANNED` kinds are told to fail2ban.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

MINUTE: Final = 60
LOOK_BACK: Final = 600
LOG_INS_LOOK_BACK: Final = 3600

# Bursts: of one network within one minute of the clock, without and with files.
REQUESTS_A_MINUTE: Final = 600
WITH_FILES_A_MINUTE: Final = 3000
# Scans: different paths within LOOK_BACK that are not there, or that only a scanner asks for.
NOT_FOUND_PATHS: Final = 40
PROBED_PATHS: Final = 5
# Spraying: failed log-ins over so many accounts of one network, within so many seconds.
ACCOUNTS_OF_A_NETWORK: Final = ((8, LOOK_BACK), (20, LOG_INS_LOOK_BACK))
# One account, tried from so many networks within LOG_INS_LOOK_BACK.
NETWORKS_AT_AN_ACCOUNT: Final = 6

FILES: Final = "/static/%"
# The event of what is not there and was asked for by another site's page: its visitors are no scanners. But
# that it was is only the caller's word: a kind of its own, by which nobody is banned.
CROSS_SITE: Final = "cross_site"
# What no page of ours has and no person types; as LIKE patterns on the lower-case path.
PROBES: Final = (
    "%.php", "%.php_", "%.asp", "%.aspx", "%.jsp", "%.cgi", "/.env%", "%/.env", "/.git%", "%/.git/%",
    "/.svn%", "/.hg%", "/.aws%", "/.ssh%", "/.ds_store", "/.htaccess", "/.htpasswd", "/.vscode%", "/wp-%",
    "%/wp-admin%", "%/wp-content%", "%/wp-includes%", "/wordpress%", "/phpmyadmin%", "/pma/%", "/cgi-bin%",
    "/vendor/phpunit%", "/actuator%", "/server-status", "/solr/%", "/jenkins%", "/manager/html",
    "/boaform%", "/hnap1%", "/_ignition%", "/telescope%", "/laravel%", "/config.json", "/config.yml",
    "/docker-compose.yml", "%/etc/passwd%", "%.sql", "%.sql.gz", "%.bak", "/backup%.zip", "/owa/%",
    "/autodiscover%", "/xmlrpc%", "/geoserver%", "/nacos%", "/druid/%", "/console/%", "/id_rsa", "/dump%",
)  # fmt: skip

BURST: Final = "burst"
SCAN: Final = "scan"
CROSS_SCAN: Final = "cross_scan"
SPRAYING: Final = "spraying"
ONE_ACCOUNT: Final = "one_account"
# Many people may share the address of a burst: a person decides.
BANNED: Final = frozenset({SCAN, SPRAYING})


@dataclass(frozen=True, slots=True)
class Source:
    """Where it came from: a network, the busiest address of it, the tenants that were asked, and when."""

    network: str
    address: str
    schemas: tuple[str, ...]
    first: datetime
    last: datetime


@dataclass(frozen=True, slots=True)
class Busy:
    """What one network asked for within a minute of the clock."""

    source: Source
    requests: int
    files: int


@dataclass(frozen=True, slots=True)
class Groping:
    """How many different paths one network asked for within LOOK_BACK that are not there, or are probes."""

    source: Source
    not_found: int
    probes: int
    cross_site: bool = False


@dataclass(frozen=True, slots=True)
class Failure:
    """One log-in that failed."""

    network: str
    address: str
    schema: str
    account: str  # a mark, not an address
    at: datetime


@dataclass(frozen=True, slots=True)
class Finding:
    """A pattern that is abuse. `account` is empty but for the kind ONE_ACCOUNT, which has no network."""

    kind: str
    network: str
    account: str
    address: str
    schemas: tuple[str, ...]
    count: int
    seconds: int
    first: datetime
    last: datetime


def find(
    busy: Iterable[Busy], groping: Iterable[Groping], failures: Sequence[Failure], *, now: datetime
) -> list[Finding]:
    """Return all that is found, at most one of a kind for each network or account."""
    found = [*map(_burst, filter(_is_burst, busy)), *map(_scan, filter(_is_scan, groping))]
    found += _spraying(failures, now=now)
    found += _one_account(failures)
    worst: dict[tuple[str, str, str], Finding] = {}
    for each in found:
        key = (each.kind, each.network, each.account)
        if key not in worst or each.count > worst[key].count:
            worst[key] = each
    return list(worst.values())


def _is_burst(each: Busy) -> bool:
    return each.requests > REQUESTS_A_MINUTE or each.requests + each.files > WITH_FILES_A_MINUTE


def _burst(each: Busy) -> Finding:
    return _of(each.source, BURST, each.requests + each.files, MINUTE)


def _is_scan(each: Groping) -> bool:
    return each.not_found >= NOT_FOUND_PATHS or each.probes >= PROBED_PATHS


def _scan(each: Groping) -> Finding:
    kind = CROSS_SCAN if each.cross_site else SCAN
    return _of(each.source, kind, max(each.not_found, each.probes), LOOK_BACK)


def _of(source: Source, kind: str, count: int, seconds: int) -> Finding:
    return Finding(
        kind, source.network, "", source.address, source.schemas, count, seconds, source.first, source.last
    )


def _spraying(failures: Sequence[Failure], *, now: datetime) -> Iterable[Finding]:
    for least, seconds in ACCOUNTS_OF_A_NETWORK:
        since = now - timedelta(seconds=seconds)
        of_network: dict[str, list[Failure]] = defaultdict(list)
        for each in failures:
            if each.account and each.at > since:
                of_network[each.network].append(each)
        for network, tried in of_network.items():
            accounts = {each.account for each in tried}
            if len(accounts) >= least:
                yield _tried(SPRAYING, network, "", tried, len(accounts), seconds)


def _one_account(failures: Sequence[Failure]) -> Iterable[Finding]:
    of_account: dict[str, list[Failure]] = defaultdict(list)
    for each in failures:
        if each.account:
            of_account[each.account].append(each)
    for account, tried in of_account.items():
        networks = {each.network for each in tried}
        if len(networks) >= NETWORKS_AT_AN_ACCOUNT:
            yield _tried(ONE_ACCOUNT, "", account, tried, len(networks), LOG_INS_LOOK_BACK)


def _tried(
    kind: str, network: str, account: str, tried: Sequence[Failure], count: int, seconds: int
) -> Finding:
    times = [each.at for each in tried]
    schemas = tuple(sorted({each.schema for each in tried}))
    address = tried[-1].address if network else ""
    return Finding(kind, network, account, address, schemas, count, seconds, min(times), max(times))
