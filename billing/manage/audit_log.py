"""The audit log: who did what, when, and whether the record is whole."""

from datetime import date, datetime, timedelta

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST, require_safe

from accounts.pages import staff_page
from billing import trail
from billing.manage.answers import is_narrowed, narrowing, page
from billing.manage.forms.audit import AuditFilter
from billing.paging import Place
from billing.periods import local_midnight
from tenants import clock
from tenants.context import current_tenant


@require_safe
@staff_page
def index(request: HttpRequest) -> HttpResponse:
    form = AuditFilter(request.GET)
    asked = narrowing(form)
    wanted = trail.Wanted(
        action=asked["action"] or "",
        actor=asked["person"] or "",
        subject_kind=asked["kind"] or "",
        subject_id=asked["subject"] or "",
        start=_begin(asked["since"]),
        end=_begin(asked["until"], days=1),
    )
    rows = trail.events(wanted, Place.of(request.GET))
    checked = trail.last_check(now=clock.now())
    narrowed = is_narrowed(form)
    return page(request, "manage/audit/index.html", page=rows, form=form, filtered=narrowed, checked=checked)


@require_POST
@staff_page
def check(request: HttpRequest) -> HttpResponse:
    found = trail.check(now=clock.now())
    if found.problem:
        messages.error(request, f"The record is not whole: {found.problem}. Tell us at once.")
    else:
        messages.success(request, f"All {found.events:,} events are whole and in order.")
    return redirect("manage:audit")


def _begin(day: date | None, *, days: int = 0) -> datetime | None:
    """The instant at which the tenant's day begins."""
    try:
        return local_midnight(day + timedelta(days=days), current_tenant().zone) if day else None
    except (OverflowError, ValueError):
        return None
