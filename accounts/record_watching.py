"""Watching over the audit record: it is walked every night, and people are told when it is not whole."""

from datetime import datetime

from django.db import transaction

from accounts.models import User
from accounts.people import owners
from audit.actions import Action
from audit.actors import Actor
from audit.recording import record
from tenants import record_checking
from tenants.context import current_schema, current_tenant, enter_public, in_public
from tenants.jobs import enqueue
from tenants.record_checking import Checked


def watch(*, actor: Actor, now: datetime) -> Checked:
    """Walk the record of the schema entered; a problem is recorded and told once: to owners and platform."""
    found = record_checking.check(now=now)
    with transaction.atomic():
        if found.problem is None or not record_checking.to_be_told(now=now):
            return found
        record(
            Action.AUDIT_BROKEN, subject=("audit", current_schema()), actor=actor, now=now,
            problem=found.problem,
        )  # fmt: skip
        business = "ProEcommerce" if in_public() else current_tenant().name
        _ask_mails([] if in_public() else owners(), business, found.problem)
        with enter_public():
            _ask_mails(list(User.objects.filter(is_active=True)), business, found.problem)
    return found


def _ask_mails(people: list[User], business: str, problem: str) -> None:
    for person in people:
        enqueue("accounts.mail_record_broken", user_id=str(person.pk), business=business, problem=problem)
