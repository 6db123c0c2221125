"""The staff's admin: tenants, hosts, jobs, platform users and the platform's audit log.

It lives in the wiring package because it shows several apps' shared tables to the platform's staff; tenants'
own data are not in it.
"""

import json
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.views.main import ChangeList
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path

from accounts.acting import actor_of
from accounts.models import User
from audit.models import AuditEvent
from audit.reading import Opened, opened
from operations.read_only import ReadOnlyAdmin
from privacy.models import Incident
from proecommerce import contact_admin, incident_pages, policy_admin  # noqa: F401 - two register
from proecommerce.entering import choose_page, enter_page
from proecommerce.requests import admin as requests_admin
from tenants import clock, record_checking
from tenants.models import Host, Job, Tenant
from tenants.record_checking import Checked
from tenants.requeueing import retry_parked


class HostInline(admin.TabularInline):  # type: ignore[type-arg]
    model = Host
    extra = 0
    can_delete = False
    fields = ("hostname", "is_primary", "created_at")
    readonly_fields = fields

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Tenant)
class TenantAdmin(ReadOnlyAdmin):
    list_display = (
        "name",
        "slug",
        "status",
        "country",
        "currency",
        "is_rehearsal",
        "next_run_at",
        "created_at",
    )
    list_filter = ("status", "is_rehearsal", "country")
    search_fields = ("name", "slug")
    inlines = (HostInline,)
    actions = ("enter_as",)

    @admin.action(description="Enter as one of its users…")
    def enter_as(self, request: HttpRequest, queryset: QuerySet[Tenant]) -> HttpResponse | None:
        return choose_page(request, list(queryset[:2]))

    def get_urls(self) -> list[URLPattern]:
        enter = self.admin_site.admin_view(enter_page)
        return [path("<uuid:tenant_id>/enter/", enter, name="enter_tenant"), *super().get_urls()]


@admin.register(Job)
class JobAdmin(ReadOnlyAdmin):
    list_display = ("name", "schema_name", "state", "attempts", "run_at", "created_at", "done_at")
    list_filter = ("state", "name")
    search_fields = ("schema_name", "name")
    actions = ("try_again",)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.is_staff)

    @admin.action(description="Try the parked ones again")
    def try_again(self, request: HttpRequest, queryset: QuerySet[Job]) -> None:
        actor, now = actor_of(request), clock.now()
        done = sum(retry_parked(job, actor=actor, now=now) for job in queryset)
        messages.success(request, f"{done} parked jobs wait for a worker again.")


@admin.register(User)
class PlatformUserAdmin(ReadOnlyAdmin):
    list_display = ("email", "name", "is_active", "last_login")
    search_fields = ("email", "name")
    exclude = ("password",)


@admin.register(AuditEvent)
class AuditEventAdmin(ReadOnlyAdmin):
    """The platform's own chain. What is sealed is opened by `audit.reading`, a page at a time."""

    list_display = ("seq", "at", "action", "by", "subject_kind", "subject_id", "from_where")
    list_filter = ("action",)
    search_fields = ("actor_id", "subject_id")
    fields = (
        "seq", "at", "action", "by", "behind", "from_where", "agent", "subject_kind", "subject_id",
        "all_details",
    )  # fmt: skip
    readonly_fields = fields
    list_per_page = 50

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show over the list how the platform's own chain stands."""
        mark = _mark(record_checking.standing(now=clock.now()))
        return super().changelist_view(request, {**(extra_context or {}), "subtitle": mark})

    def get_changelist_instance(self, request: HttpRequest) -> ChangeList:
        found = super().get_changelist_instance(request)
        rows = list(found.result_list)
        for row, each in zip(rows, opened(rows), strict=True):
            row._opened = each
        found.result_list = rows
        return found

    @admin.display(description="by")
    def by(self, event: AuditEvent) -> str:
        return _open(event).label or event.actor_kind

    @admin.display(description="behind")
    def behind(self, event: AuditEvent) -> str:
        return _open(event).behind

    @admin.display(description="from")
    def from_where(self, event: AuditEvent) -> str:
        return _open(event).ip

    @admin.display(description="with")
    def agent(self, event: AuditEvent) -> str:
        return _open(event).user_agent

    @admin.display(description="details")
    def all_details(self, event: AuditEvent) -> str:
        return json.dumps(_open(event).details, indent=1, ensure_ascii=False)


def _mark(checked: Checked | None) -> str:
    if checked is None:
        return "Not checked yet."
    if checked.problem:
        return f"NOT WHOLE: the check of {checked.at:%Y-%m-%d %H:%M} UTC found that {checked.problem}."
    return f"Verified up to event {checked.events} at {checked.at:%Y-%m-%d %H:%M} UTC."


def _open(event: AuditEvent) -> Opened:
    kept = getattr(event, "_opened", None)
    return kept if isinstance(kept, Opened) else opened([event])[0]


@admin.register(Incident)
class IncidentAdmin(ReadOnlyAdmin):
    """The register of incidents; each is worked off on a page of its own."""

    list_display = ("title", "is_drill", "found_at", "declared_at", "published_at", "closed_at")
    list_filter = ("is_drill",)

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        return [
            path("declare/", view(incident_pages.declare_page), name="declare_incident"),
            path("<uuid:incident_id>/record/", view(incident_pages.record_page), name="incident_record"),
            path("<uuid:incident_id>/change/", view(incident_pages.incident_page), name="incident"),
            *super().get_urls(),
        ]


requests_admin.register()
