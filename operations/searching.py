"""Searching the log of requests: by the platform's staff, within a span of time, on record."""

from dataclasses import dataclass
from datetime import datetime
from ipaddress import ip_network
from typing import Any, Final, Self
from uuid import UUID

from django.db import OperationalError, connection, transaction
from django.db.models import Q, QuerySet

from audit.actions import Action
from audit.actors import Actor
from audit.recording import record
from operations.models import RequestLog

PAGE: Final = 100
LONGEST: Final = "10s"  # what a search may take of the database


class TooWide(RuntimeError):
    """The search took too long; it names too little, or too much time."""


@dataclass(frozen=True, slots=True)
class Search:
    """What is looked for: all that is given has to hold. Empty is anything."""

    since: datetime
    until: datetime
    tenant: str = ""  # a schema
    host: str = ""
    network: str = ""  # an address or a network
    user: str = ""  # an id
    path: str = ""  # how it begins
    status: int = 0  # 4 for 400 to 499
    event: str = ""

    def as_json(self) -> dict[str, Any]:
        """Return what was asked for, without what was left open."""
        times = {"since": self.since.isoformat(), "until": self.until.isoformat()}
        given = {
            "tenant": self.tenant, "host": self.host, "network": self.network, "user": self.user,
            "path": self.path, "status": self.status, "event": self.event,
        }  # fmt: skip
        return {**times, **{name: value for name, value in given.items() if value}}

    @classmethod
    def from_json(cls, asked: dict[str, Any]) -> Self:
        times = {name: datetime.fromisoformat(asked[name]) for name in ("since", "until")}
        return cls(**{**asked, **times})


@dataclass(frozen=True, slots=True)
class Page:
    """Requests, the newest first, and where the next page begins."""

    rows: list[RequestLog]
    after: str


def note_search(search: Search, *, actor: Actor, now: datetime) -> UUID:
    """Write down who looks for what, before anything is shown. In the shared schema."""
    with transaction.atomic():
        subject = ("request_log", "all")
        return record(Action.REQUESTS_SEARCHED, subject=subject, actor=actor, now=now, **search.as_json())


def page_of(search: Search, *, after: str = "") -> Page:
    """Return the page that begins after the row `after`; raises `TooWide`, or ValueError for no such row."""
    rows = matching(search)
    if after:
        at, _, last = after.partition("_")
        moment = datetime.fromisoformat(at)
        if moment.tzinfo is None:
            raise ValueError(after)
        rows = rows.filter(Q(at__lt=moment) | Q(at=moment, id__lt=UUID(last)), at__lte=moment)
    try:
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute("SELECT set_config('statement_timeout', %s, true)", [LONGEST])
            found = list(rows[: PAGE + 1])
            with connection.cursor() as cursor:
                cursor.execute("SELECT set_config('statement_timeout', '0', true)")
    except OperationalError as error:
        raise TooWide("That took too long. Name a shorter time, an address, a tenant or a user.") from error
    more = len(found) > PAGE
    shown = found[:PAGE]
    return Page(shown, f"{shown[-1].at.isoformat()}_{shown[-1].id}" if more else "")


def matching(search: Search) -> QuerySet[RequestLog]:
    """Return the requests that the search is for, the newest first."""
    rows = RequestLog.objects.filter(at__gte=search.since, at__lt=search.until).order_by("-at", "-id")
    if search.network:
        network = ip_network(search.network, strict=False)
        alone = network.num_addresses == 1
        rows = rows.filter(ip=str(network.network_address)) if alone else rows.filter(ip__within=str(network))
    if search.path:
        rows = rows.filter(path__startswith=search.path)
    if search.status:
        rows = rows.filter(status__gte=search.status * 100, status__lt=search.status * 100 + 100)
    exact = {
        "schema_name": search.tenant, "host": search.host, "user_id": search.user, "event": search.event,
    }  # fmt: skip
    return rows.filter(**{name: value for name, value in exact.items() if value})
