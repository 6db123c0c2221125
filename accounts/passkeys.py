"""Passkeys: a challenge is asked once, an answer counts once, and only at the host where the key was made."""

import secrets
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction

from accounts import passkey_gateway
from accounts.enrolling import keep_factors, tell
from accounts.factors import factors_of, passkeys_of
from accounts.models import BackupCode, Passkey, PasskeyChallenge, User
from accounts.passkey_gateway import Holder, PasskeyRefused, Site
from audit.actions import Action
from audit.actors import Actor
from audit.recording import Note, record, record_many

CHALLENGE_LIFETIME = timedelta(minutes=5)
AT_MOST = 20


def new_challenge(*, now: datetime) -> PasskeyChallenge:
    """Make something to be signed, good for five minutes; forgets those that were never answered."""
    PasskeyChallenge.objects.filter(expires_at__lte=now).delete()
    value = secrets.token_bytes(32)
    return PasskeyChallenge.objects.create(value=value, expires_at=now + CHALLENGE_LIFETIME)


def take_challenge(challenge_id: str, *, now: datetime) -> bytes:
    """Return what was to be signed, to one caller only; raises `PasskeyRefused`."""
    try:
        asked = PasskeyChallenge.objects.filter(pk=UUID(challenge_id), expires_at__gt=now)
    except (ValueError, TypeError, AttributeError):
        raise PasskeyRefused("Nothing was asked.") from None
    row = asked.first()
    # Of several with the same answer, one deletes the row.
    if row is None or asked.delete()[0] != 1:
        raise PasskeyRefused("What was asked is answered already, or too old.")
    return bytes(row.value)


def ask_to_make(user: User, site: Site, challenge: PasskeyChallenge) -> dict[str, Any]:
    """Return the options with which the person's browser makes a passkey."""
    holder = Holder(user.pk.bytes, user.email, user.name or user.email)
    known = [bytes(each.credential_id) for each in passkeys_of(user) if each.host == site.host]
    return passkey_gateway.creation_options(site, holder, challenge=bytes(challenge.value), known=known)


def ask_to_use(user: User | None, site: Site, challenge: PasskeyChallenge) -> dict[str, Any]:
    """Return the options for logging in: with the person's own passkeys, or any that the browser has here."""
    own = passkeys_of(user) if user else []
    known = [bytes(each.credential_id) for each in own if each.host == site.host]
    return passkey_gateway.request_options(site, challenge=bytes(challenge.value), known=known)


def add_passkey(
    user: User,
    answer: dict[str, Any],
    site: Site,
    *,
    challenge: bytes,
    name: str,
    actor: Actor,
    now: datetime,
) -> Passkey:
    """Keep the passkey that the person's device made; raises `PasskeyRefused`. Locks the user."""
    made = passkey_gateway.check_creation(answer, site, challenge=challenge)
    try:
        with transaction.atomic():
            User.objects.select_for_update(of=("self",), no_key=True).get(pk=user.pk)
            if Passkey.objects.filter(user=user).count() >= AT_MOST:
                raise PasskeyRefused(f"Nobody has more than {AT_MOST} passkeys.")
            passkey = Passkey.objects.create(
                user=user,
                name=name,
                host=site.host,
                credential_id=made.credential_id,
                public_key=made.public_key,
                sign_count=made.sign_count,
                created_at=now,
            )
            record(
                Action.PASSKEY_ADDED, subject=("user", user.pk), actor=actor, now=now,
                passkey=str(passkey.pk), personal={"name": name},
            )  # fmt: skip
            keep_factors(user, actor=actor, now=now)
            tell(user, "passkey_added", now=now)
    except IntegrityError as error:
        raise PasskeyRefused("This credential is known already.") from error
    return passkey


def use_passkey(
    answer: dict[str, Any], site: Site, *, challenge: bytes, now: datetime, user: User | None = None
) -> User:
    """Return whose passkey has answered; raises `PasskeyRefused`. Locks the passkey.

    With `user`, only one of this person's own counts.
    """
    credential_id, holder = passkey_gateway.credential_id_of(answer), passkey_gateway.holder_of(answer)
    with transaction.atomic():
        known = Passkey.objects.select_for_update(of=("self",), no_key=True).select_related("user")
        passkey = known.filter(credential_id=credential_id, host=site.host, user__is_active=True).first()
        if passkey is None or (user is not None and passkey.user_id != user.pk):
            raise PasskeyRefused("No such passkey is known here.")
        if holder not in {None, passkey.user.pk.bytes}:
            raise PasskeyRefused("The passkey is kept for somebody else.")
        passkey.sign_count = passkey_gateway.check_use(
            answer, site, challenge=challenge, public_key=bytes(passkey.public_key),
            sign_count=passkey.sign_count,
        )  # fmt: skip
        passkey.last_used_at = now
        passkey.save(update_fields=["sign_count", "last_used_at"])
    return passkey.user


def forget_host(hostname: str, *, actor: Actor, now: datetime) -> int:
    """Take away the passkeys made at a host that is given up; returns how many people had any. Locks them.

    Whoever has no other second factor goes on with the password, if that is long enough to stand alone
    (`passwords.stands`), and is asked for a new factor where one is demanded.
    """
    with transaction.atomic():
        having = User.objects.filter(passkeys__host=hostname).values("pk")
        locked = User.objects.select_for_update(of=("self",), no_key=True)
        people, notes = list(locked.filter(pk__in=having).order_by("pk")), list[Note]()
        for user in people:
            gone, _ = Passkey.objects.filter(user=user, host=hostname).delete()
            if not factors_of(user).enough:
                BackupCode.objects.filter(user=user).delete()
                User.objects.filter(pk=user.pk).update(password_may_be_short=True)
            about = {"host": hostname, "passkeys": gone}
            notes.append(Note(Action.PASSKEY_REMOVED, "user", str(user.pk), about))
            tell(user, "host_removed", now=now)
        record_many(notes, actor=actor, now=now)
    return len(people)
