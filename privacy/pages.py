"""Pages that need no log-in: the link by which a person confirms a request."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from audit.actors import Actor
from privacy import confirming
from privacy.errors import Refused
from tenants import clock
from tenants.origins import origin_of


@require_http_methods(["GET", "HEAD", "POST"])
def confirm_page(request: HttpRequest, token: str) -> HttpResponse:
    """Show what was asked for, and take its confirmation: by a form, since mail programs open links."""
    now = clock.now()
    try:
        if request.method == "POST":
            ip, agent = origin_of(request)
            actor = Actor("visitor", "", "who has the mailed link", ip, agent)
            confirmed = confirming.confirm(token, actor=actor, now=now)
            return render(request, "privacy/confirmed.html", {"asked": confirmed})
        asked = confirming.open_request(token, now=now)
    except Refused as refused:
        return render(request, "privacy/link_void.html", {"reason": str(refused)}, status=410)
    return render(request, "privacy/confirm.html", {"asked": asked})
