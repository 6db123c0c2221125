"""Limits on requests: every route that changes something has one, and those that guess or mail have more.

`spend(request, rule, account=…)` is for pages; a page that lets `TooMany` pass is answered with 429.
"""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from tenants import clock, security_log, throttling
from tenants.origins import is_of_another_site, network_of, origin_of
from tenants.throttling import ANY, MAIL, READ, TOKENLESS, Caller, Rule, Spent, TooMany

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
# Routes without a limit of their own kind, and why.
EXEMPT = {
    "stripe_webhook": "Stripe sends in bursts from few addresses; what it did not sign is limited as FORGED",
}


def spend(request: HttpRequest, rule: Rule, *, account: str = "") -> Spent:
    """Count one attempt of this request's caller; raises `TooMany`."""
    address, _ = origin_of(request)
    caller = Caller(throttling.normalised(account), network_of(address))
    return throttling.spend(rule, caller, now=clock.wall())


def spend_on_mail(request: HttpRequest, rule: Rule, *, to: str) -> None:
    """Count a mail that who is logged in has sent to an address: by `rule` for them, then as MAIL."""
    spend(request, rule, account=str(request.user.pk))
    spend(request, MAIL, account=to)


class LimitMiddleware:
    """Counts every request that may change something, before its page and its form are looked at.

    But for those that another site has a browser send. They count apart, so that the site uses up nothing of
    the person's: here where the page takes them, and else where they are refused next, by their `Origin`,
    before anything of them is read (`proecommerce.errors.csrf_failure`).
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: Any) -> HttpResponse | None:
        if request.method in SAFE:
            return _look(request)
        name = request.resolver_match.view_name if request.resolver_match is not None else ""
        if name in EXEMPT:
            return None
        rule = ANY
        if is_of_another_site(request):
            if not getattr(view, "csrf_exempt", False):
                return None
            rule = TOKENLESS
        person = getattr(request, "user", None)
        account = str(person.pk) if person is not None and person.is_authenticated else ""
        try:
            spend(request, rule, account=account)
        except TooMany as refused:
            return too_many(request, refused)
        return None

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        return too_many(request, error) if isinstance(error, TooMany) else None


def _look(request: HttpRequest) -> HttpResponse | None:
    """Count what somebody logged in looks at; who it is has been looked up by then, but for public files."""
    person = getattr(request, "_cached_user", None)
    if person is None or not person.is_authenticated:
        return None
    try:
        spend(request, READ, account=str(person.pk))
    except TooMany as refused:
        return too_many(request, refused)
    return None


def too_many(request: HttpRequest, refused: TooMany) -> HttpResponse:
    """429, with the time to wait: as a page for people, as a line of text for programs."""
    security_log.note(request, "limit_hit", rule=refused.rule)
    if request.accepts("text/html") and "HX-Request" not in request.headers:
        response = render(request, "429.html", {"wait": _in_words(refused.retry_after)}, status=429)
    else:
        text = f"Too many requests. Try again in {refused.retry_after} seconds.\n"
        response = HttpResponse(text, status=429, content_type="text/plain; charset=utf-8")
    response["Retry-After"] = str(refused.retry_after)
    response["Cache-Control"] = "no-store"
    return response


def _in_words(seconds: int) -> str:
    for size, word in ((3600, "hour"), (60, "minute"), (1, "second")):
        if seconds >= size or size == 1:
            number = -(-seconds // size)
            return f"{number} {word}{'' if number == 1 else 's'}"
    raise AssertionError(seconds)
