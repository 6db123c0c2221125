"""The invoice's page says truthfully whether its mail went out, waits, or cannot be sent."""

import re
import smtplib
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from accounts.models import Customer
from billing import mail_standing, mailing
from billing.models import Invoice
from tenants.context import enter_public
from tenants.models import Job
from tenants.working import BACKOFF, claim_job, put_back

from . import rows


@pytest.fixture
def invoice(customer: Customer, actor: Any, now: datetime) -> Invoice:
    return rows.issued(customer, actor=actor, now=now)


def shown(staff: Client, invoice: Invoice) -> str:
    """The words of the page, with what is in the row of the mail."""
    page = staff.get(f"/manage/invoices/{invoice.pk}/").content.decode()
    row = re.search(r"<dt>Mail</dt><dd>(.*?)</dd>", page, re.DOTALL)
    assert row
    return " ".join(re.sub(r"<[^>]+>", " ", row[1]).split())


def mail_job() -> Job:
    """The last one asked for; what other tests asked for in times to come is not it."""
    asked = Job.objects.filter(name="billing.mail_invoice", created_at__lte=datetime.now(UTC))
    return asked.latest("created_at", "pk")


def attempted(job: Job, *, times: int = 1) -> None:
    """Let the job fail as a worker does."""
    with enter_public():
        for _ in range(times):
            at = Job.objects.values_list("run_at", flat=True).get(pk=job.pk)
            claim = claim_job(job.pk, now=at)
            assert claim is not None
            put_back(claim, error=smtplib.SMTPRecipientsRefused({"a@b.example": (550, b"<no such>")}), now=at)


def test_it_is_not_sent_until_it_is(staff: Client, invoice: Invoice, now: datetime) -> None:
    assert shown(staff, invoice) == "Not sent yet. It goes out in a moment."
    with enter_public():
        Job.objects.filter(pk=mail_job().pk).update(state="done", done_at=now)
    Invoice.objects.filter(pk=invoice.pk).update(sent_at=now)
    assert shown(staff, invoice).startswith("Sent on Nov 23, 2026")


def test_an_attempt_that_failed_is_told_with_its_reason(staff: Client, invoice: Invoice) -> None:
    attempted(mail_job())
    words = shown(staff, invoice)
    assert words.startswith("Not sent yet. The last attempt failed:")
    assert "The mail server refuses the address. The next one is at" in words
    assert "Traceback" not in words
    page = staff.get(f"/manage/invoices/{invoice.pk}/").content.decode()
    assert "The mail has not gone out yet" in page
    assert "Try to send now" in page
    assert f'action="/manage/invoices/{invoice.pk}/send/"' in page


def test_one_that_is_parked_cannot_be_sent_until_somebody_sends_it(
    staff: Client, invoice: Invoice, now: datetime
) -> None:
    attempted(mail_job(), times=len(BACKOFF) + 1)
    assert mail_job().state == "parked"
    assert "Cannot be sent: The mail server refuses the address" in shown(staff, invoice)
    staff.post(f"/manage/invoices/{invoice.pk}/send/")
    assert shown(staff, invoice) == "Not sent yet. It goes out in a moment."
    later = mail_job().run_at + timedelta(seconds=1)
    with enter_public():
        assert claim_job(mail_job().pk, now=later)
        Job.objects.filter(pk=mail_job().pk).update(state="done", leased_until=None, done_at=later)
    Invoice.objects.filter(pk=invoice.pk).update(sent_at=Job.objects.latest("run_at").run_at)
    assert "Cannot" not in shown(staff, invoice), "what failed before it went out counts no more"


def test_sent_and_again(staff: Client, invoice: Invoice, actor: Any, now: datetime) -> None:
    Invoice.objects.filter(pk=invoice.pk).update(sent_at=mail_job().run_at)
    invoice.refresh_from_db()
    mailing.send_again(invoice, actor=actor, now=now)
    words = shown(staff, invoice)
    assert words.startswith("Sent on ")
    assert words.endswith("It goes out again in a moment.")
    attempted(mail_job(), times=len(BACKOFF) + 1)
    assert shown(staff, invoice).startswith("Sent on ")
    assert "Cannot be sent:" in shown(staff, invoice)


def test_what_nobody_is_about_to_send_is_told(staff: Client, invoice: Invoice, tenant: Any) -> None:
    with enter_public():
        Job.objects.filter(pk=mail_job().pk).delete()
    assert shown(staff, invoice) == "Not sent yet. Nothing is about to send it."
    tenant.is_rehearsal = True
    try:
        assert mail_standing.standing_of(invoice).state == "none"
    finally:
        tenant.is_rehearsal = False


def test_drafts_and_void_ones(
    staff: Client, invoice: Invoice, customer: Customer, actor: Any, now: Any
) -> None:
    draft = rows.draft(customer, actor=actor, now=now)
    assert shown(staff, draft) == "Not yet: issue it first"
    Invoice.objects.filter(pk=invoice.pk).update(status="void", voided_at=now)
    assert shown(staff, invoice) == "Not sent"


def test_another_invoices_mail_says_nothing_of_this_one(
    staff: Client, invoice: Invoice, customer: Customer, actor: Any, now: Any
) -> None:
    attempted(mail_job())
    other = rows.issued(customer, actor=actor, now=now)
    assert shown(staff, other) == "Not sent yet. It goes out in a moment."
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM tenants_job WHERE name = 'billing.mail_invoice'")
        assert cursor.fetchone()[0] == 2
