"""Who works for the tenant, and as what: invited, changed, shut out and let in again by its owners."""

from datetime import datetime
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.db import transaction

from accounts import inviting, sessions
from accounts.errors import Refused
from accounts.factors import with_factors
from accounts.inviting import Invitee
from accounts.models import WORKING, Invitation, User
from accounts.permissions import HELPERS, may_hand_over, may_manage_colleagues
from audit.actions import Action
from audit.actors import Actor
from audit.recording import record
from privacy.finding import Found
from privacy.subjects import Subject
from privacy.underage import is_frozen
from tenants.context import current_schema
from tenants.jobs import enqueue

Role = User.Role


def colleagues() -> list[User]:
    """Return who works here, or did: the active ones first."""
    people = with_factors(User.objects.filter(role__in=WORKING))
    return list(people.order_by("-is_active", "name", "email"))


def invitations(*, now: datetime) -> list[Invitation]:
    """Return the invitations of colleagues that still stand, the last first."""
    rows = Invitation.objects.filter(role__in=WORKING, accepted_at__isnull=True, withdrawn_at__isnull=True)
    return list(rows.filter(expires_at__gt=now).order_by("-created_at"))


def invite_colleague(
    *, email: str, name: str, role: str, by: User, actor: Actor, now: datetime
) -> Invitation:
    """Invite somebody to work here. Locks everybody who does."""
    with transaction.atomic():
        team = _team(by)
        if any(each.email.casefold() == email.casefold() and each.is_active for each in team.values()):
            raise Refused(f"{email} works here already.")
        if any(each.email.casefold() == email.casefold() for each in invitations(now=now)):
            raise Refused(f"{email} is invited already. Send the invitation again, or withdraw it first.")
        return inviting.invite(Invitee(email=email, role=_role(role), name=name), by=by, actor=actor, now=now)


def resend(invitation_id: UUID, *, by: User, actor: Actor, now: datetime) -> Invitation:
    """Mail an invitation once more. Raises `Invitation.DoesNotExist`, `Refused`."""
    with transaction.atomic():
        invitation = _invitation(invitation_id, by)
        inviting.send_again(invitation, actor=actor, now=now)
    return invitation


def withdraw(invitation_id: UUID, *, by: User, actor: Actor, now: datetime) -> Invitation:
    """Make an invitation void. Raises `Invitation.DoesNotExist`, `Refused`."""
    with transaction.atomic():
        invitation = _invitation(invitation_id, by)
        inviting.withdraw(invitation, actor=actor, now=now)
    return invitation


def change_role(
    person_id: UUID, role: str, *, by: User, actor: Actor, now: datetime, keep: str | None = None
) -> User:
    """Let a colleague, or oneself, work as something else, from the next request on. Locks all who work here.

    Their sessions end, but for one's own of the key `keep`.
    """
    with transaction.atomic():
        team = _team(by)
        person, wanted = _one(team, person_id), _role(role)
        if person.role == wanted:
            return person
        if person.role == Role.OWNER:
            _check_not_last(team, person)
        _set_role(person, wanted, actor=actor, now=now)
        sessions.end_others(person, keep=keep if person.pk == by.pk else None, actor=actor, now=now)
        _withdraw_of(person, actor=actor, now=now)
    return person


def deactivate(person_id: UUID, *, by: User, actor: Actor, now: datetime) -> User:
    """Shut a colleague out at once; invitations that it gave are withdrawn. Locks all who work here."""
    with transaction.atomic():
        team = _team(by)
        person = _one(team, person_id)
        if not person.is_active:
            return person
        if person.role == Role.OWNER:
            _check_not_last(team, person)
        person.is_active = False
        person.save(update_fields=["is_active"])
        sessions.end_others(person, keep=None, actor=actor, now=now)
        record(Action.USER_DEACTIVATED, subject=("user", person.pk), actor=actor, now=now)
        _withdraw_of(person, actor=actor, now=now)
    return person


def reactivate(person_id: UUID, *, by: User, actor: Actor, now: datetime) -> User:
    """Let a colleague in again, in the role of before. Locks everybody who works here."""
    with transaction.atomic():
        person = _one(_team(by), person_id)
        if person.is_active:
            return person
        if is_frozen(Found(current_schema(), Subject("user", str(person.pk)))):
            raise Refused("ProEcommerce has shut this person out; write to us if that is a mistake.")
        person.is_active = True
        person.save(update_fields=["is_active"])
        record(Action.USER_REACTIVATED, subject=("user", person.pk), actor=actor, now=now)
    return person


def hand_over(person_id: UUID, *, by: User, actor: Actor, now: datetime, keep: str | None = None) -> User:
    """Make a colleague an owner in one's own place; oneself goes on in billing. Both are told by mail.

    Their sessions end, but for the one of the key `keep`; what the leaving one has promised does not stand.
    """
    with transaction.atomic():
        team = _team(by)
        leaving, person = team[by.pk], _one(team, person_id)
        if not may_hand_over(leaving):
            raise PermissionDenied
        if person.pk == leaving.pk or not person.is_active:
            raise Refused("Choose an active colleague to be the owner.")
        if person.role == Role.OWNER:
            raise Refused(f"{person} is an owner already.")
        _set_role(person, Role.OWNER, actor=actor, now=now)
        _set_role(leaving, Role.BILLING, actor=actor, now=now)
        _withdraw_of(leaving, actor=actor, now=now)
        sessions.end_others(person, keep=None, actor=actor, now=now)
        sessions.end_others(leaving, keep=keep, actor=actor, now=now)
        record(
            Action.OWNERSHIP_HANDED_OVER, subject=("user", person.pk), actor=actor, now=now,
            after={"from": str(leaving.pk), "to": str(person.pk)},
        )  # fmt: skip
        for told in (leaving, person):
            enqueue("accounts.mail_handed_over", user_id=str(told.pk), before=str(leaving), after=str(person))
    return person


def _team(by: User) -> dict[UUID, User]:
    """Lock everybody who works here, in one order, and read anew whether `by` may change them."""
    rows = User.objects.select_for_update(of=("self",), no_key=True).filter(role__in=WORKING).order_by("pk")
    team = {each.pk: each for each in rows}
    acting = team.get(by.pk)
    if acting is None:
        raise PermissionDenied
    acting.visit = by.visit
    if not may_manage_colleagues(acting):
        raise PermissionDenied
    return team


def _one(team: dict[UUID, User], person_id: UUID) -> User:
    if person_id not in team:
        raise User.DoesNotExist
    return team[person_id]


def _role(role: str) -> User.Role:
    if role not in WORKING:
        raise Refused("Choose a role: owner, billing, support or read-only.")
    return Role(role)


def _check_not_last(team: dict[UUID, User], person: User) -> None:
    others = [each for each in team.values() if each.pk != person.pk and each.is_active]
    if not any(each.role == Role.OWNER for each in others):
        raise Refused(f"{person} is the last owner. Make somebody else an owner first.")


def _set_role(person: User, role: User.Role, *, actor: Actor, now: datetime) -> None:
    before = person.role
    person.role = role
    person.save(update_fields=["role"])
    record(
        Action.USER_ROLE_CHANGED, subject=("user", person.pk), actor=actor, now=now,
        before={"role": before}, after={"role": role.value},
    )  # fmt: skip


def _invitation(invitation_id: UUID, by: User) -> Invitation:
    _team(by)
    return Invitation.objects.get(pk=invitation_id, role__in=WORKING)


def _withdraw_of(person: User, *, actor: Actor, now: datetime) -> None:
    """What somebody has promised who may promise it no more does not stand, to colleagues and contacts."""
    given = Invitation.objects.filter(invited_by=person, accepted_at__isnull=True, withdrawn_at__isnull=True)
    for each in given.filter(expires_at__gt=now).order_by("pk"):
        of_contact = each.role == Role.CONTACT and person.role in HELPERS
        if not (person.is_active and (person.role == Role.OWNER or of_contact)):
            inviting.withdraw(each, actor=actor, now=now)
