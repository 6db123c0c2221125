"""What privacy asks of log-ins: shut people out, let them in again, who is staff, whose address is new."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, F, OuterRef

from accounts import sessions
from accounts.models import Contact, EmailChange, User
from accounts.subjects import ERASED_DOMAIN
from audit.actions import Action
from audit.actors import Actor
from audit.models import AuditEvent
from audit.reading import opened
from audit.recording import record
from privacy.finding import Moved, address_changes
from privacy.freezing import doors, kind_logs_in
from privacy.staffing import Colleague, staff_are
from privacy.subjects import Subject

BECAUSE = "frozen"


def shut(ids: Sequence[str], *, actor: Actor, now: datetime) -> list[str]:
    """End these people's sessions, and let none begin. Links mailed before are void. Locks them in order."""
    closed: list[str] = []
    with transaction.atomic():
        people = User.objects.select_for_update(of=("self",), no_key=True)
        for user in people.filter(pk__in=[UUID(each) for each in ids]).order_by("pk"):
            sessions.end_others(user, keep=None, actor=actor, now=now)
            if not user.is_active:
                continue
            User.objects.filter(pk=user.pk).update(is_active=False, link_generation=F("link_generation") + 1)
            record(Action.USER_DEACTIVATED, subject=("user", user.pk), actor=actor, now=now, because=BECAUSE)
            closed.append(str(user.pk))
    return closed


def let_in(ids: Sequence[str], *, actor: Actor, now: datetime) -> None:
    """Let those log in again, but for whoever is erased."""
    with transaction.atomic():
        people = User.objects.select_for_update(of=("self",), no_key=True)
        shut_out = people.filter(pk__in=[UUID(each) for each in ids], is_active=False)
        for user in shut_out.exclude(email__endswith=ERASED_DOMAIN).order_by("pk"):
            User.objects.filter(pk=user.pk).update(is_active=True)
            record(Action.USER_REACTIVATED, subject=("user", user.pk), actor=actor, now=now, because=BECAUSE)


def _acting_for(customer_id: str) -> list[str]:
    """Everybody who acts for the customer: what is frozen, nobody uses."""
    found = Contact.objects.filter(customer=UUID(customer_id)).values_list("user", flat=True)
    return [str(pk) for pk in found]


def _owned_alone(user_id: str) -> list[Subject]:
    """The customers that have no other owner."""
    owned = Contact.objects.filter(user=UUID(user_id), is_owner=True).order_by("customer")
    others = Contact.objects.filter(customer=OuterRef("customer"), is_owner=True).exclude(user=UUID(user_id))
    alone = owned.exclude(Exists(others)).values_list("customer", flat=True)
    return [Subject("customer", str(pk)) for pk in alone]


def _platform_staff() -> list[Colleague]:
    people = User.objects.filter(role=User.Role.PLATFORM, is_active=True).order_by("email")
    return [Colleague(str(user.pk), user.name, user.email) for user in people]


def _user_moved(subject_id: str, since: datetime) -> Moved | None:
    """Whether the address that the person logs in with was changed since then, or set back."""
    changes = EmailChange.objects.filter(user_id=UUID(subject_id), done_at__gte=since)
    last = changes.filter(undone_at__isnull=True).order_by("-done_at").first()
    return None if last is None else Moved(last.old_email)


def _customer_moved(subject_id: str, since: datetime) -> Moved | None:
    """The same of a customer, from the record of what was changed."""
    changed = AuditEvent.objects.filter(
        action=Action.CUSTOMER_CHANGED, subject_kind="customer", subject_id=subject_id, at__gte=since
    )
    for event in opened(changed.order_by("-seq")):
        before = event.details.get("before")
        if isinstance(before, dict) and "email" in before:
            old = before["email"]
            return Moved(old if isinstance(old, str) and "@" in old else "")
    return None


doors(shut=shut, let_in=let_in)
kind_logs_in("user", lambda user_id: [user_id], _owned_alone)
kind_logs_in("customer", _acting_for)
staff_are(_platform_staff)
address_changes("user", _user_moved)
address_changes("customer", _customer_moved)
