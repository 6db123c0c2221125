"""For people whose device is gone: second factors are taken away, by an owner at once, or after a wait."""

from datetime import datetime, timedelta
from uuid import UUID

from django.core import signing
from django.db import transaction

from accounts import sessions
from accounts.enrolling import tell
from accounts.factors import open_resets_of
from accounts.models import BackupCode, FactorReset, Passkey, Totp, User
from audit.actions import Action
from audit.actors import Actor
from audit.recording import record
from tenants.context import current_schema, enter, enter_public
from tenants.jobs import enqueue
from tenants.models import Tenant

WAIT = timedelta(hours=72)
SALT = "accounts.factor_reset"


class ResetRefused(ValueError):
    """This person's factors are not reset, for the reason given."""


def reset_factors(user: User, *, actor: Actor, now: datetime) -> None:
    """Take the authenticator app, passkeys and backup codes away, and tell the person. Locks the user.

    Every session ends and mailed links are void: the device may be in other hands. The password stays and is
    needed to log in, if it is long enough to stand alone (`passwords.stands`); where a second factor is
    demanded, a new one is set up then. What was promised in `ask_reset` is done with this.
    """
    if actor.kind == "user" and actor.id == str(user.pk):
        raise ResetRefused("Nobody resets their own second factors: remove them on your own page.")
    with transaction.atomic():
        locked = User.objects.select_for_update(of=("self",), no_key=True).get(pk=user.pk)
        locked.password_may_be_short = True
        locked.save(update_fields=["password_may_be_short"])
        apps, _ = Totp.objects.filter(user=user).delete()
        passkeys, _ = Passkey.objects.filter(user=user).delete()
        codes, _ = BackupCode.objects.filter(user=user).delete()
        open_resets_of(user).update(done_at=now)
        sessions.end_others(user, keep=None, actor=actor, now=now)
        sessions.void_links(user)
        record(
            Action.USER_FACTORS_RESET, subject=("user", user.pk), actor=actor, now=now,
            apps=apps, passkeys=passkeys, backup_codes=codes,
        )  # fmt: skip
        tell(user, "factors_reset", now=now)


def ask_reset(user: User, *, reason: str, actor: Actor, now: datetime) -> FactorReset:
    """Promise a reset in 72 hours and tell the person, who may stop it. Raises `ResetRefused`."""
    with transaction.atomic():
        User.objects.select_for_update(of=("self",), no_key=True).get(pk=user.pk)
        if open_reset_of(user) is not None:
            raise ResetRefused("A reset is under way for this person already.")
        reset = FactorReset.objects.create(user=user, reason=reason, asked_at=now, due_at=now + WAIT)
        record(
            Action.USER_FACTOR_RESET_ASKED, subject=("user", user.pk), actor=actor, now=now,
            due=reset.due_at.isoformat(), personal={"reason": reason},
        )  # fmt: skip
        enqueue("accounts.mail_reset_asked", reset_id=str(reset.pk))
        enqueue("accounts.carry_out_reset", reset_id=str(reset.pk), run_at=reset.due_at)
    return reset


def help_somebody(tenant: Tenant, email: str, *, reason: str, actor: Actor, now: datetime) -> FactorReset:
    """Promise a reset to somebody of a tenant, as the platform's staff; the platform's record has it too.

    Raises `ResetRefused`.
    """
    with enter_public(), transaction.atomic():
        with enter(tenant):
            user = User.objects.filter(email__iexact=email, is_active=True).first()
            if user is None:
                raise ResetRefused("Nobody of this tenant logs in with that address.")
            reset = ask_reset(user, reason=reason, actor=actor, now=now)
        record(
            Action.USER_FACTOR_RESET_ASKED, subject=("tenant", tenant.pk), actor=actor, now=now,
            user=str(reset.user_id), reset=str(reset.pk), reason=reason, due=reset.due_at.isoformat(),
        )  # fmt: skip
    return reset


def reset_at_once(tenant: Tenant, email: str, *, actor: Actor, now: datetime) -> None:
    """Take somebody's second factors away from the server; the platform's record has it as well.

    Raises `ResetRefused`.
    """
    with enter_public(), transaction.atomic():
        with enter(tenant):
            user = User.objects.filter(email__iexact=email).first()
            if user is None:
                raise ResetRefused("Nobody of this tenant logs in with that address.")
            reset_factors(user, actor=actor, now=now)
        record(
            Action.USER_FACTORS_RESET, subject=("tenant", tenant.pk), actor=actor, now=now, user=str(user.pk)
        )


def cancel_reset(reset: FactorReset, *, actor: Actor, now: datetime) -> bool:
    """Stop a reset that has not happened yet; tells whether it was in time. Locks the reset."""
    with transaction.atomic():
        locked = FactorReset.objects.select_for_update(of=("self",), no_key=True).get(pk=reset.pk)
        if locked.done_at is not None:
            return False
        if locked.cancelled_at is None:
            locked.cancelled_at = now
            locked.save(update_fields=["cancelled_at"])
            record(Action.USER_FACTOR_RESET_CANCELLED, subject=("user", locked.user_id), actor=actor, now=now)
    return True


def carry_out_reset(reset_id: UUID, *, actor: Actor, now: datetime) -> None:
    """Do what was promised, if nobody stopped it and the time has come. Locks the user, then the reset."""
    with transaction.atomic():
        people = User.objects.select_for_update(of=("self",), no_key=True)
        people.get(pk=FactorReset.objects.values_list("user_id").get(pk=reset_id)[0])
        reset = FactorReset.objects.select_for_update(of=("self",), no_key=True).get(pk=reset_id)
        if reset.cancelled_at is not None or reset.done_at is not None or reset.due_at > now:
            return
        reset_factors(reset.user, actor=actor, now=now)


def open_reset_of(user: User) -> FactorReset | None:
    """Return the reset that this person may still stop."""
    return open_resets_of(user).first()


def token_of(reset: FactorReset) -> str:
    """Return the token that stops this reset, for this tenant only."""
    return signing.Signer(salt=SALT).sign_object([current_schema(), reset.pk.hex])


def reset_of_token(token: str) -> FactorReset | None:
    """Return the reset behind the token of a mail, whatever became of it; None if the token is not ours."""
    try:
        schema, reference = signing.Signer(salt=SALT).unsign_object(token)
        reset_id = UUID(hex=reference)
    except (signing.BadSignature, ValueError, TypeError, AttributeError):
        return None
    return FactorReset.objects.filter(pk=reset_id).first() if schema == current_schema() else None
