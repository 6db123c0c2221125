"""Another address to log in with: proved by a link mailed there, undone for a week by one at the old one."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.core import signing
from django.db import IntegrityError, transaction
from django.db.models import F, Q, QuerySet

from accounts import sessions
from accounts.models import EmailChange, Session, User
from audit.actions import Action
from audit.actors import Actor
from audit.recording import record
from tenants.context import current_schema
from tenants.jobs import enqueue

LIFETIME = timedelta(hours=24)
UNDO_FOR = timedelta(days=7)
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
    if found is None or not _stands(found, purpose, now=now):
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
            if not user.is_active or not _stands(locked, CONFIRM, now=now):
                raise ChangeRefused("This link was used already, or it is too old.")
            if _promised_to_another(locked.new_email, user, now=now):
                raise ChangeRefused("This address cannot be used here. Choose another one.")
            _set_email(user, locked.new_email)
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
    """Give the user the old address back; ends every session, and later changes and mailed links are void.

    Raises `ChangeRefused` when it is too late, or the old address is somebody else's by now. Locks the user.
    """
    try:
        with transaction.atomic():
            user = _locked(change.user_id)
            locked = EmailChange.objects.select_for_update(of=("self",)).get(pk=change.pk)
            if not _stands(locked, UNDO, now=now):
                raise ChangeRefused("This link was used already, or it is too old.")
            before = user.email
            _set_email(user, locked.old_email)
            later = EmailChange.objects.filter(user=user, asked_at__gte=locked.asked_at)
            later.filter(done_at__isnull=True, void_at__isnull=True).update(void_at=now)
            later.filter(done_at__isnull=False, undone_at__isnull=True).update(undone_at=now)
            because = Session.Ended.EMAIL_UNDONE
            sessions.end_others(user, keep=None, actor=actor, now=now, because=because)
            record(
                Action.EMAIL_CHANGE_UNDONE, subject=("user", user.pk), actor=actor, now=now,
                personal={"before": {"email": before}, "after": {"email": user.email}},
            )  # fmt: skip
    except IntegrityError as error:
        raise ChangeRefused("The old address is another log-in's by now. Ask for help.") from error
    return user


def pending_of(user: User, *, now: datetime) -> EmailChange | None:
    """Return the wish that waits for its link to be opened, if there is one."""
    return _pending(user).filter(expires_at__gt=now).order_by("-asked_at").first()


def is_taken(change: EmailChange) -> bool:
    """Tell whether the wished address is another user's."""
    return User.objects.filter(email__iexact=change.new_email).exclude(pk=change.user_id).exists()


def _locked(user_id: UUID) -> User:
    return User.objects.select_for_update(of=("self",), no_key=True).get(pk=user_id)


def _pending(user: User) -> QuerySet[EmailChange]:
    return EmailChange.objects.filter(user=user, done_at__isnull=True, void_at__isnull=True)


def _stands(change: EmailChange, purpose: str, *, now: datetime) -> bool:
    if purpose == CONFIRM:
        return change.done_at is None and change.void_at is None and now < change.expires_at
    return change.undo_until is not None and change.undone_at is None and now < change.undo_until


def _promised_to_another(email: str, user: User, *, now: datetime) -> bool:
    """Another user may still undo a change away from this address, and must then get it back."""
    may_undo = Q(undo_until__gt=now, undone_at__isnull=True)
    return EmailChange.objects.filter(may_undo, old_email__iexact=email).exclude(user=user).exists()


def _set_email(user: User, email: str) -> None:
    User.objects.filter(pk=user.pk).update(email=email, link_generation=F("link_generation") + 1)
    user.email = email
