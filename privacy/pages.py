"""Pages that need no log-in: links in mails, which confirm a request or stop news."""

from contextlib import suppress

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from audit.actors import Actor
from privacy import confirming, consenting, marketing
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


@csrf_exempt  # RFC 8058: mail programs post here without having seen a page; the signed link is the proof
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def unsubscribe_page(request: HttpRequest, token: str) -> HttpResponse:
    """Ask on a look, so that programs that follow links change nothing; stop the mails on a POST."""
    subject = marketing.subject_of(token)
    if subject is None:
        return render(request, "privacy/unsubscribe.html", {"bad": True}, status=404)
    if request.method == "POST":
        ip, agent = origin_of(request)
        actor = Actor(subject.kind, subject.id, "by the link in a mail", ip, agent)
        with suppress(Refused):  # they are gone, and with them their address: nothing is mailed
            consenting.withdraw(subject, how="link in a mail", actor=actor, now=clock.now())
    last = consenting.latest(subject)
    return render(request, "privacy/unsubscribe.html", {"stopped": last is None or not last.given})
