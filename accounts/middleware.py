"""What holds for every page: private ones stay out of caches, demanded second factors are there."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from accounts import halfway
from accounts.factors import METHODS, factors_of, is_demanded_of, is_strong
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


class SecondFactorMiddleware:
    """Keeps people of whom a second factor is demanded from every page until this session has shown one.

    Who has none yet is led to the page that sets one up; who has one is asked for it.
    """

    # What one needs on the way: setting up, logging out.
    OPEN = ("/account/security/", "/account/confirm/", "/log-out/")
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
        if not isinstance(user, User) or is_strong(request) or not is_demanded_of(user):
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
