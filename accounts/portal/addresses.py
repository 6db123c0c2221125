"""Where a log-in or a confirmation leads on to."""

from django.http import HttpRequest
from django.utils.http import url_has_allowed_host_and_scheme

from accounts.models import User
from accounts.permissions import may_manage


def asked_for(request: HttpRequest) -> str:
    """The page that the person was on the way to, if it is one of ours."""
    target = request.POST.get("next") or request.GET.get("next") or ""
    own = url_has_allowed_host_and_scheme(target, {request.get_host()}, require_https=request.is_secure())
    return target if own else ""


def home_of(user: User) -> str:
    """Where the person's own pages begin."""
    return "/manage/" if may_manage(user) else "/"
