"""A person's own name."""

from datetime import datetime

from django.db import transaction

from accounts.errors import Refused
from accounts.models import User
from audit.actions import Action
from audit.actors import Actor
from audit.recording import record


def rename(user: User, name: str, *, actor: Actor, now: datetime) -> bool:
    """Call the person so from now on; returns whether that is another name. Raises `Refused` for none."""
    wanted = " ".join(name.split())
    if not wanted:
        raise Refused("A name cannot be empty.")
    with transaction.atomic():
        locked = User.objects.select_for_update(of=("self",), no_key=True).get(pk=user.pk)
        before = locked.name
        if before == wanted:
            return False
        locked.name = wanted
        locked.save(update_fields=["name"])
        record(
            Action.USER_RENAMED, subject=("user", user.pk), actor=actor, now=now,
            personal={"before": {"name": before}, "after": {"name": wanted}},
        )  # fmt: skip
    return True
