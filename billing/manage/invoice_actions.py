"""What is done to an invoice: issue, send, void, record a payment, resume."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_http_methods, require_POST

from accounts.pages import page_for
from accounts.permissions import may_bill, may_send_mail
from billing import drafting, issuing, mailing, payments, resuming, unparking, voiding, withdrawing
from billing.errors import Refused
from billing.manage.answers import acting, done, sent, show, today
from billing.manage.forms.invoices import ManualPaymentForm, NotPaidForm, VoidForm
from billing.manage.forms.parts import digits
from billing.manage.invoices import load
from billing.models import Invoice, Payment
from tenants import limits
from tenants.throttling import MAIL


@require_POST
@page_for(may_bill)
def issue(request: HttpRequest, invoice_id: UUID) -> HttpResponse:
    invoice = load(invoice_id)
    try:
        issued = issuing.issue(invoice, **acting(request))
        messages.success(request, f"Issued as {issued.number}. It is on its way by mail.")
    except Refused as refused:
        messages.error(request, str(refused))
    return redirect("manage:invoice", invoice_id)


@require_POST
@page_for(may_bill)
def discard(request: HttpRequest, invoice_id: UUID) -> HttpResponse:
    try:
        drafting.delete_draft(load(invoice_id), **acting(request))
    except Refused as refused:
        messages.error(request, str(refused))
        return redirect("manage:invoice", invoice_id)
    messages.success(request, "The draft is thrown away.")
    return redirect("manage:invoices")


@require_POST
@page_for(may_send_mail)
def send(request: HttpRequest, invoice_id: UUID) -> HttpResponse:
    invoice = load(invoice_id)
    limits.spend(request, MAIL, account=invoice.customer.email)
    try:
        mailing.send_again(invoice, **acting(request))
        messages.success(request, f"It is on its way to {invoice.customer.email}.")
    except Refused as refused:
        messages.error(request, str(refused))
    return redirect("manage:invoice", invoice_id)


@require_POST
@page_for(may_bill)
def resume(request: HttpRequest, invoice_id: UUID) -> HttpResponse:
    """Lift what a dispute about it has paused."""
    try:
        resuming.resume_invoice(load(invoice_id), **acting(request))
        messages.success(request, "The invoice is charged by itself again.")
    except Refused as refused:
        messages.error(request, str(refused))
    return redirect("manage:invoice", invoice_id)


@require_http_methods(["GET", "HEAD", "POST"])
@page_for(may_bill)
def void(request: HttpRequest, invoice_id: UUID) -> HttpResponse:
    invoice = load(invoice_id)
    form = VoidForm(sent(request))
    if form.is_valid() and done(form, lambda: _void(request, invoice, form)):
        messages.success(request, f"{invoice.number} is void. Nothing is to be paid for it any more.")
        return redirect("manage:invoice", invoice_id)
    return show(request, "manage/invoices/void.html", form, invoice=invoice)


@require_http_methods(["GET", "HEAD", "POST"])
@page_for(may_bill)
def record_payment(request: HttpRequest, invoice_id: UUID) -> HttpResponse:
    invoice = load(invoice_id)
    due = invoice.amount_due
    initial = {"amount": digits(due.minor, due.currency), "received_on": today()}
    form = ManualPaymentForm(sent(request), due=due, initial=initial)
    if form.is_valid() and done(form, lambda: _record(request, invoice, form)):
        messages.success(request, "The payment is recorded.")
        return redirect("manage:invoice", invoice_id)
    return show(request, "manage/invoices/payment.html", form, invoice=invoice)


@require_POST
@page_for(may_bill)
def ask_payment(request: HttpRequest, invoice_id: UUID, payment_id: UUID) -> HttpResponse:
    """Ask Stripe once more about a payment that waits for a person."""
    payment = _payment(invoice_id, payment_id)
    try:
        asked = unparking.ask_again(payment, **acting(request))
        messages.success(request, f"Stripe was asked. The payment is: {asked.get_state_display().lower()}.")
    except Refused as refused:
        messages.error(request, str(refused))
    return redirect("manage:invoice", invoice_id)


@require_POST
@page_for(may_bill)
def end_payment(request: HttpRequest, invoice_id: UUID, payment_id: UUID) -> HttpResponse:
    """End a payment that waits for its payer."""
    try:
        withdrawing.end(_payment(invoice_id, payment_id), **acting(request))
        messages.success(request, "The payment is ended, at Stripe too. The invoice can be paid again.")
    except Refused as refused:
        messages.error(request, str(refused))
    return redirect("manage:invoice", invoice_id)


@require_POST
@page_for(may_bill)
def take_in_payment(request: HttpRequest, invoice_id: UUID, payment_id: UUID) -> HttpResponse:
    """Book what Stripe has taken by a payment that waits for a person because it does not fit."""
    payment = _payment(invoice_id, payment_id)
    try:
        unparking.take_in(payment, **acting(request))
        messages.success(request, "The money is booked. What is more than was due is the customer's credit.")
    except Refused as refused:
        messages.error(request, str(refused))
    return redirect("manage:invoice", invoice_id)


@require_http_methods(["GET", "HEAD", "POST"])
@page_for(may_bill)
def payment_absent(request: HttpRequest, invoice_id: UUID, payment_id: UUID) -> HttpResponse:
    """Say that a payment that waits for a person did not happen."""
    payment = _payment(invoice_id, payment_id)
    form = NotPaidForm(sent(request))
    if form.is_valid() and done(
        form, lambda: unparking.did_not_happen(payment, **form.cleaned_data, **acting(request))
    ):
        messages.success(request, "The payment is canceled. The invoice can be paid again.")
        return redirect("manage:invoice", invoice_id)
    return show(request, "manage/invoices/absent.html", form, invoice=payment.invoice, payment=payment)


def _void(request: HttpRequest, invoice: Invoice, form: VoidForm) -> None:
    withdrawing.make_way(invoice, **acting(request))
    voiding.void(invoice, **form.cleaned_data, **acting(request))


def _record(request: HttpRequest, invoice: Invoice, form: ManualPaymentForm) -> None:
    withdrawing.make_way(invoice, **acting(request))
    payments.record_manual(invoice, **form.cleaned_data, **acting(request))


def _payment(invoice_id: UUID, payment_id: UUID) -> Payment:
    rows = Payment.objects.select_related("invoice")
    return get_object_or_404(rows, pk=payment_id, invoice_id=invoice_id)
