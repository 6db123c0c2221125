"""Who acts for a customer, and for what: invited, changed and removed by those who may."""

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.db import transaction

from accounts import inviting
from accounts.errors import Refused
from accounts.grants import Grant
from accounts.inviting import Invitee
from accounts.models import Contact, Customer, Invitation, User
from accounts.people import set_grant
from accounts.permissions import may_change_contact, may_change_team, may_grant, may_invite_contacts
from audit.actions import Action
from audit.actors import Actor
from audit.recording import record


def contacts_of(customer: Customer) -> list[Contact]:
    """Return who acts for the customer, owners first."""
    rows = Contact.objects.filter(customer=customer).select_related("user", "customer")
    return list(rows.order_by("-is_owner", "user__name", "user__email"))


def invitations_of(customer: Customer, *, now: datetime) -> list[Invitation]:
    """Return the invitations of the customer that still stand, the last first."""
    rows = Invitation.objects.filter(customer=customer, accepted_at__isnull=True, withdrawn_at__isnull=True)
    return list(rows.filter(expires_at__gt=now).order_by("-created_at"))


def invite_contact(
    customer: Customer, grant: Grant, *, email: str, name: str, by: User, actor: Actor, now: datetime
) -> Invitation:
    """Invite somebody to act for the customer. The first one is an owner. Locks the customer."""
    with transaction.atomic():
        locked = _locked(customer)
        _check_grant(_acting(by, locked), grant)
        team, waiting = contacts_of(locked), invitations_of(locked, now=now)
        if email.casefold() in {each.user.email.casefold() for each in team}:
            raise Refused(f"{email} acts for {locked} already. Change what they may do instead.")
        if email.casefold() in {each.email.casefold() for each in waiting}:
            raise Refused(f"{email} is invited already. Send the invitation again, or withdraw it first.")
        if not grant.is_owner and not any(each.is_owner for each in [*team, *waiting]):
            raise Refused(f"{locked} has no owner yet: invite one first, who may do everything.")
        invitee = Invitee(email=email, role=User.Role.CONTACT, name=name, customer=locked, grant=grant)
        return inviting.invite(invitee, by=by, actor=actor, now=now)


def change_contact(
    contact_id: UUID,
    customer: Customer,
    grant: Grant,
    *,
    by: User,
    actor: Actor,
    now: datetime,
    keep: str | None = None,
) -> Contact:
    """Let the contact do this and no more, from its next request on. Locks the customer.

    Invitations that it could not give any more are withdrawn. Who may more than before logs in anew, but for
    one's own session of the key `keep`. Raises `Contact.DoesNotExist`, `Refused`.
    """
    with transaction.atomic():
        locked = _locked(customer)
        contact = _of(locked, contact_id)
        acting = _acting(by, locked)
        _check_reach(acting, contact)
        _check_grant(acting, grant)
        if contact.is_owner and not grant.is_owner:
            _check_not_last(contact)
        set_grant(contact, grant, actor=actor, now=now, keep=keep if contact.user_id == by.pk else None)
        _withdraw_of(
            contact, lambda each: may_change_team(contact) and grant.covers(each.grant), actor=actor, now=now
        )
    return contact


def remove_contact(contact_id: UUID, customer: Customer, *, by: User, actor: Actor, now: datetime) -> Contact:
    """Let the contact act no longer for the customer; anybody but the last owner may go of itself.

    Invitations that it gave are withdrawn. Locks the customer. Raises `Contact.DoesNotExist`, `Refused`.
    """
    with transaction.atomic():
        locked = _locked(customer)
        contact = _of(locked, contact_id)
        if contact.user_id != by.pk or by.visit:
            _check_reach(_acting(by, locked), contact)
        if contact.is_owner:
            _check_not_last(contact)
        _withdraw_of(contact, lambda each: False, actor=actor, now=now)
        record(
            Action.CONTACT_REMOVED, subject=("customer", locked.pk), actor=actor, now=now,
            before={"user": str(contact.user_id), "may": contact.grant.words},
            personal={"before": {"email": contact.user.email}}, about=("user", contact.user_id),
        )  # fmt: skip
        Contact.objects.filter(pk=contact.pk).delete()
    return contact


def resend(invitation_id: UUID, customer: Customer, *, by: User, actor: Actor, now: datetime) -> Invitation:
    """Mail an invitation once more. Raises `Invitation.DoesNotExist`, `Refused`. Locks the customer."""
    return _with_invitation(invitation_id, customer, inviting.send_again, by=by, actor=actor, now=now)


def withdraw(invitation_id: UUID, customer: Customer, *, by: User, actor: Actor, now: datetime) -> Invitation:
    """Make an invitation void. Raises `Invitation.DoesNotExist`, `Refused`. Locks the customer."""
    return _with_invitation(invitation_id, customer, inviting.withdraw, by=by, actor=actor, now=now)


def _with_invitation(
    invitation_id: UUID,
    customer: Customer,
    rule: Callable[..., None],
    *,
    by: User,
    actor: Actor,
    now: datetime,
) -> Invitation:
    with transaction.atomic():
        locked = _locked(customer)
        invitation = Invitation.objects.get(pk=invitation_id, customer=locked)
        _check_grant(_acting(by, locked), invitation.grant)
        rule(invitation, actor=actor, now=now)
    return invitation


def _locked(customer: Customer) -> Customer:
    return Customer.objects.select_for_update(of=("self",), no_key=True).get(pk=customer.pk)


def _of(customer: Customer, contact_id: UUID) -> Contact:
    return Contact.objects.select_related("user", "customer").get(pk=contact_id, customer=customer)


def _acting(by: User, customer: Customer) -> Contact | None:
    """Return the contact as which the person acts, None for the tenant's own people; read under the lock."""
    fresh = User.objects.get(pk=by.pk)
    fresh.visit = by.visit
    if may_invite_contacts(fresh):
        return None
    contact = Contact.objects.select_related("user", "customer").filter(user=fresh, customer=customer).first()
    if contact is not None:
        contact.user.visit = by.visit
    if contact is None or not may_change_team(contact):
        raise PermissionDenied
    return contact


def _check_grant(acting: Contact | None, grant: Grant) -> None:
    if acting is not None and not may_grant(acting, grant):
        raise Refused("You cannot give more than you may yourself. Ask an owner.")


def _check_reach(acting: Contact | None, contact: Contact) -> None:
    if acting is not None and not may_change_contact(acting, contact):
        raise Refused("Only an owner can change this person.")


def _check_not_last(contact: Contact) -> None:
    others = Contact.objects.filter(customer=contact.customer_id, is_owner=True, user__is_active=True)
    if not others.exclude(pk=contact.pk).exists():
        raise Refused(f"{contact.user} is the last owner. Make somebody else an owner first.")


def _withdraw_of(
    contact: Contact, keep: Callable[[Invitation], bool], *, actor: Actor, now: datetime
) -> None:
    """Withdraw what the contact invited for this customer, but for what is to be kept."""
    for each in invitations_of(contact.customer, now=now):
        if each.invited_by_id == contact.user_id and not keep(each):
            inviting.withdraw(each, actor=actor, now=now)
