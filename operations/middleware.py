"""The outermost middleware: every request that reaches us is noted, whoever answers it. Files are, too."""

import time
from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from django.http import HttpRequest, HttpResponseBase

from accounts.models import Session, User
from operations.patterns import CROSS_SITE
from operations.seen import Seen
from operations.writing import WRITER
from tenants import clock
from tenants.origins import is_of_another_site, origin_of
from tenants.postgresql.base import PUBLIC

NOT_FOUND = 404


class RequestLogMiddleware:
    """Hands the writer what it needs, once the answer is there; costs a page some microseconds."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if not WRITER.is_open:
            return self.get_response(request)
        at, began = clock.wall(), time.perf_counter()
        response = self.get_response(request)
        WRITER.put(_seen(request, response.status_code, at, time.perf_counter() - began))
        return response


def _seen(request: HttpRequest, status: int, at: datetime, seconds: float) -> Seen:  # not money
    known = vars(request)
    address, agent = origin_of(request)
    match = known.get("resolver_match")
    session = known.get("_session_row")
    event, tried = known.get("noted", ("", ""))
    if not event and status == NOT_FOUND and is_of_another_site(request):
        event = CROSS_SITE
    return Seen(
        at=at,
        seconds=seconds,
        schema_name=_schema_of(known),
        host=request.META.get("HTTP_HOST", ""),
        method=request.method or "",
        path=request.path,
        secrets=tuple(match.kwargs.values()) if match is not None else (),
        status=status,
        ip=address,
        user_agent=agent,
        user_id=_user_of(known),
        operator_id=session.operator_id if isinstance(session, Session) else "",
        event=event,
        tried=tried,
    )


def _schema_of(known: dict[str, object]) -> str:
    """The tenant's schema, the platform's own on its hosts, nothing where no tenant has the host."""
    if "tenant" not in known:
        return ""
    return str(getattr(known["tenant"], "schema_name", PUBLIC))


def _user_of(known: dict[str, object]) -> UUID | None:
    """The person, if any page has asked who that is: to look it up here would take a tenant and a query."""
    for person in (known.get("user"), known.get("_cached_user")):
        # A lazy person that nobody has looked at passes for one of its class: the type itself does not.
        if type(person) is User:
            return person.pk if isinstance(person.pk, UUID) else None
    return None
