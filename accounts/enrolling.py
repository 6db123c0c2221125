"""Setting up second factors and taking them away again, and the backup codes beside them."""

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.db import transaction

from accounts import one_time
from accounts.factors import begun_app, factors_of, is_demanded_of, open_resets_of
from accounts.models import BackupCode, Passkey, Totp, User
from accounts.models.users import normal
from accounts.promised import told_besides
from accounts.validators import ALONE
from audit.actions import Action
from audit.actors import Actor
from audit.recording import record
from tenants.jobs import enqueue

SETTING_UP = timedelta(minutes=15)


class FactorKept(ValueError):
    """The factor stays, for the reason given."""


class WrongPassword(FactorKept):
    """The factor stays, for the password that has to be given was another."""


def is_stale(begun: Totp, *, now: datetime) -> bool:
    """Whether a secret was shown too long ago to be taken into use: whoever finds it open begins anew."""
    return now - begun.created_at > SETTING_UP


def begin_app(user: User, *, actor: Actor, now: datetime) -> Totp:
    """Make a secret for an authenticator app; it counts once a code of it is entered. Locks the user."""
    with transaction.atomic():
        _lock(user)
        Totp.objects.filter(user=user, confirmed_at__isnull=True).delete()
        totp = Totp.objects.create(user=user, secret=one_time.new_secret(), created_at=now)
        record(Action.TOTP_BEGUN, subject=("user", user.pk), actor=actor, now=now)
    return totp


def confirm_app(user: User, code: str, *, at: datetime, actor: Actor, now: datetime) -> bool:
    """Take the app into use if the code is of its secret; it replaces an earlier one. Locks the user.

    `at` is the time that the person's device shows, which a rehearsing tenant's `now` is not.
    """
    with transaction.atomic():
        _lock(user)
        totp = begun_app(user)
        if totp is None or is_stale(totp, now=now):
            return False
        step = one_time.step_of(totp.secret.reveal(), code, at=at, window=settings.TOTP_WINDOW)
        if step is None:
            return False
        Totp.objects.filter(user=user, confirmed_at__isnull=False).delete()
        totp.confirmed_at, totp.last_step = now, step
        totp.save(update_fields=["confirmed_at", "last_step"])
        record(Action.TOTP_ADDED, subject=("user", user.pk), actor=actor, now=now)
        keep_factors(user, actor=actor, now=now)
        tell(user, "app_added", now=now)
    return True


def remove_app(user: User, *, password: str, actor: Actor, now: datetime) -> None:
    """Take the authenticator app away; raises `FactorKept`. Locks the user."""
    with transaction.atomic():
        locked = _lock(user)
        Totp.objects.filter(user=user).delete()
        _may_do_without(locked, password)
        record(Action.TOTP_REMOVED, subject=("user", user.pk), actor=actor, now=now)
        tell(user, "app_removed", now=now)


def remove_passkey(passkey: Passkey, *, password: str, actor: Actor, now: datetime) -> None:
    """Take a passkey away; raises `FactorKept`. Locks the user."""
    with transaction.atomic():
        locked = _lock(passkey.user)
        passkey_id = str(passkey.pk)
        passkey.delete()
        _may_do_without(locked, password)
        record(
            Action.PASSKEY_REMOVED, subject=("user", locked.pk), actor=actor, now=now,
            passkey=passkey_id, personal={"name": passkey.name},
        )  # fmt: skip
        tell(locked, "passkey_removed", now=now)


def make_codes(user: User, *, actor: Actor, now: datetime) -> list[str]:
    """Make ten new backup codes and void the earlier ones; only their hashes are kept. Locks the user."""
    codes = one_time.new_codes()
    rows = [
        BackupCode(
            user=user,
            lookup=code[: one_time.LOOKUP],
            hash=make_password(code[one_time.LOOKUP :]),
            created_at=now,
        )
        for code in codes
    ]
    with transaction.atomic():
        _lock(user)
        if not factors_of(user).enough:
            raise FactorKept("Set up an authenticator app or a passkey first.")
        BackupCode.objects.filter(user=user).delete()
        BackupCode.objects.bulk_create(rows)
        record(Action.BACKUP_CODES_MADE, subject=("user", user.pk), actor=actor, now=now, count=len(rows))
        tell(user, "codes_made", now=now)
    return codes


def keep_factors(user: User, *, actor: Actor, now: datetime) -> None:
    """Stop the reset that was promised to whoever has set up a factor since: it would take that away."""
    if open_resets_of(user).update(cancelled_at=now):
        record(Action.USER_FACTOR_RESET_CANCELLED, subject=("user", user.pk), actor=actor, now=now)


def tell(user: User, kind: str, *, now: datetime) -> None:
    """Have the person mailed what happened to their log-in (see `accounts.notices`), the old address too."""
    about: dict[str, Any] = {"user_id": str(user.pk), "kind": kind, "at": now.isoformat()}
    enqueue("accounts.mail_notice", **about)
    for change_id in told_besides(user, now=now):
        enqueue("accounts.mail_notice", **about, change_id=change_id)


def _lock(user: User) -> User:
    return User.objects.select_for_update(of=("self",), no_key=True).get(pk=user.pk)


def _may_do_without(user: User, password: str) -> None:
    """Refuse what would leave less than is asked for; the change is rolled back with it."""
    if not user.check_password(password):
        raise WrongPassword("That is not your password.")
    if factors_of(user).enough:
        return
    if is_demanded_of(user):
        raise FactorKept("A second factor is asked of you here. Set up another before you remove this one.")
    if len(normal(password)) < ALONE:
        raise FactorKept(
            f"Without a second factor your password must have at least {ALONE} characters. "
            "Change it first; then remove this."
        )
    BackupCode.objects.filter(user=user).delete()
