"""Between the password and the second factor: who is on the way in, kept in the session, for ten minutes."""

import hmac
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.db import transaction
from django.http import HttpRequest

from accounts import sessions
from accounts.acting import actor_of
from accounts.enrolling import tell
from accounts.factors import METHODS, SECOND, factors_of
from accounts.models import User
from accounts.session_queries import refused_since
from audit.actions import Action
from audit.recording import record
from tenants import security_log
from tenants.throttling import normalised

HALF = "half_way"
LIFETIME = timedelta(minutes=10)
TOLD_EVERY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class HalfWay:
    """Who has shown a password and is asked for more, and where they were going."""

    user: User
    methods: tuple[str, ...]
    next: str


def arrive(request: HttpRequest, user: User, *, methods: Collection[str], now: datetime) -> None:
    """Log the person in, or, if they have a second factor, have it asked for first."""
    if factors_of(user).enough:
        hold(request, user, methods=methods, now=now)
    else:
        sessions.begin(request, user, methods=methods, now=now)


def hold(request: HttpRequest, user: User, *, methods: Collection[str], now: datetime, to: str = "") -> None:
    """Begin a session that is nobody's yet; what was in the earlier one is gone."""
    if isinstance(request.user, User):
        sessions.finish(request, now=now)
    request.session.flush()
    request.user = AnonymousUser()
    request.session[HALF] = {
        "user": str(user.pk),
        "proof": user.get_session_auth_hash(),
        "methods": sorted(methods),
        "at": now.timestamp(),
        "next": to,
    }


def lead_to(request: HttpRequest, target: str) -> None:
    """Remember where the person on the way in was going."""
    request.session[HALF] = {**request.session[HALF], "next": target}


def is_held(request: HttpRequest) -> bool:
    return HALF in request.session


def person_of(request: HttpRequest, *, now: datetime) -> HalfWay | None:
    """Return who is on the way in; None if nobody is, it took too long, or the password changed meanwhile."""
    kept = request.session.get(HALF)
    if kept is None:
        return None
    age = now - datetime.fromtimestamp(kept["at"], UTC)
    user = User.objects.filter(pk=kept["user"], is_active=True).first()
    if (
        user is None
        or not timedelta(0) <= age < LIFETIME
        or not hmac.compare_digest(kept["proof"], user.get_session_auth_hash())
    ):
        del request.session[HALF]
        return None
    return HalfWay(user, tuple(kept["methods"]), kept["next"])


def complete(request: HttpRequest, half: HalfWay, method: str, *, now: datetime) -> None:
    """Log the person in, now that the second factor is shown."""
    del request.session[HALF]
    sessions.begin(request, half.user, methods={*half.methods, method}, now=now)


def refuse(request: HttpRequest, user: User | None, method: str, *, now: datetime, why: str = "") -> None:
    """Write down that what was shown as a second factor was none.

    Whoever came so far knows the password: the first time in a day, the person is told.
    """
    details: dict[str, Any] = {"method": method} | ({"why": why[:200]} if why else {})
    with transaction.atomic():
        if user is not None and method in SECOND:
            User.objects.select_for_update(of=("self",), no_key=True).get(pk=user.pk)  # of tries at once, one
            if not refused_since(user, now - TOLD_EVERY):
                tell(user, "factor_refused", now=now)
        subject = ("user", user.pk if user else "unknown")
        record(Action.USER_FACTOR_REFUSED, subject=subject, actor=actor_of(request, user), now=now, **details)
    security_log.note(request, "login_failed", tried=normalised(user.email) if user else "", method=method)


def strengthen(request: HttpRequest, method: str) -> None:
    """Note in the session that the person has shown `method` besides; the session gets a new key."""
    request.session.cycle_key()
    methods = sorted({*request.session.get(METHODS, ()), method})
    request.session[METHODS] = methods
    row = sessions.of(request)
    if row is not None:
        row.methods = methods
        row.save(update_fields=["methods"])
