"""Around every page: private ones stay out of caches, visits end in time, a closed workspace stays shut."""

from collections.abc import Callable

from django.contrib.auth.middleware import get_user
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.functional import SimpleLazyObject

from accounts import visiting
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


class VisitMiddleware:
    """Lets the platform's staff be the user of a request while their visit stands; reads nothing before."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.user = SimpleLazyObject(lambda: _person(request))  # type: ignore[assignment]
        return self.get_response(request)


class ClosedTenantMiddleware:
    """Answers nothing but that it is closed on the host of a closed tenant, to whomever."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        tenant: Tenant | None = getattr(request, "tenant", None)
        if tenant is not None and tenant.status == Tenant.Status.CLOSED:
            return render(request, "410.html", status=410)
        return self.get_response(request)


def _person(request: HttpRequest) -> User | AnonymousUser:
    """Return the session's user; nobody, once the visit that it was begun for is over."""
    user = get_user(request)
    if not isinstance(user, User) or visiting.KEY not in request.session:
        return user if isinstance(user, User) else AnonymousUser()
    visit = visiting.visit_of(request, user, now=clock.now())
    if visit is None:
        request.session.flush()
        return AnonymousUser()
    user.visit = visit
    return user
