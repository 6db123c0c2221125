"""Jobs of invoices: runs, mails, and the daily proof of the ledger."""

from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Exists, OuterRef

from audit.actors import Actor
from billing import mailing
from billing.ledger_checking import check
from billing.running import run_invoices
from tenants import clock
from tenants.context import current_tenant
from tenants.errors import ParkNow
from tenants.jobs import Asked, enqueue_many, job, planner
from tenants.models import Job, Tenant

NEW = timedelta(hours=1)


class LedgerDiffers(ParkNow):
    """The ledger check found a difference; the job is parked with the findings for a person to see."""


@job("billing.run_invoices", outside=True)
def run(**_: str) -> None:
    """Bill what is due in this tenant; commits chunk by chunk."""
    run_invoices(actor=Actor.system("invoice run"), now=clock.now())


@job("billing.mail_invoice", outside=True)
def mail_invoice(*, invoice_id: str, again: bool = False) -> None:
    """Mail the invoice with its PDF, unless that was done or is no longer right."""
    if current_tenant().is_rehearsal:
        return  # a rehearsal writes to nobody
    mailing.deliver(UUID(invoice_id), again=again, actor=Actor.system("mail"), now=clock.now())


@job("billing.check_ledger", outside=True)
def check_ledger(**_: str) -> None:
    """Recompute the ledger; a difference fails loudly."""
    report = check()
    if not report.is_whole:
        raise LedgerDiffers("; ".join(f"{each.what}: {each.detail}" for each in report.findings[:20]))


@planner
def plan_runs(now: datetime) -> None:
    """Ask for a run for each tenant that has something due by now; once for each time it was set to."""
    due = Tenant.objects.filter(
        next_run_at__lte=now, is_rehearsal=False, status=Tenant.Status.ACTIVE
    ).values_list("schema_name", "next_run_at")
    for schema, at in due:
        assert at is not None
        key = f"run:{schema}:{at.isoformat()}"
        enqueue_many([Asked("billing.run_invoices", key=key)], schema=schema)


@planner
def plan_ledger_checks(now: datetime) -> None:
    """Ask for each tenant's ledger check once a day, spread over three hours by the tenant's id."""
    key = f"ledger:{now.date().isoformat()}"
    asked = Job.objects.filter(schema_name=OuterRef("schema_name"), key=key)
    tenants = Tenant.objects.filter(
        ~Exists(asked), is_rehearsal=False, status=Tenant.Status.ACTIVE, created_at__lt=now - NEW
    )
    for schema, number in tenants.values_list("schema_name", "id"):
        at = now + timedelta(seconds=number.int % 10_800)
        enqueue_many([Asked("billing.check_ledger", run_at=at, key=key)], schema=schema)
