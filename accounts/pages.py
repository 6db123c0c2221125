"""Who gets to see a page of the tenant's own people: each declares a predicate of `accounts.permissions`."""

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec

from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import resolve_url
from django.utils import timezone

from accounts.confirming import READS, back_to, confirmed_change
from accounts.models import User
from accounts.permissions import (
    Person,
    may_bill,
    may_change_own_login,
    may_change_settings,
    may_see_own_login,
    may_see_settings,
)
from tenants.context import current_tenant, in_public

P = ParamSpec("P")
Page = Callable[Concatenate[HttpRequest, P], HttpResponse]
OwnPage = Callable[Concatenate[HttpRequest, User, P], HttpResponse]
Predicate = Callable[[Person], bool]


def page_for(see: Predicate, change: Predicate | None = None) -> Callable[[Page[P]], Page[P]]:
    """Let in whom `see` names, and take forms only from whom `change` names, where it is another.

    Strangers are sent to the log-in and back here. Times on the page are the tenant's own.
    """

    def decorate(page: Page[P]) -> Page[P]:
        @wraps(page)
        def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
            if not request.user.is_authenticated:
                # A form sent after the session ended cannot be repeated by a link: go back to where it stood.
                return redirect_to_login(back_to(request), resolve_url("accounts:login"))
            needed = see if change is None or request.method in READS else change
            if not needed(request.user):
                raise PermissionDenied
            with timezone.override(current_tenant().zone):
                return page(request, *args, **kwargs)

        return declares(guarded, see, change or see)

    return decorate


def own_page(page: OwnPage[P]) -> Page[P]:
    """Give the page the person whose own log-in it is about; nobody may who acts as them."""

    @wraps(page)
    def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        if not isinstance(request.user, User):
            return redirect_to_login(back_to(request), resolve_url("accounts:login"))
        if not may_see_own_login(request.user):
            raise PermissionDenied
        with timezone.override(None if in_public() else current_tenant().zone):
            return page(request, request.user, *args, **kwargs)

    return declares(guarded, may_see_own_login, may_change_own_login)


def staff_page(page: Page[P]) -> Page[P]:
    """For those who bill: owners and billing staff."""
    return page_for(may_bill)(page)


def owner_page(page: Page[P]) -> Page[P]:
    """For owners, who confirm that it is them before they change something here.

    What the platform's staff may look at as an owner, they may not change.
    """
    return plain_owner_page(confirmed_change(page))


def plain_owner_page(page: Page[P]) -> Page[P]:
    """For owners, without asking again: for what moves neither money nor access, like a colour."""
    return page_for(may_see_settings, may_change_settings)(page)


def declares(page: Page[P], see: Any, change: Any) -> Page[P]:
    """Note on the page what it asks for, where a test finds it."""
    page.declared = (see, change)  # type: ignore[attr-defined]
    return page
