"""Mailing invoices: what is sent, by job and again on request, and the record that it was."""

from datetime import datetime
from uuid import UUID

from django.db import transaction

from audit.actions import Action
from audit.actors import Actor
from audit.recording import record
from billing import mails, payments, presenting
from billing.errors import Refused
from billing.models import Invoice, PaymentMethod
from billing.pdf import render
from tenants.jobs import enqueue
from tenants.mail import send


def send_again(invoice: Invoice, *, actor: Actor, now: datetime) -> None:
    """Ask for the invoice's mail now, or once more. Raises `Refused` for a draft or a void one."""
    with transaction.atomic():
        locked = Invoice.objects.select_for_update(of=("self",), no_key=True).get(pk=invoice.pk)
        if locked.status not in {Invoice.Status.OPEN, Invoice.Status.PAID}:
            raise Refused(f"A {locked.get_status_display().lower()} invoice is not sent.")
        record(
            Action.INVOICE_SEND_ASKED,
            subject=("invoice", locked.pk),
            actor=actor,
            now=now,
            number=locked.number,
        )
        # Never sent so far: whichever mail job comes first sends it, and the others find it sent.
        enqueue("billing.mail_invoice", invoice_id=str(locked.pk), again=locked.sent_at is not None)


def deliver(invoice_id: UUID, *, again: bool, actor: Actor, now: datetime) -> bool:
    """Write the mail with its PDF, hand it to the mail server, record it; False when there is none to send.

    Talks to the world: call it outside a transaction. A mail server that does not answer raises. A crash
    between the server's word and ours sends a second copy: at least once, and never lost.
    """
    invoice = Invoice.objects.select_related("customer").get(pk=invoice_id)
    if invoice.status not in {Invoice.Status.OPEN, Invoice.Status.PAID}:
        return False
    if invoice.sent_at is not None and not again:
        return False
    to = invoice.customer.email
    document = presenting.document_of(invoice, now=now)
    card = _autopay_card(invoice, now)
    mail = mails.invoice_mail(
        document,
        pdf=render(document),
        autopay_card=card,
        autopay_on=invoice.due_on if card else None,
    )
    message_id = send(mail, to=to, from_name=document.seller.title, reply_to=document.seller.email)
    with transaction.atomic():
        Invoice.objects.filter(pk=invoice.pk).update(sent_at=now)
        record(
            Action.INVOICE_SENT,
            subject=("invoice", invoice.pk),
            actor=actor,
            now=now,
            number=invoice.number,
            message_id=message_id,
            personal={"to": to},
            about=("customer", invoice.customer_id),
        )
    return True


def _autopay_card(invoice: Invoice, now: datetime) -> str:
    """The card that will be charged by itself on the due date, as its owner knows it."""
    if not payments.will_collect(invoice, now=now):
        return ""
    card = PaymentMethod.objects.filter(
        customer=invoice.customer_id, is_default=True, removed_at__isnull=True
    ).first()
    return f"{card.brand.title()} •••• {card.last4}" if card else ""
