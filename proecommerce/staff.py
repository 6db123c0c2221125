"""The admin site of the platform's staff, on the public host only; one logs in to it by our own pages."""

from typing import Any

from django.contrib.admin import AdminSite
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, resolve_url
from django.urls import path

from accounts.factors import is_strong
from accounts.portal.addresses import asked_for
from accounts.portal.pages import log_out_page
from proecommerce.alarms import alarms
from tenants import clock

LOG_IN = "accounts:login"


class StaffSite(AdminSite):
    site_header = "ProEcommerce staff"
    site_title = "ProEcommerce"
    index_title = "Platform"

    def has_permission(self, request: HttpRequest) -> bool:
        """Let in the platform's staff whose session has shown a second factor."""
        return super().has_permission(request) and is_strong(request)

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        """What every page of the admin shows, and what must not be missed with it."""
        context = super().each_context(request)
        return {**context, "alarms": alarms(now=clock.now()) if self.has_permission(request) else []}

    def get_urls(self) -> list[Any]:
        """Django's own, and the pages of the desk for people's data."""
        from proecommerce.requests.urls import DESK  # its pages know this site

        desk = [path(route, self.admin_view(page), name=name) for route, page, name in DESK]
        return [*desk, *super().get_urls()]

    def login(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """Lead to the one log-in, and back; whoever may not come in is not asked again and again."""
        if request.user.is_authenticated and not self.has_permission(request):
            raise PermissionDenied
        return redirect_to_login(asked_for(request) or resolve_url("admin:index"), resolve_url(LOG_IN))

    def logout(  # type: ignore[override]
        self, request: HttpRequest, extra_context: Any = None
    ) -> HttpResponse:
        """Log out as everywhere: on record, and by a form only."""
        return log_out_page(request)

    def password_change(  # type: ignore[override]
        self, request: HttpRequest, extra_context: Any = None
    ) -> HttpResponse:
        return redirect("accounts:change_password")
