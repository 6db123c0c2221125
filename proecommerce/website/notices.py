"""Public notices of incidents: for everybody, without log-in and whatever the mail does."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from privacy.models import Incident


@require_safe
def notices_page(request: HttpRequest) -> HttpResponse:
    """What was published, newest first; exercises in a demo only."""
    notices = Incident.objects.filter(published_at__isnull=False).order_by("-published_at")
    if not settings.DEMO:
        notices = notices.filter(is_drill=False)
    return render(request, "public/notices.html", {"notices": notices})
