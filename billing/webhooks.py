"""Where Stripe tells a tenant of events: verified, written down, answered. Everything else is a job's."""

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from billing import inbox
from billing.stripe_gateway import SignatureRefused
from tenants import clock

MAX_BYTES = 1024 * 1024


@csrf_exempt
def stripe_webhook(request: HttpRequest) -> HttpResponse:
    """200 for what is in the inbox now, 400 for what Stripe did not sign for this tenant."""
    if request.method != "POST":
        return HttpResponse(status=405, headers={"Allow": "POST"})
    if _length(request) > MAX_BYTES:
        return HttpResponse(status=413)
    payload = request.read(MAX_BYTES + 1)
    if len(payload) > MAX_BYTES:
        return HttpResponse(status=413)
    try:
        inbox.receive(payload, request.META.get("HTTP_STRIPE_SIGNATURE", ""), now=clock.now())
    except (SignatureRefused, inbox.Closed, ValueError):
        return HttpResponse(status=400)
    return HttpResponse(status=200)


def _length(request: HttpRequest) -> int:
    """What the sender says; a body without a length is none that Stripe sends."""
    given = request.META.get("CONTENT_LENGTH") or ""
    return int(given) if given.isascii() and given.isdigit() else 0
