"""The privacy policy on the public host: in force now, on any day, and every version there was."""

from datetime import date
from typing import Any

from django import forms
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.safestring import mark_safe
from django.views.decorators.http import require_safe

from privacy import policy_queries
from privacy.models import PolicyVersion
from tenants import clock


class DayForm(forms.Form):
    """Which day one asks about."""

    day = forms.DateField(label="What was in force on (UTC)", widget=forms.DateInput(attrs={"type": "date"}))


@require_safe
def policy_page(request: HttpRequest) -> HttpResponse:
    """The version in force."""
    version = policy_queries.in_force(now=clock.now())
    if version is None:
        raise Http404
    return _show(request, version)


@require_safe
def versions_page(request: HttpRequest) -> HttpResponse:
    """All versions with their dates and summaries; and a day to choose, which leads to what held on it."""
    now = clock.now()
    form = DayForm(request.GET if "day" in request.GET else None)
    if form.is_valid():
        return HttpResponseRedirect(reverse("privacy_on", args=[form.cleaned_data["day"].isoformat()]))
    context = {
        "versions": list(policy_queries.versions(now=now).defer("text", "facts")),
        "in_force": policy_queries.in_force(now=now),
        "form": form if form.is_bound else DayForm(initial={"day": now.date()}),
    }
    return render(request, "public/privacy_versions.html", context, status=422 if form.is_bound else 200)


@require_safe
def version_page(request: HttpRequest, number: int) -> HttpResponse:
    """One version, whether it holds, held or will."""
    now = clock.now()
    return _show(request, get_object_or_404(policy_queries.versions(now=now), number=number))


@require_safe
def policy_on_page(request: HttpRequest, day: str) -> HttpResponse:
    """The version that held on a day, or will as things stand; says so where there was none."""
    try:
        asked = date.fromisoformat(day)
    except ValueError:
        raise Http404 from None
    if asked.isoformat() != day or asked.year > 9000:
        raise Http404
    now = clock.now()
    version = policy_queries.in_force_on(asked, now=now)
    if version is None:
        first = policy_queries.versions(now=now).last()
        return render(request, "public/privacy_before.html", {"day": asked, "first": first}, status=404)
    return _show(request, version, day=asked)


def _show(request: HttpRequest, version: PolicyVersion, *, day: date | None = None) -> HttpResponse:
    now = clock.now()
    before, after = policy_queries.neighbours(version, now=now)
    in_force = policy_queries.in_force(now=now)
    holds = in_force is not None and in_force.pk == version.pk
    context: dict[str, Any] = {
        "version": version,
        "text": mark_safe(version.text),  # noqa: S308 — rendered by ourselves, never changed since
        "day": day,
        "is_ahead": day is not None and day > now.date(),
        "holds": holds,
        "will_hold": version.effective_at > now,
        "before": before,
        "after": after,
        "coming": policy_queries.coming(now=now) if holds else None,
    }
    return render(request, "public/privacy.html", context)
