"""Forgotten and changed passwords."""

from datetime import datetime
from uuid import UUID

from django.contrib.auth.tokens import PasswordResetTokenGenerator
from django.db import transaction

from accounts import sessions
from accounts.enrolling import tell
from accounts.models import User
from accounts.models.users import normal
from accounts.validators import least_length
from audit.actions import Action
from audit.actors import Actor
from audit.recording import record
from tenants.context import current_schema
from tenants.ids import new_id
from tenants.jobs import enqueue


class ResetTokens(PasswordResetTokenGenerator):
    """Single-use tokens of one tenant: a new password, log-in or address makes them void."""

    key_salt = "accounts.password_reset"

    def _make_hash_value(self, user: User, timestamp: int) -> str:
        return f"{current_schema()}:{user.link_generation}:{super()._make_hash_value(user, timestamp)}"


tokens = ResetTokens()


def ask_reset(email: str, *, actor: Actor, now: datetime) -> None:
    """Have a reset link mailed if the address is known; tells nobody whether it is.

    For an unknown one the same is written, and a job that finds nobody to mail to: it takes as long.
    """
    user = User.objects.filter(email__iexact=email.strip(), is_active=True).first()
    with transaction.atomic():
        subject = ("user", user.id if user else "unknown")
        record(Action.USER_PASSWORD_RESET_ASKED, subject=subject, actor=actor, now=now)
        enqueue("accounts.mail_reset", user_id=str(user.id if user else new_id()))


def user_of_reset(user_id: UUID, token: str) -> User | None:
    """Return the user whose reset link this is, or None if it is void."""
    user = User.objects.filter(pk=user_id, is_active=True).first()
    return user if user is not None and tokens.check_token(user, token) else None


def stands(user: User, password: str) -> bool:
    """Tell whether the user's right password may log in: after a reset or an import, once it is long enough.

    How long a password is can be known only when it is entered. If it is too short to stand alone, whoever
    entered it gets no session: a link to set another goes to the person's address.
    """
    if not user.password_may_be_short:
        return True
    if len(normal(password)) < least_length(user):
        return False
    User.objects.filter(pk=user.pk).update(password_may_be_short=False)
    return True


def set_password(user: User, password: str, *, actor: Actor, now: datetime, keep: str | None = None) -> None:
    """Set a validated password; they are told.

    The user's sessions end, but for the one of the key `keep`, and links that were mailed before are void.
    """
    with transaction.atomic():
        locked = User.objects.select_for_update(of=("self",), no_key=True).get(pk=user.pk)
        locked.set_password(password)
        locked.password_may_be_short = False  # it was validated
        locked.save(update_fields=["password", "password_may_be_short"])
        sessions.end_others(user, keep=keep, actor=actor, now=now)
        sessions.void_links(user)
        record(Action.USER_PASSWORD_CHANGED, subject=("user", user.id), actor=actor, now=now)
        tell(user, "password_changed", now=now)
    user.password = locked.password
