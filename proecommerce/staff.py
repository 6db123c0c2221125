"""The admin site of the platform's staff, on the public host only; one logs in to it by our own pages."""

from typing import Any

from django.contrib.admin import AdminSite
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, resolve_url
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme

from accounts.factors import is_strong
from accounts.logging_in import log_out
from tenants import clock


class StaffSite(AdminSite):
    site_header = "ProEcommerce staff"
    site_title = "ProEcommerce"
    index_title = "Platform"

    def has_permission(self, request: HttpRequest) -> bool:
        """Let in the platform's staff whose session has shown a second factor."""
        return super().has_permission(request) and is_strong(request)

    def login(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """Lead to the log-in page that everyone has, and back."""
        target = request.GET.get("next", "")
        if not url_has_allowed_host_and_scheme(
            target, {request.get_host()}, require_https=request.is_secure()
        ):
            target = reverse("admin:index")
        if self.has_permission(request):
            return HttpResponseRedirect(target)
        return redirect_to_login(target, resolve_url("accounts:login"))

    def logout(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:  # type: ignore[override]
        if request.method == "POST":
            log_out(request, now=clock.now())
        return redirect("accounts:login")

    def password_change(  # type: ignore[override]
        self, request: HttpRequest, extra_context: Any = None
    ) -> HttpResponse:
        return redirect("accounts:change_password")
