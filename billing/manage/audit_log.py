"""The audit log: who did what, when, and whether the record is whole."""

from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from accounts.confirming import confirmed_change
from accounts.pages import page_for
from accounts.permissions import may_see_record
from billing import trail, trail_export
from billing.errors import Refused
from billing.manage.answers import acting, is_narrowed, narrowing, page, today
from billing.manage.forms.audit import AuditFilter
from billing.paging import Place
from billing.periods import local_midnight
from tenants import clock, record_checking
from tenants.context import current_tenant
from tenants.jobs import enqueue

PAGES = frozenset({"customer", "product", "subscription", "invoice"})


@require_safe
@page_for(may_see_record)
def index(request: HttpRequest) -> HttpResponse:
    form = AuditFilter(request.GET)
    wanted = _wanted(form)
    rows = trail.events(wanted, Place.of(request.GET))
    checked = record_checking.standing(now=clock.now())
    narrowed = is_narrowed(form)
    context: dict[str, Any] = {"page": rows, "form": form, "filtered": narrowed, "checked": checked}
    return page(request, "manage/audit/index.html", subject_path=_path(wanted), **context)


@require_POST
@page_for(may_see_record)
def check(request: HttpRequest) -> HttpResponse:
    found = record_checking.look(now=clock.now())
    enqueue("accounts.check_record")  # a worker, which may read the signing key, looks at the signatures too
    if found.problem:
        messages.error(request, f"The record is not whole: {found.problem}. Tell us at once.")
    else:
        messages.success(request, f"All {found.events:,} events are whole and in order.")
    return redirect("manage:audit")


@require_POST
@page_for(may_see_record)
@confirmed_change
def export(request: HttpRequest) -> HttpResponse:
    wanted = _wanted(AuditFilter(request.POST))
    try:
        text = trail_export.export(wanted, **acting(request))
    except Refused as refused:
        messages.error(request, str(refused))
        return redirect("manage:audit")
    name = f"audit-{today().isoformat()}.csv"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return HttpResponse(text, content_type="text/csv; charset=utf-8", headers=headers)


def _wanted(form: AuditFilter) -> trail.Wanted:
    asked = narrowing(form)
    return trail.Wanted(
        action=asked["action"] or "",
        actor=asked["person"] or "",
        subject_kind=asked["kind"] or "",
        subject_id=asked["subject"] or "",
        start=_begin(asked["since"]),
        end=_begin(asked["until"], days=1),
    )


def _path(wanted: trail.Wanted) -> str:
    """Where the thing that the log is narrowed to has its page, if it has one."""
    if wanted.subject_kind not in PAGES or not wanted.subject_id:
        return ""
    try:
        return reverse(f"manage:{wanted.subject_kind}", args=[UUID(wanted.subject_id)])
    except ValueError:
        return ""


def _begin(day: date | None, *, days: int = 0) -> datetime | None:
    """The instant at which the tenant's day begins."""
    try:
        return local_midnight(day + timedelta(days=days), current_tenant().zone) if day else None
    except (OverflowError, ValueError):
        return None
