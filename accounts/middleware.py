"""Around every page: whose session it is, how proven, what no cache keeps, what is closed."""

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.contrib.auth import middleware as auth_middleware
from django.contrib.auth.models import AnonymousUser
from django.contrib.sessions import middleware as session_middleware
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.functional import SimpleLazyObject

from accounts import halfway, sessions, visiting
from accounts.factors import METHODS, factors_of, is_demanded_of, is_strong
from accounts.models import User
from tenants import clock
from tenants.models import Tenant


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
        now = clock.now()
        request._cached_user = visiting.seen(request, sessions.person_of(request, now=now), now=now)
    person: User | AnonymousUser = request._cached_user
    return person


async def _refuse_async() -> User:
    raise NotImplementedError("Sessions are checked in synchronous pages only: use request.user.")


class SecondFactorMiddleware:
    """Keeps people of whom a second factor is demanded from every page until this session has shown one.

    Who has none yet is led to the page that sets one up; who has one is asked for it.
    """

    # What one needs on the way: setting up, logging out.
    OPEN = ("/account/", "/log-out/")
    LOOKS = "/brand"

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self._led_elsewhere(request) or self.get_response(request)

    def _led_elsewhere(self, request: HttpRequest) -> HttpResponse | None:
        # Who has no session is a stranger: nothing is looked up, the answer stays as cacheable as it was.
        if settings.SESSION_COOKIE_NAME not in request.COOKIES or request.path.startswith(self.LOOKS):
            return None
        user = request.user
        if not isinstance(user, User) or user.visit or is_strong(request) or not is_demanded_of(user):
            return None
        if factors_of(user).enough:
            methods, to = request.session.get(METHODS, ()), ""
            if request.method in {"GET", "HEAD"}:
                to = request.get_full_path()
            halfway.hold(request, user, methods=methods, now=clock.now(), to=to)
            return redirect("accounts:second_factor")
        if request.path.startswith(self.OPEN):
            return None
        return redirect(reverse("accounts:security"))


class ClosedTenantMiddleware:
    """Answers nothing but that it is closed on the host of a closed tenant, to whomever."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        tenant: Tenant | None = getattr(request, "tenant", None)
        if tenant is not None and tenant.status == Tenant.Status.CLOSED:
            return render(request, "410.html", status=410)
        return self.get_response(request)
