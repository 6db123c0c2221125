"""Who asks: cookies that came twice, this host's session and whose it is, answers that no cache keeps."""

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.contrib.auth import middleware as auth_middleware
from django.contrib.auth.models import AnonymousUser
from django.contrib.sessions import middleware as session_middleware
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.functional import SimpleLazyObject

from accounts import sessions
from accounts.models import User
from tenants import clock


class PrivatePagesMiddleware:
    """Marks answers that depend on who asks, forms too, as not to be stored.

    Stands outside of those that say so by `Vary: Cookie`: sessions and CSRF.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if "Cache-Control" not in response and "Cookie" in response.get("Vary", ""):
            response["Cache-Control"] = "no-store"
        return response


class OneCookieMiddleware:
    """Refuses a request in which one of our cookies comes twice.

    A sibling host could have set the second one; which of the two a browser sends first is not ours to guess.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        names = [part.partition("=")[0].strip() for part in request.META.get("HTTP_COOKIE", "").split(";")]
        twice = [n for n in (settings.SESSION_COOKIE_NAME, settings.CSRF_COOKIE_NAME) if names.count(n) > 1]
        if twice:
            answer = render(request, "accounts/cookie_twice.html", {"cookie": twice[0]}, status=400)
            answer["Cache-Control"] = "no-store"
            return answer
        return self.get_response(request)


class SessionMiddleware(session_middleware.SessionMiddleware):
    """Sessions that are of the request's host and of no other."""

    def process_request(self, request: HttpRequest) -> None:
        super().process_request(request)
        request.session.host = sessions.host_of(request)  # type: ignore[attr-defined]


class AuthenticationMiddleware(auth_middleware.AuthenticationMiddleware):
    """The person of a session that lives, looked up when a page first asks."""

    def process_request(self, request: HttpRequest) -> None:
        request.user = SimpleLazyObject(lambda: _person(request))  # type: ignore[assignment]
        request.auser = _refuse_async


def _person(request: Any) -> User | AnonymousUser:
    if not hasattr(request, "_cached_user"):
        request._cached_user = sessions.person_of(request, now=clock.now())
    person: User | AnonymousUser = request._cached_user
    return person


async def _refuse_async() -> User:
    raise NotImplementedError("Sessions are checked in synchronous pages only: use request.user.")
