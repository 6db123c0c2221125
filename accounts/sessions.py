"""Sessions of people: begun once it is known who they are."""

from collections.abc import Collection
from datetime import datetime

from django.contrib import auth
from django.db import transaction
from django.http import HttpRequest

from accounts import confirming
from accounts.acting import actor_of
from accounts.models import User
from audit.actions import Action
from audit.recording import record

BACKEND = "accounts.backends.EmailBackend"
METHODS = "methods"


def begin(request: HttpRequest, user: User, *, methods: Collection[str], now: datetime) -> None:
    """Log the person in: a session with a new key that says by which `methods` they were recognised."""
    with transaction.atomic():
        record(
            Action.USER_LOGGED_IN,
            subject=("user", user.pk),
            actor=actor_of(request, user),
            now=now,
            methods=sorted(methods),
        )
    auth.login(request, user, backend=BACKEND)
    request.session[METHODS] = sorted(methods)
    confirming.confirm(request, now)
