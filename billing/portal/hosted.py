"""One invoice for whoever holds its link: no log-in, no navigation, nothing stored on the way."""

from collections.abc import Callable
from contextlib import suppress
from functools import wraps
from typing import Any
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_http_methods, require_safe

from accounts import humans
from accounts.acting import actor_of
from accounts.pages import declares
from accounts.permissions import may_use_pay_link
from billing import customer_queries, mailing, pay_links, presenting
from billing.errors import Refused
from billing.models import BillingSettings, Invoice
from billing.pdf import render as draw
from billing.periods import local_date
from billing.portal.forms import FreshLinkForm
from billing.portal.paying import frames_card_form, paying_context, status_answer
from billing.portal.standing import pay, standing_of
from tenants import clock, limits
from tenants.context import current_tenant
from tenants.throttling import COSTLY, PAY_LINK

Page = Callable[..., HttpResponse]


def linked_invoice(page: Page) -> Page:
    """Give the page the invoice that its token opens; say what to do when it opens none (any more)."""

    @wraps(page)
    def guarded(request: HttpRequest, token: str) -> HttpResponse:
        if not may_use_pay_link(request.user):
            raise PermissionDenied
        with timezone.override(current_tenant().zone):
            try:
                invoice = _find(pay_links.resolve(token, clock.now()))
                response = page(request, token, invoice)
            except pay_links.LinkExpired as expired:
                response = _expired(request, expired.invoice)
            except (pay_links.LinkBad, Invoice.DoesNotExist):
                response = render(request, "pay/link_bad.html", _contact(), status=404)
        response["Cache-Control"] = "no-store"
        # not "no-referrer": forms would come with "Origin: null", which the CSRF check refuses
        response["Referrer-Policy"] = "same-origin"
        response["X-Robots-Tag"] = "noindex"
        return response

    return declares(guarded, may_use_pay_link, may_use_pay_link)


@linked_invoice  # outside: an expired link takes the form that asks for a fresh one
@require_safe
def invoice_page(request: HttpRequest, token: str, invoice: Invoice) -> HttpResponse:
    """The invoice, and the way to pay it."""
    context = {
        "view": customer_queries.invoice_view(invoice.customer, invoice.pk),
        "today": local_date(clock.now(), current_tenant().zone),
        "step": standing_of(invoice).step.value,
        "pay_url": reverse("hosted:pay", args=[token]),
        "pdf_url": reverse("hosted:pdf", args=[token]),
        **_contact(),
    }
    return render(request, "pay/invoice.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@frames_card_form
@linked_invoice
def pay_page(request: HttpRequest, token: str, invoice: Invoice) -> HttpResponse:
    """POST begins the payment or goes on with it, GET shows where it stands."""
    if request.method == "POST":
        pay(invoice, actor=actor_of(request), now=clock.now())
        return redirect("hosted:pay", token)
    context = paying_context(request, invoice, standing_of(invoice))
    context |= {
        "pay_url": request.path,
        "status_url": reverse("hosted:status", args=[token]),
        "invoice_url": reverse("hosted:invoice", args=[token]),
        **_contact(),
    }
    return render(request, "pay/hosted.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@linked_invoice
def status_page(request: HttpRequest, token: str, invoice: Invoice) -> HttpResponse:
    """Where it stands, for the page's script; POST asks Stripe first."""
    return status_answer(request, lambda: _find(invoice.pk))


@linked_invoice
@require_safe
def pdf_page(request: HttpRequest, token: str, invoice: Invoice) -> HttpResponse:
    """The invoice as PDF."""
    limits.spend(request, COSTLY)
    pdf = draw(presenting.document_of(invoice, now=clock.now()))
    name = content_disposition_header(as_attachment=True, filename=f"{invoice.number}.pdf")
    return HttpResponse(pdf, content_type="application/pdf", headers={"Content-Disposition": str(name)})


def _find(invoice_id: UUID) -> Invoice:
    issued = Invoice.objects.exclude(status=Invoice.Status.DRAFT)
    return issued.select_related("customer").get(pk=invoice_id)


def _expired(request: HttpRequest, invoice_id: UUID) -> HttpResponse:
    """Offer a fresh link, sent to the invoice's own address only; the answer tells nobody which that is."""
    form = FreshLinkForm(request.POST if request.method == "POST" else None)
    if form.is_valid() and humans.passes(request, form):
        limits.spend(request, PAY_LINK, account=str(invoice_id))
        invoice = _find(invoice_id)
        if form.cleaned_data["email"].casefold() == invoice.customer.email.casefold():
            with suppress(Refused):
                mailing.send_again(invoice, actor=actor_of(request), now=clock.now())
        return render(request, "pay/link_expired.html", {"asked": True, **_contact()})
    status = 422 if form.is_bound else 410
    return render(request, "pay/link_expired.html", {"form": form, **_contact()}, status=status)


def _contact() -> dict[str, Any]:
    settings = BillingSettings.objects.only("email", "phone", "business_name").get()
    return {"settings": settings}
