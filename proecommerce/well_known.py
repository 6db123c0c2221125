"""Addresses for machines, on every host: whom to tell of a hole, and which names may have a certificate."""

from datetime import timedelta

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.cache import patch_cache_control
from django.views.decorators.http import require_safe

from tenants import clock
from tenants.directory import tenant_of_host
from tenants.origins import is_loopback

SECURITY_TXT_DAYS = 180


@require_safe
def security_txt(request: HttpRequest) -> HttpResponse:
    """RFC 9116; renewed each day, so it never runs out."""
    today = clock.wall().replace(hour=0, minute=0, second=0, microsecond=0)
    expires = (today + timedelta(days=SECURITY_TXT_DAYS)).isoformat().replace("+00:00", "Z")
    lines = (
        f"Contact: mailto:{settings.DEFAULT_FROM_EMAIL}",
        f"Expires: {expires}",
        "Preferred-Languages: en",
        f"Canonical: {request.build_absolute_uri()}",
    )
    response = HttpResponse("\n".join(lines) + "\n", content_type="text/plain; charset=utf-8")
    patch_cache_control(response, public=True, max_age=86400)
    return response


@require_safe
def certificate(request: HttpRequest) -> HttpResponse:
    """Say whether a certificate may be had for `domain`: 200 for hosts that lead to a tenant, else 404.

    For the proxy on its own machine only: from anywhere else there is nothing here.
    """
    if not is_loopback(request) or tenant_of_host(request.GET.get("domain", "")) is None:
        raise Http404
    return HttpResponse("yes", content_type="text/plain; charset=utf-8")
