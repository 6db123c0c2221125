"""The whole workspace to take along: every table, in one file, for its owner."""

from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from accounts.confirming import confirmed_page
from accounts.pages import page_for
from accounts.permissions import may_take_along
from accounts.portal.copy_pages import answer
from billing.manage.answers import acting, page
from privacy import exporting
from privacy.errors import Refused
from privacy.models import ExportFile


@require_http_methods(["GET", "HEAD", "POST"])
@page_for(may_take_along)
def index(request: HttpRequest) -> HttpResponse:
    """Ask for a complete copy, and see those that were asked for."""
    whole, me = exporting.workspace(), str(request.user.pk)
    if request.method == "POST":
        try:
            exporting.ask(whole, asked_by=me, **acting(request))
            messages.success(request, "The copy is being made. You get a mail when it is ready.")
        except Refused as no:
            messages.error(request, str(no))
        return redirect("manage:copies")
    return page(request, "manage/settings/copy.html", copies=exporting.exports_of(whole, asked_by=me))


@never_cache
@require_safe
@page_for(may_take_along)
def state(request: HttpRequest, copy_id: UUID) -> HttpResponse:
    """How far one is: the fragment that the page above asks for until it is ready."""
    copy = _mine(request, copy_id)
    return render(
        request, "accounts/privacy/copy.html", {"copy": copy, "percent": exporting.progress_of(copy)}
    )


@never_cache
@require_safe
@page_for(may_take_along)
@confirmed_page
def fetch(request: HttpRequest, copy_id: UUID) -> HttpResponse:
    """The file itself."""
    try:
        return answer(_mine(request, copy_id), request)
    except Refused as no:
        messages.error(request, str(no))
        return redirect("manage:copies")


def _mine(request: HttpRequest, copy_id: UUID) -> ExportFile:
    copy = exporting.find(copy_id, asked_by=str(request.user.pk))
    if copy is None or copy.subject_kind != exporting.WORKSPACE:
        raise Http404
    return copy
