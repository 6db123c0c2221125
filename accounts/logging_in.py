"""Logging in and out, on record."""

from datetime import datetime

from django.contrib import auth
from django.db import transaction
from django.http import HttpRequest

from accounts import confirming, halfway, passwords, sessions, visiting
from accounts.acting import actor_of
from accounts.models import User
from audit.actions import Action
from audit.recording import record
from tenants import limits, security_log
from tenants.throttling import PASSWORD, RESET, normalised


class PasswordTooShort(Exception):
    """The password is right, but cannot stand alone since the second factors are gone; a link is mailed."""


def log_in(request: HttpRequest, *, email: str, password: str, now: datetime) -> User | None:
    """Check the credentials; log in, or have the second factor asked for. Leaves an audit event.

    Raises `PasswordTooShort`.
    """
    user = auth.authenticate(request, username=email, password=password)
    with transaction.atomic():
        if not isinstance(user, User):
            known = User.objects.filter(email__iexact=email).first()
            subject = ("user", known.pk if known else "unknown")
            record(Action.USER_LOGIN_FAILED, subject=subject, actor=actor_of(request), now=now)
            return None
    check_length(request, user, password, now=now)
    halfway.arrive(request, user, methods={"password"}, now=now)
    return user


def check_length(request: HttpRequest, user: User, password: str, *, now: datetime) -> None:
    """Refuse a right password that cannot stand alone, and mail a link to set another: `PasswordTooShort`."""
    if passwords.stands(user, password):
        return
    limits.spend(request, RESET, account=user.email)
    passwords.ask_reset(user.email, actor=actor_of(request, user), now=now)
    raise PasswordTooShort


def log_out(request: HttpRequest, *, now: datetime) -> None:
    """End the session, and with it the visit of somebody of the platform."""
    visiting.end(request, now=now)
    sessions.finish(request, now=now)


def confirm_by_password(request: HttpRequest, user: User, password: str, *, now: datetime) -> bool:
    """Check the person's password once more; if it is right, what asks for that is open for a while."""
    tried = limits.spend(request, PASSWORD, account=user.email)
    known = user.check_password(password)
    with transaction.atomic():
        action = Action.USER_CONFIRMED if known else Action.USER_CONFIRM_FAILED
        record(action, subject=("user", user.pk), actor=actor_of(request), now=now, method="password")
    if known:
        tried.give_back()
        confirming.confirm(request, now)
    else:
        security_log.note(request, "login_failed", tried=normalised(user.email))
    return known
