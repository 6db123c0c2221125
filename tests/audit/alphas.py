"""Alpha's record over two years, and what the verifier says of it."""

from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import transaction

from audit.actions import Action
from audit.actors import Actor
from audit.models import AuditEvent, Checkpoint
from audit.recording import record
from audit.verifying import verify
from tenants import testimony
from tenants.context import enter_public
from tests.conftest import NOW

ADA = Actor("user", "7", "Ada", ip="192.0.2.1", user_agent="pytest")
LONG_AGO = datetime(2024, 9, 1, tzinfo=UTC)
CHECKPOINTS = (datetime(2024, 10, 1, tzinfo=UTC), datetime(2026, 11, 1, tzinfo=UTC), NOW - timedelta(days=1))
SYSTEM = Actor.system("retention")


def add(at: datetime, *, action: Action = Action.CUSTOMER_CHANGED, **details: Any) -> AuditEvent:
    with transaction.atomic():
        event_id = record(action, subject=("customer", "9"), actor=ADA, now=at, after=details)
    return AuditEvent.objects.get(pk=event_id)


def found(*, outside: bool = True) -> list[str]:
    """What the verifier says of alpha's chain, the checkpoints and the copies outside."""
    said = [verify(testimony.whole()).problem, testimony.problem_here()]
    if outside:
        said.append(testimony.problem_outside())
    return [each for each in said if each]


def taken() -> list[Checkpoint]:
    with enter_public():
        return list(Checkpoint.objects.order_by("number"))
