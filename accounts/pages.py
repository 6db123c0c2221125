"""Who gets to see a page: pages of a tenant's staff, and those of its owners only."""

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec

from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import resolve_url
from django.utils import timezone

from accounts.permissions import Person, may_change_settings, may_manage
from tenants.context import current_tenant

P = ParamSpec("P")
Page = Callable[Concatenate[HttpRequest, P], HttpResponse]


def staff_page(page: Page[P]) -> Page[P]:
    """Let owners and staff in; times on the page are the tenant's own."""
    return _guarded(page, may_manage)


def owner_page(page: Page[P]) -> Page[P]:
    """Let owners in; times on the page are the tenant's own."""
    return _guarded(page, may_change_settings)


def _guarded(page: Page[P], may: Callable[[Person], bool]) -> Page[P]:
    """Send strangers to the log-in and back here, refuse people who may not."""

    @wraps(page)
    def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        if not request.user.is_authenticated:
            # A form sent after the session ended cannot be repeated by a link: go back to where it stood.
            target = request.get_full_path() if request.method in {"GET", "HEAD"} else "/manage/"
            return redirect_to_login(target, resolve_url("accounts:login"))
        if not may(request.user):
            raise PermissionDenied
        with timezone.override(current_tenant().zone):
            return page(request, *args, **kwargs)

    return guarded
