"""Whether an invoice's mail has gone out, waits, or cannot be sent: read from the invoice and its jobs."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import QuerySet

from billing.models import Invoice
from tenants.context import current_tenant
from tenants.models import Job

JOB = "billing.mail_invoice"
# What the last line of an attempt's traceback begins with, and what it means to the tenant.
REASONS = {
    "The mail server refuses the address": {"SMTPRecipientsRefused"},
    "The mail server refuses the mail": {"SMTPDataError", "SMTPSenderRefused", "SMTPAuthenticationError"},
    "The mail server does not answer": {
        "ConnectionRefusedError", "ConnectionResetError", "TimeoutError", "gaierror", "SMTPConnectError",
        "SMTPServerDisconnected", "SMTPHeloError", "OSError",
    },
}  # fmt: skip
OUR_SIDE = "Something failed on our side, and waits to be looked into"


@dataclass(frozen=True, slots=True)
class MailStanding:
    """How it stands; `error` is why the last attempt failed, `again_at` when the next one is due.

    `state`: none (nothing is to be sent), sent, waiting, failing (tried, and tried again), stuck, unsent.
    """

    state: str
    sent_at: datetime | None = None
    error: str = ""
    again_at: datetime | None = None

    @property
    def tone(self) -> str:
        return {"failing": "warn", "stuck": "bad", "unsent": "warn"}.get(self.state, "")

    @property
    def is_in_trouble(self) -> bool:
        return self.state in {"failing", "stuck"}


def standing_of(invoice: Invoice) -> MailStanding:
    """Tell how it stands with the mail of this invoice. What was tried before it went out does not count."""
    if invoice.status not in {Invoice.Status.OPEN, Invoice.Status.PAID}:
        return MailStanding("sent" if invoice.sent_at else "none", invoice.sent_at)
    jobs = list(_open(invoice))
    under_way = [job for job in jobs if job.state != Job.State.PARKED]
    if under_way:
        job = under_way[-1]
        error = _reason(job)
        return MailStanding("failing" if error else "waiting", invoice.sent_at, error, job.run_at)
    if jobs:
        return MailStanding("stuck", invoice.sent_at, _reason(jobs[-1]) or "the reason is not known")
    return MailStanding("sent" if invoice.sent_at else _silent(), invoice.sent_at)


def _open(invoice: Invoice) -> QuerySet[Job]:
    states = (Job.State.WAITING, Job.State.RUNNING, Job.State.PARKED)
    schema = current_tenant().schema_name
    jobs = Job.objects.filter(
        schema_name=schema, state__in=states, name=JOB, args__invoice_id=str(invoice.pk)
    ).order_by("run_at", "pk")
    return jobs if invoice.sent_at is None else jobs.filter(run_at__gt=invoice.sent_at)


def _silent() -> str:
    """Nothing was sent and nothing is about to be: so it is meant to be in a rehearsal."""
    return "none" if current_tenant().is_rehearsal else "unsent"


def _reason(job: Job) -> str:
    """Why the last attempt failed, in words; the whole of it stands in the platform's admin."""
    lines = [line.strip() for line in job.last_error.splitlines() if line.strip()]
    if not lines:
        return ""
    kind = lines[-1].partition(":")[0].rpartition(".")[2]
    return next((words for words, kinds in REASONS.items() if kind in kinds), OUR_SIDE)
