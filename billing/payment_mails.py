"""The mails that follow a payment: receipt, failure, a word needed. Sent by jobs, outside any transaction."""

from datetime import datetime
from uuid import UUID

from billing import mails, pay_links, presenting
from billing.models import Invoice, Payment
from billing.pdf import render
from billing.periods import local_date
from tenants.context import current_tenant
from tenants.mail import send
from tenants.message import RenderedMail


def send_receipt(payment_id: UUID, *, now: datetime) -> None:
    """Confirm that the money has come."""
    payment = _payment(payment_id)
    if payment.state != Payment.State.SUCCEEDED:
        return
    document = presenting.document_of(payment.invoice, now=now)
    paid_on = local_date(payment.settled_at or now, current_tenant().zone)
    mail = mails.receipt_mail(
        document, paid=payment.money, paid_on=paid_on, card=_card(payment), pdf=render(document)
    )
    _send(mail, payment)


def send_failure(payment_id: UUID, *, now: datetime) -> None:
    """Say that the saved card was declined, why, and where to pay otherwise; nothing once that is past."""
    payment = _payment(payment_id)
    if payment.state != Payment.State.FAILED or payment.invoice.status != Invoice.Status.OPEN:
        return
    document = presenting.document_of(payment.invoice, now=now)
    mail = mails.payment_failed_mail(document, decline_code=payment.failure_code, card=_card(payment))
    _send(mail, payment)


def send_confirmation_request(payment_id: UUID, *, now: datetime) -> None:
    """Send the link by which the card holder gives the bank its word."""
    payment = _payment(payment_id)
    if payment.state != Payment.State.NEEDS_ACTION or payment.invoice.status != Invoice.Status.OPEN:
        return
    document = presenting.document_of(payment.invoice, now=now)
    url = pay_links.url_for(payment.invoice, now)
    _send(mails.authentication_required_mail(document, confirm_url=url), payment)


def _payment(payment_id: UUID) -> Payment:
    return Payment.objects.select_related("invoice", "customer", "payment_method").get(pk=payment_id)


def _card(payment: Payment) -> str:
    card = payment.payment_method
    if card is not None:
        return f"{card.brand.title()} •••• {card.last4}"
    return payment.note if payment.method == Payment.Method.CARD else ""


def _send(mail: RenderedMail, payment: Payment) -> None:
    send(mail, to=payment.customer.email)
