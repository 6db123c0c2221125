"""What of the log abuse is looked for in: counted by the database, by network."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import connection

from operations import patterns
from operations.patterns import Busy, Failure, Groping, Source

FAILURES_AT_MOST: Final = 50_000
_NETWORK: Final = "CASE family(ip) WHEN 6 THEN text(network(set_masklen(ip, 64))) ELSE host(ip) END"
_SOURCE: Final = (
    f"{_NETWORK} AS network, host(mode() WITHIN GROUP (ORDER BY ip)),"
    " array_agg(DISTINCT schema_name ORDER BY schema_name), min(at), max(at)"
)
# What Stripe has signed comes in bursts from few addresses.
BUSY: Final = (
    f"SELECT {_SOURCE}, count(*) FILTER (WHERE path NOT LIKE %(files)s),"
    " count(*) FILTER (WHERE path LIKE %(files)s)"
    " FROM operations_requestlog WHERE at > %(since)s AND at <= %(now)s AND ip IS NOT NULL"
    " AND NOT (path = '/webhooks/stripe/' AND status < 300)"
    " GROUP BY network, date_trunc('minute', at)"
    " HAVING count(*) FILTER (WHERE path NOT LIKE %(files)s) > %(requests)s OR count(*) > %(all)s"
)
GROPING: Final = (
    f"SELECT {_SOURCE}, count(DISTINCT path) FILTER (WHERE status = 404),"
    " count(DISTINCT path) FILTER (WHERE lower(path) LIKE ANY (%(probes)s)),"
    " event = %(cross_site)s AS cross_site"
    " FROM operations_requestlog WHERE at > %(since)s AND at <= %(now)s AND ip IS NOT NULL AND status >= 400"
    " GROUP BY network, cross_site HAVING count(DISTINCT path) FILTER (WHERE status = 404) >= %(not_found)s"
    " OR count(DISTINCT path) FILTER (WHERE lower(path) LIKE ANY (%(probes)s)) >= %(probed)s"
)
FAILURES: Final = (
    f"SELECT {_NETWORK}, host(ip), schema_name, account_mark, at FROM operations_requestlog"
    " WHERE at > %s AND at <= %s AND NOT (event = '') AND event = 'login_failed' AND ip IS NOT NULL"
    " ORDER BY at DESC LIMIT %s"
)


def busy(*, now: datetime) -> list[Busy]:
    """Return the networks that asked for much within a minute, of those of the last ten."""
    limits = {"requests": patterns.REQUESTS_A_MINUTE, "all": patterns.WITH_FILES_A_MINUTE}
    rows = _rows(BUSY, {**_window(now), **limits, "files": patterns.FILES})
    return [Busy(_source(row), row[5], row[6]) for row in rows]


def groping(*, now: datetime) -> list[Groping]:
    """Return the networks that asked for many things that are not there."""
    limits = {"not_found": patterns.NOT_FOUND_PATHS, "probed": patterns.PROBED_PATHS}
    texts = {"probes": list(patterns.PROBES), "cross_site": patterns.CROSS_SITE}
    rows = _rows(GROPING, {**_window(now), **limits, **texts})
    return [Groping(_source(row), row[5], row[6], row[7]) for row in rows]


def failures(*, now: datetime) -> list[Failure]:
    """Return the log-ins that failed within the last hour, the oldest first."""
    since = now - timedelta(seconds=patterns.LOG_INS_LOOK_BACK)
    return [Failure(*row) for row in reversed(_rows(FAILURES, [since, now, FAILURES_AT_MOST]))]


def _window(now: datetime) -> dict[str, Any]:
    return {"since": now - timedelta(seconds=patterns.LOOK_BACK), "now": now}


def _source(row: Sequence[Any]) -> Source:
    return Source(row[0], row[1], tuple(row[2]), row[3], row[4])


def _rows(query: str, params: Any) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(query, params)
        return list(cursor.fetchall())
