"""Of whom a tenant demands a second factor."""

from datetime import datetime

from django.db import transaction

from accounts.factors import demand
from accounts.models import LogInPolicy
from audit.actions import Action
from audit.actors import Actor
from audit.recording import record


def set_demand(asked: str, *, actor: Actor, now: datetime) -> None:
    """Demand a second factor of nobody, of staff or of everyone; it holds from the next page they open."""
    wanted = LogInPolicy.Demand(asked)
    with transaction.atomic():
        before = demand()
        if before == wanted:
            return
        LogInPolicy.objects.update_or_create(id=1, defaults={"demand": wanted})
        record(
            Action.LOG_IN_POLICY_CHANGED, subject=("settings", "log-in"), actor=actor, now=now,
            before={"second_factor": str(before)}, after={"second_factor": wanted.value},
        )  # fmt: skip
