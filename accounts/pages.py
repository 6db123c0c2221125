"""Who gets to see a page: pages of a tenant's staff, and those of its owners only."""

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec

from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import resolve_url
from django.utils import timezone

from accounts.confirming import back_to
from accounts.permissions import Person, may_change_settings, may_manage
from tenants.context import current_tenant, in_public

P = ParamSpec("P")
Page = Callable[Concatenate[HttpRequest, P], HttpResponse]


def own_page(page: Page[P]) -> Page[P]:
    """Let whoever is logged in see what is their own."""
    return _guarded(page, lambda person: person.is_authenticated)


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
            return redirect_to_login(back_to(request), resolve_url("accounts:login"))
        if not may(request.user):
            raise PermissionDenied
        with timezone.override(None if in_public() else current_tenant().zone):
            return page(request, *args, **kwargs)

    return guarded
