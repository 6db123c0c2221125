"""Who sees the pages about one's own log-in: whoever is logged in, their own."""

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec

from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import resolve_url
from django.utils import timezone

from accounts.models import User
from tenants.context import current_tenant, in_public

P = ParamSpec("P")
Page = Callable[Concatenate[HttpRequest, User, P], HttpResponse]
Guarded = Callable[Concatenate[HttpRequest, P], HttpResponse]


def own_page(page: Page[P]) -> Guarded[P]:
    """Give the page the person whose own it is; send strangers to the log-in and back."""

    @wraps(page)
    def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        if not isinstance(request.user, User):
            security = resolve_url("accounts:security")
            target = request.get_full_path() if request.method in {"GET", "HEAD"} else security
            return redirect_to_login(target, resolve_url("accounts:login"))
        with timezone.override("UTC" if in_public() else current_tenant().zone):
            return page(request, request.user, *args, **kwargs)

    return guarded
