"""Where Stripe tells a tenant of events: verified, written down, answered. Everything else is a job's."""

import time
from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from billing import inbox
from billing.stripe_gateway import SignatureRefused
from tenants import clock, limits, security_log
from tenants.context import current_tenant, enter
from tenants.models import Tenant
from tenants.throttling import FORGED, TooMany

PATH = "/webhooks/stripe/"
MAX_BYTES = 1024 * 1024
# A host that moved to another tenant is noticed within this time; until then the other's signature is
# refused, for it is the tenant's secret and the tenant's schema that decide, not the host.
HOLD_SECONDS = 30
HOLD_AT_MOST = 10_000

_held: dict[str, tuple[float, Tenant]] = {}  # not money: seconds


class StripeFirst:
    """Middleware before all others: events come in bursts and need neither session, user nor page."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path_info != PATH or request.method != "POST":
            return self.get_response(request)
        until, tenant = _held.get(request.META.get("HTTP_HOST", ""), (0, None))
        if tenant is None or until < time.monotonic():
            return self.get_response(request)
        request.tenant = tenant  # type: ignore[attr-defined]
        with enter(tenant):
            return _take(request)


@csrf_exempt
def stripe_webhook(request: HttpRequest) -> HttpResponse:
    """200 for what is in the inbox now, 400 for what Stripe did not sign for this tenant."""
    if request.method != "POST":
        return HttpResponse(status=405, headers={"Allow": "POST"})
    answer = _take(request)
    if answer.status_code == 200:
        if len(_held) >= HOLD_AT_MOST:
            _held.clear()
        _held[request.META.get("HTTP_HOST", "")] = (time.monotonic() + HOLD_SECONDS, current_tenant())
    return answer


def _take(request: HttpRequest) -> HttpResponse:
    if settings.SECURE_COOKIES and not request.is_secure():
        # A redirect would heal it in silence, and each event would go over the wire in clear first.
        return HttpResponse("Send events by https.\n", status=403, content_type="text/plain; charset=utf-8")
    if _length(request) > MAX_BYTES:
        return HttpResponse(status=413)
    try:
        inbox.receive(request.body, request.META.get("HTTP_STRIPE_SIGNATURE", ""), now=clock.now())
    except SignatureRefused:
        return _forged(request)
    except (inbox.Closed, ValueError):
        return HttpResponse(status=400)
    return HttpResponse(headers={"Content-Length": "0"})


def _forged(request: HttpRequest) -> HttpResponse:
    """400, and 429 to whoever goes on guessing."""
    security_log.note(request, "forged_signature")
    try:
        limits.spend(request, FORGED)
    except TooMany as refused:
        return limits.too_many(request, refused)
    return HttpResponse(status=400)


def _length(request: HttpRequest) -> int:
    """What the sender says; of a body without a length nothing is read."""
    given = request.META.get("CONTENT_LENGTH") or ""
    return int(given) if given.isascii() and given.isdigit() else 0
