"""Where somebody of the platform enters as a user of this tenant, and leaves again."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from accounts import visiting
from accounts.acting import origin_of
from accounts.portal.addresses import home_of
from tenants import clock


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def visit_page(request: HttpRequest, token: str) -> HttpResponse:
    """Say as whom and for how long; the button begins it, once."""
    now = clock.now()
    try:
        visit = visiting.open_visit(token, origin=origin_of(request), now=now)
        if request.method == "POST":
            visit = visiting.begin(visit, request, now=now)
            return HttpResponseRedirect(home_of(visit.user))
    except visiting.VisitRefused as refused:
        return render(request, "accounts/link_void.html", {"reason": refused}, status=410)
    return render(request, "accounts/visit.html", {"visit": visit})


@require_POST
def leave_page(request: HttpRequest) -> HttpResponse:
    """End the visit and show the way back to the admin: a form may not lead on to another host by itself."""
    visiting.end(request, now=clock.now())
    return render(request, "accounts/visit_over.html", {"admin_url": f"{settings.SITE_URL}/admin/"})
