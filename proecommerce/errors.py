"""The pages for what went wrong. They need no tenant, and only the one for refusals a database."""

import logging
import secrets

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views import defaults

from accounts.models import User
from accounts.people import owners
from accounts.permissions import may_manage
from tenants import limits, security_log
from tenants.throttling import TOKENLESS, TooMany

log = logging.getLogger(__name__)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Answer a form that came without its token: usually a page that was open too long.

    It is counted by the network, apart from all else: another site can have somebody's browser send such
    forms, and must not use up what that person may do (`tenants.limits`).
    """
    security_log.note(request, "csrf_refused", reason=reason)
    try:
        limits.spend(request, TOKENLESS)
    except TooMany as refused:
        return limits.too_many(request, refused)
    return render(request, "403.html", {"csrf_failed": True}, status=403)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """400: the request could not be read."""
    return render(request, "400.html", status=400)


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    """403: the person may not see this; those who work here are told which owner to ask."""
    person = getattr(request, "user", None)
    security_log.note(request, "forbidden", user=str(getattr(person, "pk", None) or ""))
    ask = owners() if isinstance(person, User) and may_manage(person) else []
    return render(request, "403.html", {"ask": ask}, status=403)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """404: the same for what is not there and for what is another's."""
    return render(request, "404.html", status=404)


def broken(request: HttpRequest) -> HttpResponse:
    """500, with a reference that stands in the log too."""
    reference = secrets.token_hex(4)
    log.error("reference %s: %s %s failed", reference, request.method, request.path)
    try:
        return render(request, "500.html", {"reference": reference}, status=500)
    except Exception:  # whatever broke may break this page as well
        return defaults.server_error(request)
