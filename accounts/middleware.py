"""Pages that a person sees after log-in stay out of every cache."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse


class PrivatePagesMiddleware:
    """Marks answers to logged-in people, and forms, as not to be stored."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if "Cache-Control" not in response and (request.user.is_authenticated or response.has_header("Vary")):
            response["Cache-Control"] = "no-store"
        return response
