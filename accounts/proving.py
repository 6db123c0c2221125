"""Accepting codes: each one once, however many try it at the same time."""

from datetime import datetime

from django.conf import settings
from django.contrib.auth.hashers import check_password, make_password
from django.db import transaction

from accounts import one_time
from accounts.enrolling import tell
from accounts.factors import confirmed_app
from accounts.models import BackupCode, Totp, User
from audit.actions import Action
from audit.actors import Actor
from audit.recording import record


def spend_app_code(user: User, code: str, *, at: datetime) -> bool:
    """Accept a code of the person's app, unless its time step, or a later one, was used before."""
    totp = confirmed_app(user)
    if totp is None:
        return False
    step = one_time.step_of(totp.secret.reveal(), code, at=at, window=settings.TOTP_WINDOW)
    if step is None:
        return False
    # One statement decides: of all that try this step at once, the row changes for the first.
    return Totp.objects.filter(pk=totp.pk, last_step__lt=step).update(last_step=step) == 1


def spend_backup_code(user: User, text: str, *, actor: Actor, now: datetime) -> bool:
    """Accept a backup code once, and tell the person. An unknown one costs the same time."""
    code = one_time.read_code(text)
    found = BackupCode.objects.filter(user=user, lookup=code[: one_time.LOOKUP], used_at__isnull=True).first()
    if not code or found is None:
        make_password(code or text[:64])
        return False
    if not check_password(code[one_time.LOOKUP :], found.hash):
        return False
    with transaction.atomic():
        if BackupCode.objects.filter(pk=found.pk, used_at__isnull=True).update(used_at=now) != 1:
            return False
        record(Action.BACKUP_CODE_USED, subject=("user", user.pk), actor=actor, now=now)
        tell(user, "code_used", now=now)
    return True
