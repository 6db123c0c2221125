"""What privacy asks of log-ins: shut people out, let them in again, who is staff, whose address is new."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import F

from accounts import sessions
from accounts.models import Customer, EmailChange, User
from audit.actions import Action
from audit.actors import Actor
from audit.models import AuditEvent
from audit.reading import opened
from audit.recording import record
from privacy.finding import Moved, address_changes
from privacy.freezing import doors
from privacy.staffing import Colleague, staff_are

BECAUSE = "frozen"


def shut_user(subject_id: str, *, actor: Actor, now: datetime) -> list[str]:
    """End a person's sessions, and let none begin. Links mailed before are void."""
    with transaction.atomic():
        user = User.objects.select_for_update(of=("self",), no_key=True).get(pk=UUID(subject_id))
        sessions.end_others(user, keep=None, actor=actor, now=now)
        if not user.is_active:
            return []
        User.objects.filter(pk=user.pk).update(is_active=False, link_generation=F("link_generation") + 1)
        record(Action.USER_DEACTIVATED, subject=("user", user.pk), actor=actor, now=now, because=BECAUSE)
    return [str(user.pk)]


def shut_customer(subject_id: str, *, actor: Actor, now: datetime) -> list[str]:
    """Shut out who logs in for the customer with the customer's own address; others act for it as before."""
    customer = Customer.objects.get(pk=UUID(subject_id))
    own = User.objects.filter(contacts__customer=customer, email__iexact=customer.email).distinct()
    shut: list[str] = []
    for user in own.order_by("pk"):
        shut += shut_user(str(user.pk), actor=actor, now=now)
    return shut


def let_in(ids: Sequence[str], *, actor: Actor, now: datetime) -> None:
    """Let those log in again."""
    with transaction.atomic():
        people = User.objects.select_for_update(of=("self",), no_key=True)
        for user in people.filter(pk__in=[UUID(each) for each in ids], is_active=False).order_by("pk"):
            User.objects.filter(pk=user.pk).update(is_active=True)
            record(Action.USER_REACTIVATED, subject=("user", user.pk), actor=actor, now=now, because=BECAUSE)


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


doors("user", shut=shut_user, let_in=let_in)
doors("customer", shut=shut_customer, let_in=let_in)
staff_are(_platform_staff)
address_changes("user", _user_moved)
address_changes("customer", _customer_moved)
