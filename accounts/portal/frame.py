"""The pages about a person's own log-in, inside the frame of whatever pages the person otherwise sees."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from accounts.permissions import may_manage
from tenants.context import in_public


def show(request: HttpRequest, template: str, *, status: int = 200, **context: Any) -> HttpResponse:
    """Render a template that extends `accounts/account.html`."""
    if in_public():
        base = "accounts/platform.html"
    else:
        base = "manage/base.html" if may_manage(request.user) else "portal/base.html"
    return render(request, template, {"base_template": base, **context}, status=status)
