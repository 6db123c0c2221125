"""Log-in by e-mail address and password."""

from typing import Any

from django.contrib.auth.backends import BaseBackend
from django.contrib.auth.hashers import check_password, make_password
from django.http import HttpRequest

from accounts.models import User
from accounts.models.users import IMPORTED, spellings
from tenants import limits, security_log
from tenants.throttling import PASSWORD, normalised


class EmailBackend(BaseBackend):
    """Checks an address and a password inside the schema entered; an unknown address costs the same time."""

    def authenticate(self, request: HttpRequest | None, **credentials: Any) -> User | None:
        email = credentials.get("username") or credentials.get("email")
        password = credentials.get("password")
        if not email or not password:
            return None
        # Counted before the password is looked at, so that attempts at once count as well as one by one.
        tried = limits.spend(request, PASSWORD, account=email) if request is not None else None
        user = User.objects.filter(email__iexact=email).first()
        if _is_right(user, password) and user is not None and user.is_active:
            if tried is not None:
                tried.give_back()
            return user
        if request is not None:
            security_log.note(request, "login_failed", tried=normalised(email))
        return None

    def get_user(self, user_id: Any) -> User | None:
        return User.objects.filter(pk=user_id, is_active=True).first()


def _is_right(user: User | None, password: str) -> bool:
    """Check the password with the same work whoever is asked for, so that the time tells nothing.

    That is one hash of our own, and while the schema holds imported ones, one of those besides.
    """
    brought = User.objects.filter(password__startswith=IMPORTED).order_by("pk")
    imported = brought.values_list("password", flat=True).first()
    has_imported = user is not None and user.password.startswith(IMPORTED)
    right = user is not None and user.check_password(password)
    if user is None or (has_imported and not right):
        make_password(password)
    if imported is not None and not has_imported:
        for spelling in spellings(password, imported):
            check_password(spelling, imported)
    return right
