"""Invitations by mail: a signed link, single use, seven days."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.core import signing
from django.db import transaction

from accounts import sessions
from accounts.models import Customer, Invitation, User
from accounts.people import add_contact, create_user
from audit.actions import Action
from audit.actors import Actor
from audit.recording import record
from tenants.context import current_schema
from tenants.jobs import enqueue

LIFETIME = timedelta(days=7)
SALT = "accounts.invitation"
RANKS = (User.Role.CONTACT, User.Role.STAFF, User.Role.OWNER)  # an invitation raises, and never lowers


class InvitationRefused(ValueError):
    """The link is forged, used, or too old."""


@dataclass(frozen=True, slots=True)
class Invitee:
    """Whom to invite: a contact names its customer, staff and owners none."""

    email: str
    role: str
    name: str = ""
    customer: Customer | None = None


def invite(invitee: Invitee, *, actor: Actor, now: datetime) -> Invitation:
    """Write the invitation and have it mailed."""
    with transaction.atomic():
        invitation = Invitation.objects.create(
            email=invitee.email.strip(),
            name=invitee.name.strip(),
            role=invitee.role,
            customer=invitee.customer,
            created_at=now,
            expires_at=now + LIFETIME,
        )
        after = {"email": invitation.email, "role": invitation.role}
        record(Action.USER_INVITED, subject=("invitation", invitation.id), actor=actor, now=now, after=after)
        enqueue("accounts.mail_invitation", invitation_id=str(invitation.id))
    return invitation


def token_of(invitation: Invitation) -> str:
    """Return the token that opens the invitation, for this tenant only."""
    return signing.Signer(salt=SALT).sign_object([current_schema(), invitation.id.hex])


def open_invitation(token: str, *, now: datetime) -> Invitation:
    """Return the invitation behind the token if it still stands; raises `InvitationRefused`."""
    try:
        schema, reference = signing.Signer(salt=SALT).unsign_object(token)
        invitation_id = UUID(hex=reference)
    except (signing.BadSignature, ValueError, TypeError, AttributeError) as error:
        raise InvitationRefused("This link is not whole. Open it again from the mail.") from error
    found = Invitation.objects.filter(pk=invitation_id).first() if schema == current_schema() else None
    if found is None or found.accepted_at is not None or found.expires_at <= now:
        raise InvitationRefused("This invitation was used or is too old. Ask for a new one.")
    return found


def accept(invitation: Invitation, *, name: str, password: str, actor: Actor, now: datetime) -> User:
    """Make the invited user, or let the one of that address act for the customer too. Locks the invitation.

    Raises `InvitationRefused` when it was used meanwhile, or when the address logs in already and the
    password is not its own.
    """
    with transaction.atomic():
        locked = Invitation.objects.select_for_update(of=("self",), no_key=True).get(pk=invitation.pk)
        if locked.accepted_at is not None:
            raise InvitationRefused("This invitation was used already.")
        known = User.objects.select_for_update(of=("self",), no_key=True)
        user = known.filter(email__iexact=locked.email).first()
        if user is None:
            user = create_user(
                email=locked.email, name=name, role=locked.role, password=password, actor=actor, now=now
            )
        elif not user.check_password(password):
            raise InvitationRefused("This address has a log-in here already: enter its present password.")
        else:
            _raise_role(user, locked.role, actor=actor, now=now)
        if locked.customer is not None:
            add_contact(user, locked.customer, actor=actor, now=now)
        locked.accepted_at = now
        locked.save(update_fields=["accepted_at"])
        record(
            Action.USER_INVITATION_ACCEPTED, subject=("invitation", locked.id), actor=actor, now=now,
            after={"user": str(user.id)},
        )  # fmt: skip
    return user


def _raise_role(user: User, role: str, *, actor: Actor, now: datetime) -> None:
    """Let the locked user do what the invitation's role may, unless that is less than it may already."""
    before, after = User.Role(user.role), User.Role(role)
    if RANKS.index(after) <= RANKS.index(before):
        return
    user.role = after
    user.save(update_fields=["role"])
    sessions.end_others(user, keep=None, actor=actor, now=now)  # none of them grows more powerful unseen
    record(
        Action.USER_ROLE_RAISED, subject=("user", user.id), actor=actor, now=now,
        before={"role": before.value}, after={"role": after.value},
    )  # fmt: skip
