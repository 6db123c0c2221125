"""Asking again who it is, before what an open screen or a stolen session must not be able to do."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import wraps
from typing import Concatenate, ParamSpec
from urllib.parse import urlencode, urlsplit

from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import resolve_url
from django.utils.http import url_has_allowed_host_and_scheme

from tenants import clock

VALID_FOR = timedelta(minutes=15)
CONFIRMED_AT = "confirmed_at"
READS = frozenset({"GET", "HEAD", "OPTIONS"})

P = ParamSpec("P")
Page = Callable[Concatenate[HttpRequest, P], HttpResponse]


def confirm(request: HttpRequest, now: datetime) -> None:
    """Note that the person proved just now, by password or better, that it is them."""
    request.session[CONFIRMED_AT] = now.timestamp()


def forget(request: HttpRequest) -> None:
    """Ask again with the next page that wants to know."""
    request.session.pop(CONFIRMED_AT, None)


def is_confirmed(request: HttpRequest, now: datetime) -> bool:
    """Tell whether the person of this session proved within the last 15 minutes that it is them."""
    at = request.session.get(CONFIRMED_AT)
    if not request.user.is_authenticated or not isinstance(at, int | float):
        return False
    return timedelta(0) <= now - datetime.fromtimestamp(at, UTC) < VALID_FOR


def confirmed_page(page: Page[P]) -> Page[P]:
    """Show the page, and take what it sends, only from somebody who has just confirmed that it is them."""

    @wraps(page)
    def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        return ask_first(request) or page(request, *args, **kwargs)

    return marked(guarded)


def confirmed_change(page: Page[P]) -> Page[P]:
    """Show the page to whoever may see it; take what it sends only from somebody who has just confirmed."""

    @wraps(page)
    def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        asking = None if request.method in READS else ask_first(request)
        return asking or page(request, *args, **kwargs)

    return marked(guarded)


def marked(page: Page[P]) -> Page[P]:
    """Note on the page that it asks, where a test finds it."""
    page.confirms = True  # type: ignore[attr-defined]
    return page


def ask_first(request: HttpRequest) -> HttpResponse | None:
    """Return the way to the question, and back from there; None where it was answered just now."""
    if not request.user.is_authenticated:
        return redirect_to_login(back_to(request), resolve_url("accounts:login"))
    if is_confirmed(request, clock.now()):
        return None
    asked = {"next": back_to(request)} | ({} if request.method in READS else {"lost": "1"})
    return HttpResponseRedirect(f"{resolve_url('accounts:confirm')}?{urlencode(asked)}")


def back_to(request: HttpRequest) -> str:
    """Return where a link may lead back to: this page, or for a form that was sent, the page it stood on."""
    if request.method in READS:
        return request.get_full_path()
    stood = request.META.get("HTTP_REFERER", "")
    if stood and url_has_allowed_host_and_scheme(
        stood, {request.get_host()}, require_https=request.is_secure()
    ):
        parts = urlsplit(stood)
        return f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
    return "/manage/" if request.path.startswith("/manage/") else "/"
