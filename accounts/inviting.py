"""Invitations by mail: a signed link, single use, seven days."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.core import signing
from django.db import transaction

from accounts import sessions
from accounts.errors import Refused
from accounts.grants import Grant
from accounts.models import Customer, Invitation, User
from accounts.people import EmailTaken, add_contact, create_user
from audit.actions import Action
from audit.actors import Actor
from audit.recording import Note, record
from tenants.context import current_schema
from tenants.jobs import enqueue

LIFETIME = timedelta(days=7)
SALT = "accounts.invitation"
# An invitation raises, and never lowers.
RANKS = (User.Role.CONTACT, User.Role.READ_ONLY, User.Role.SUPPORT, User.Role.BILLING, User.Role.OWNER)


class InvitationRefused(ValueError):
    """The link is forged, used, or too old."""


@dataclass(frozen=True, slots=True)
class Invitee:
    """Whom to invite: a contact names its customer and for what, the tenant's own people neither."""

    email: str
    role: str
    name: str = ""
    customer: Customer | None = None
    grant: Grant | None = None


def invite(invitee: Invitee, *, actor: Actor, now: datetime, by: User | None = None) -> Invitation:
    """Write the invitation and have it mailed. Who may invite whom, `contacts` and `colleagues` ask."""
    of_customer = invitee.customer is not None
    grant = (invitee.grant or Grant.owner()) if of_customer else Grant.of(())
    with transaction.atomic():
        invitation = Invitation.objects.create(
            email=invitee.email.strip(),
            name=invitee.name.strip(),
            role=invitee.role,
            customer=invitee.customer,
            is_owner=grant.is_owner,
            permissions=grant.names,
            invited_by=by,
            created_at=now,
            expires_at=now + LIFETIME,
        )
        after = {"role": str(invitation.role)}
        if invitee.customer is not None:
            after |= {"customer": str(invitee.customer.pk), "may": grant.words}
        record(
            Action.USER_INVITED, subject=("invitation", invitation.id), actor=actor, now=now, after=after,
            personal={"after": {"email": invitation.email}},
        )  # fmt: skip
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
    if found is None or not found.stands(now):
        raise InvitationRefused("This invitation was used or is too old. Ask for a new one.")
    return found


def has_log_in(invitation: Invitation) -> bool:
    """Tell whether the invited address logs in here already."""
    return User.objects.filter(email__iexact=invitation.email).exists()


def accept(invitation: Invitation, *, name: str, password: str, actor: Actor, now: datetime) -> User:
    """Make the invited user, or let the one of that address act for the customer too. Locks the invitation.

    Raises `InvitationRefused` when it was used meanwhile, or when the address logs in already and the
    password is not its own.
    """
    with transaction.atomic():
        locked = Invitation.objects.select_for_update(of=("self",), no_key=True).get(pk=invitation.pk)
        if not locked.stands(now):
            raise InvitationRefused("This invitation was used or withdrawn meanwhile. Ask for a new one.")
        known = User.objects.select_for_update(of=("self",), no_key=True)
        user = known.filter(email__iexact=locked.email).first()
        if user is None:
            user = _new_user(locked, name=name, password=password, actor=actor, now=now)
        elif not user.check_password(password):
            raise InvitationRefused("This address has a log-in here already: enter its present password.")
        elif not user.is_active:
            raise InvitationRefused("This log-in is shut. Ask for it to be opened again first.")
        else:
            _raise_role(user, locked.role, actor=actor, now=now)
            sessions.end_others(user, keep=None, actor=actor, now=now)  # none grows more powerful unseen
        if locked.customer is not None:
            add_contact(user, locked.customer, grant=locked.grant, actor=actor, now=now)
        locked.accepted_at = now
        locked.save(update_fields=["accepted_at"])
        record(
            Action.USER_INVITATION_ACCEPTED, subject=("invitation", locked.id), actor=actor, now=now,
            after={"user": str(user.id)},
        )  # fmt: skip
    return user


def address_of(invitation_id: UUID) -> str:
    """Return whom the invitation is for, "" if there is none: what mails to somebody are counted by."""
    return Invitation.objects.filter(pk=invitation_id).values_list("email", flat=True).first() or ""


def send_again(invitation: Invitation, *, actor: Actor, now: datetime) -> None:
    """Mail the link once more; it is good for another seven days. Locks the invitation."""
    with transaction.atomic():
        locked = _pending(invitation)
        locked.expires_at = now + LIFETIME
        locked.save(update_fields=["expires_at"])
        record(
            Action.USER_INVITED_AGAIN, subject=("invitation", locked.id), actor=actor, now=now,
            personal={"after": {"email": locked.email}},
        )  # fmt: skip
        enqueue("accounts.mail_invitation", invitation_id=str(locked.id))


def withdraw(invitation: Invitation, *, actor: Actor, now: datetime) -> None:
    """Make the link void. Locks the invitation."""
    with transaction.atomic():
        locked = _pending(invitation)
        locked.withdrawn_at = now
        locked.save(update_fields=["withdrawn_at"])
        record(
            Action.USER_INVITATION_WITHDRAWN, subject=("invitation", locked.id), actor=actor, now=now,
            before={"role": locked.role}, personal={"before": {"email": locked.email}},
        )  # fmt: skip


def withdraw_all(*, now: datetime) -> list[Note]:
    """Make the links of all invitations of the schema void; returns what is to be recorded. Locks them.

    Needs an open transaction.
    """
    open_ones = Invitation.objects.filter(accepted_at__isnull=True, withdrawn_at__isnull=True)
    rows = list(open_ones.order_by("pk").select_for_update(of=("self",), no_key=True))
    Invitation.objects.filter(pk__in=[row.pk for row in rows]).update(withdrawn_at=now)
    return [
        Note(
            Action.USER_INVITATION_WITHDRAWN, "invitation", str(row.pk),
            {"before": {"role": row.role}}, {"before": {"email": row.email}},
        )
        for row in rows
    ]  # fmt: skip


def _new_user(invitation: Invitation, *, name: str, password: str, actor: Actor, now: datetime) -> User:
    try:
        return create_user(
            email=invitation.email, name=name, role=invitation.role, password=password, actor=actor, now=now
        )
    except EmailTaken as taken:
        raise InvitationRefused(
            "This address cannot log in here yet: whoever had it may still get it back. Try again in a week."
        ) from taken


def _pending(invitation: Invitation) -> Invitation:
    locked = Invitation.objects.select_for_update(of=("self",), no_key=True).get(pk=invitation.pk)
    if locked.accepted_at is not None:
        raise Refused(f"{locked.email} has accepted already.")
    if locked.withdrawn_at is not None:
        raise Refused(f"The invitation of {locked.email} is withdrawn.")
    return locked


def _raise_role(user: User, role: str, *, actor: Actor, now: datetime) -> None:
    """Let the locked user do what the invitation's role may, unless that is less than it may already."""
    before, after = User.Role(user.role), User.Role(role)
    if RANKS.index(after) <= RANKS.index(before):
        return
    user.role = after
    user.save(update_fields=["role"])
    record(
        Action.USER_ROLE_RAISED, subject=("user", user.id), actor=actor, now=now,
        before={"role": before.value}, after={"role": after.value},
    )  # fmt: skip
