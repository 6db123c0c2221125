"""Another address to log in with: proved by a link mailed there, undone for a week by one at the old one."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.contrib.auth.hashers import make_password
from django.core import signing
from django.db import IntegrityError, transaction
from django.db.models import F, Q, QuerySet

from accounts import sessions
from accounts.models import BackupCode, EmailChange, Passkey, Session, Totp, User
from accounts.promised import is_promised
from audit.actions import Action
from audit.actors import Actor
from audit.recording import record
from tenants.context import current_schema
from tenants.jobs import enqueue

LIFETIME = timedelta(hours=24)
UNDO_FOR = timedelta(days=7)
BEFOREHAND = timedelta(days=1)  # what a thief sets up before asking for another address
SALT = "accounts.email_change"
CONFIRM, UNDO = "confirm", "undo"


class ChangeRefused(ValueError):
    """The link is forged, used, too old, or its address has become somebody else's."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What the confirmed person typed."""

    user: User
    email: str


def ask(wish: Wish, *, actor: Actor, now: datetime) -> EmailChange:
    """Write the wish down and have the new address mailed. Any earlier wish is void.

    Whether the address is somebody's already is not told: the mail that is sent there differs, nothing else.
    """
    with transaction.atomic():
        user = _locked(wish.user.pk)
        _pending(user).update(void_at=now)
        change = EmailChange.objects.create(
            user=user,
            old_email=user.email,
            new_email=wish.email.strip(),
            link_generation=user.link_generation,
            asked_at=now,
            expires_at=now + LIFETIME,
        )
        record(
            Action.EMAIL_CHANGE_ASKED, subject=("user", user.pk), actor=actor, now=now,
            personal={"before": {"email": change.old_email}, "after": {"email": change.new_email}},
        )  # fmt: skip
        enqueue("accounts.mail_email_change", change_id=str(change.pk))
    return change


def withdraw(user: User, *, actor: Actor, now: datetime) -> bool:
    """Make the user's pending wish void; returns whether there was one."""
    with transaction.atomic():
        locked = _locked(user.pk)
        change = _pending(locked).order_by("-asked_at").first()
        if change is None:
            return False
        _pending(locked).update(void_at=now)
        record(
            Action.EMAIL_CHANGE_WITHDRAWN, subject=("user", locked.pk), actor=actor, now=now,
            personal={"before": {"email": change.new_email}},
        )  # fmt: skip
    return True


def token_of(change: EmailChange, purpose: str) -> str:
    """Return the token that confirms or undoes the change, for this schema only."""
    return signing.Signer(salt=SALT).sign_object([current_schema(), purpose, change.pk.hex])


def open_change(token: str, purpose: str, *, now: datetime) -> EmailChange:
    """Return the change behind the token if it still stands; raises `ChangeRefused`."""
    try:
        schema, meant, reference = signing.Signer(salt=SALT).unsign_object(token)
        change_id = UUID(hex=reference)
    except (signing.BadSignature, ValueError, TypeError, AttributeError) as error:
        raise ChangeRefused("This link is not whole. Open it again from the mail.") from error
    mine = schema == current_schema() and meant == purpose
    found = EmailChange.objects.select_related("user").filter(pk=change_id).first() if mine else None
    if found is None or not stands(found, found.user, purpose, now=now):
        raise ChangeRefused("This link was used already, or it is too old.")
    return found


def complete(change: EmailChange, *, actor: Actor, now: datetime) -> User:
    """Let the user log in with the new address; the old one is told. Links mailed before are void.

    Raises `ChangeRefused` when it no longer stands, or somebody else has the address. Locks the user.
    """
    try:
        with transaction.atomic():
            user = _locked(change.user_id)
            locked = EmailChange.objects.select_for_update(of=("self",)).get(pk=change.pk)
            if not user.is_active or not stands(locked, user, CONFIRM, now=now):
                raise ChangeRefused("This link was used already, or it is too old.")
            _set_email(user, locked.new_email)
            # Asked once the address is this user's: whoever gave it up meanwhile may want it back.
            if is_promised(locked.new_email, user, now=now):
                raise ChangeRefused("This address cannot be used here. Choose another one.")
            locked.done_at, locked.undo_until = now, now + UNDO_FOR
            locked.save(update_fields=["done_at", "undo_until"])
            record(
                Action.EMAIL_CHANGED, subject=("user", user.pk), actor=actor, now=now,
                personal={"before": {"email": locked.old_email}, "after": {"email": locked.new_email}},
            )  # fmt: skip
            enqueue("accounts.mail_email_changed", change_id=str(locked.pk))
    except IntegrityError as error:
        raise ChangeRefused("This address cannot be used here. Choose another one.") from error
    return user


def undo(change: EmailChange, *, actor: Actor, now: datetime) -> User:
    """Give the user the old address back, and leave a thief no way in. Locks the user.

    Raises `ChangeRefused`. Every session ends, later changes and mailed links are void, second factors set up
    since shortly before the change are gone, and the password opens nothing: a link to set another goes to
    the old address.
    """
    try:
        with transaction.atomic():
            user = _locked(change.user_id)
            locked = EmailChange.objects.select_for_update(of=("self",)).get(pk=change.pk)
            if not stands(locked, user, UNDO, now=now):
                raise ChangeRefused("This link was used already, or it is too old.")
            before = user.email
            _set_email(user, locked.old_email)
            later = EmailChange.objects.filter(user=user, asked_at__gte=locked.asked_at)
            later.filter(done_at__isnull=True, void_at__isnull=True).update(void_at=now)
            later.filter(done_at__isnull=False, undone_at__isnull=True).update(undone_at=now)
            because = Session.Ended.EMAIL_UNDONE
            sessions.end_others(user, keep=None, actor=actor, now=now, because=because)
            gone = _shut_out(user, since=locked.asked_at - BEFOREHAND)
            record(
                Action.EMAIL_CHANGE_UNDONE, subject=("user", user.pk), actor=actor, now=now, **gone,
                personal={"before": {"email": before}, "after": {"email": user.email}},
            )  # fmt: skip
            enqueue("accounts.mail_reset", user_id=str(user.pk))
    except IntegrityError as error:
        raise ChangeRefused("The old address is another log-in's by now. Ask for help.") from error
    return user


def pending_of(user: User, *, now: datetime) -> EmailChange | None:
    """Return the wish that waits for its link to be opened, if there is one."""
    living = _pending(user).filter(expires_at__gt=now, link_generation=F("user__link_generation"))
    return living.order_by("-asked_at").first()


def stands(change: EmailChange, user: User, purpose: str, *, now: datetime) -> bool:
    """Tell whether the change may be confirmed, or undone. What voids mailed links voids the first only."""
    if purpose == CONFIRM:
        voided = change.void_at is not None or change.link_generation != user.link_generation
        return change.done_at is None and not voided and now < change.expires_at
    return change.undo_until is not None and change.undone_at is None and now < change.undo_until


def is_taken(change: EmailChange) -> bool:
    """Tell whether the wished address is another user's."""
    return User.objects.filter(email__iexact=change.new_email).exclude(pk=change.user_id).exists()


def _locked(user_id: UUID) -> User:
    return User.objects.select_for_update(of=("self",), no_key=True).get(pk=user_id)


def _pending(user: User) -> QuerySet[EmailChange]:
    return EmailChange.objects.filter(user=user, done_at__isnull=True, void_at__isnull=True)


def _set_email(user: User, email: str) -> None:
    User.objects.filter(pk=user.pk).update(email=email, link_generation=F("link_generation") + 1)
    user.email = email


def _shut_out(user: User, *, since: datetime) -> dict[str, Any]:
    """Take away the password and the second factors set up since then; returns how many of which."""
    User.objects.filter(pk=user.pk).update(password=make_password(None))
    made = Q(created_at__gte=since)
    apps, _ = Totp.objects.filter(made | Q(confirmed_at__gte=since), user=user).delete()
    passkeys, _ = Passkey.objects.filter(made, user=user).delete()
    codes, _ = BackupCode.objects.filter(made, user=user).delete()
    return {"apps": apps, "passkeys": passkeys, "backup_codes": codes}
