"""Pages that a person sees after log-in stay out of every cache."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse


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
