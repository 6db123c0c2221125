"""Asking for an invoice run at once, before the clock would bring it."""

from datetime import datetime

from django.db import transaction

from audit.actions import Action
from audit.actors import Actor
from audit.recording import record
from tenants.context import current_tenant
from tenants.jobs import enqueue


def ask_run(*, actor: Actor, now: datetime) -> None:
    """Have the invoice run started now. It bills what is due; asked for again, it bills nothing twice."""
    with transaction.atomic():
        record(Action.RUN_ASKED, subject=("tenant", current_tenant().pk), actor=actor, now=now)
        enqueue("billing.run_invoices")
