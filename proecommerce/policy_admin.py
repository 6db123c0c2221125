"""The staff's pages for the privacy policy: publish what it says now, and see everybody told of it."""

from datetime import UTC, datetime, time
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from accounts.acting import actor_of
from operations.read_only import ReadOnlyAdmin
from privacy import policy_notices, policy_queries, publishing
from privacy.models import PolicyRound, PolicyVersion
from privacy.publishing import Change, PublishingRefused
from tenants import clock

SHOWN = 200


class PublishForm(forms.Form):
    """What is said of the new version."""

    summary = forms.CharField(
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text="What changes, for people to read: it stands in the list of versions and in the mails.",
    )
    is_substantial = forms.BooleanField(
        required=False,
        label="Substantial",
        help_text="New collecting, sharing or retention. Everybody is told by mail; it holds 30 days later.",
    )
    effective_on = forms.DateField(
        required=False,
        label="In force from",
        widget=forms.DateInput(attrs={"type": "date"}),
        help_text="A day in UTC. Empty: at once, or as early as a substantial change may.",
    )

    def change(self) -> Change:
        """Return what the valid form says."""
        day = self.cleaned_data["effective_on"]
        effective_at = datetime.combine(day, time(), UTC) if day else None
        return Change(self.cleaned_data["summary"], self.cleaned_data["is_substantial"], effective_at)


class GiveUpForm(forms.Form):
    """Why some cannot be told."""

    because = forms.CharField(
        max_length=300, label="Why they cannot be reached", widget=forms.Textarea(attrs={"rows": 2})
    )


@admin.register(PolicyVersion)
class PolicyVersionAdmin(ReadOnlyAdmin):
    list_display = ("number", "last_updated", "effective_at", "is_substantial", "announced_at", "told")
    exclude = ("text", "facts")
    change_list_template = "admin/policy_versions.html"

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The list, with a word where the text has moved on since the newest version."""
        return super().changelist_view(
            request, {"drift": publishing.drift(now=clock.now()), **(extra_context or {})}
        )

    @admin.display(description="Told")
    def told(self, version: PolicyVersion) -> SafeString | str:
        if not version.is_substantial:
            return "–"
        url = reverse("admin:policy_told", args=[version.pk])
        return format_html('<a href="{}">{} %</a>', url, policy_queries.progress(version).percent)

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        return [
            path("publish/", view(publish_page), name="policy_publish"),
            path("<uuid:version_id>/told/", view(told_page), name="policy_told"),
            path("<uuid:version_id>/told/again/", view(retry_page), name="policy_told_again"),
            *super().get_urls(),
        ]


def publish_page(request: HttpRequest) -> HttpResponse:
    """Make a version of what the template and the inventory say now."""
    form = PublishForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            version = publishing.publish(form.change(), actor=actor_of(request), now=clock.now())
        except PublishingRefused as refused:
            form.add_error(None, str(refused))
        else:
            if version.is_substantial:
                return redirect("admin:policy_told", version.pk)
            messages.success(request, f"Version {version.number} is published.")
            return redirect("admin:privacy_policyversion_changelist")
    context = {
        **admin.site.each_context(request),
        "title": "Publish the privacy policy",
        "form": form,
        "drift": publishing.drift(now=clock.now()),
    }
    return render(request, "admin/policy_publish.html", context, status=422 if form.errors else 200)


def told_page(request: HttpRequest, version_id: UUID) -> HttpResponse:
    """How far everybody is told of a version; what failed may be given up, for a reason."""
    version = get_object_or_404(PolicyVersion, pk=version_id, is_substantial=True)
    form = GiveUpForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        because = form.cleaned_data["because"]
        count = policy_notices.give_up(version, because=because, actor=actor_of(request), now=clock.now())
        messages.success(request, f"Noted in {count} workspaces, as soon as a worker comes to it.")
        return redirect("admin:policy_told", version.pk)
    unfinished = PolicyRound.objects.filter(version=version, finished_at__isnull=True).order_by("schema_name")
    context = {
        **admin.site.each_context(request),
        "title": f"Telling everybody of version {version.number}",
        "version": version,
        "told": policy_queries.progress(version),
        "late": version.announced_at is None
        and version not in policy_queries.being_announced(now=clock.now()),
        "rounds": unfinished[:SHOWN],
        "form": form,
    }
    return render(request, "admin/policy_told.html", context, status=422 if form.errors else 200)


def retry_page(request: HttpRequest, version_id: UUID) -> HttpResponse:
    """Try again what failed."""
    version = get_object_or_404(PolicyVersion, pk=version_id, is_substantial=True)
    if request.method == "POST":
        count = policy_notices.retry(version, actor=actor_of(request), now=clock.now())
        messages.success(request, f"What failed in {count} workspaces is tried again.")
    return redirect("admin:policy_told", version.pk)
