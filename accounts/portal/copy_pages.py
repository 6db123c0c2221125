"""Taking one's data along: asked for here, made meanwhile, fetched after saying once more who one is."""

from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.utils.http import content_disposition_header
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from accounts.acting import actor_of
from accounts.confirming import confirmed_page
from accounts.models import User
from accounts.pages import own_page
from accounts.portal.frame import show
from accounts.privacy_scope import scope_at, scope_of, scopes_of
from privacy import exporting
from privacy.errors import Refused
from privacy.models import ExportFile
from tenants import clock


@require_http_methods(["GET", "HEAD", "POST"])
@own_page
def copies_page(request: HttpRequest, user: User) -> HttpResponse:
    """Ask for a copy, and see those that were asked for."""
    if request.method == "POST":
        scope = scope_of(user, request.POST.get("whose", ""))
        if scope is None:
            raise Http404
        try:
            exporting.ask(scope.subject, asked_by=str(user.pk), actor=actor_of(request), now=clock.now())
            messages.success(request, "Your copy is being made. You get a mail when it is ready.")
        except Refused as no:
            messages.error(request, str(no))
        return redirect("accounts:privacy_copies")
    mine = [(scope, exporting.exports_of(scope.subject, asked_by=str(user.pk))) for scope in scopes_of(user)]
    return show(request, "accounts/privacy/copies.html", copies=mine)


@never_cache
@require_safe
@own_page
def copy_state_page(request: HttpRequest, user: User, export_id: UUID) -> HttpResponse:
    """How far one is: the fragment that the page above asks for until it is ready."""
    copy = _mine(user, export_id)
    return render(
        request, "accounts/privacy/copy.html", {"copy": copy, "percent": exporting.progress_of(copy)}
    )


@never_cache
@require_safe
@own_page
@confirmed_page
def fetch_copy_page(request: HttpRequest, user: User, export_id: UUID) -> HttpResponse:
    """The file itself, as long as the person still decides about whose it is."""
    copy = _mine(user, export_id)
    try:
        return answer(copy, request)
    except Refused as no:
        messages.error(request, str(no))
        return redirect("accounts:privacy_copies")


def answer(copy: ExportFile, request: HttpRequest) -> HttpResponse:
    """The file as an answer that is sent while it is read. Raises `Refused`."""
    pieces = exporting.fetch(copy, actor=actor_of(request), now=clock.now())
    name = content_disposition_header(as_attachment=True, filename=exporting.file_name(copy))
    response: HttpResponseBase = StreamingHttpResponse(
        pieces, content_type="application/zip", headers={"Content-Disposition": name or ""}
    )
    return response  # type: ignore[return-value]  # pages answer with either kind


def _mine(user: User, export_id: UUID) -> ExportFile:
    copy = exporting.find(export_id, asked_by=str(user.pk))
    if copy is None or scope_at(user, copy.subject_kind, UUID(copy.subject_id)) is None:
        raise Http404
    return copy
