"""The overview, invoices, and one invoice with its PDF."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_safe

from accounts.models import Contact
from accounts.permissions import may_enter, may_see_invoices
from billing import customer_queries, presenting
from billing.models import BillingSettings, Invoice, Payment
from billing.paging import Place
from billing.pdf import render as draw
from billing.periods import local_date
from billing.portal.access import CustomerRequest, customer_page
from billing.portal.forms import FilterForm
from tenants import clock, limits
from tenants.throttling import COSTLY

# A payment that the payer can do nothing about but wait for: another one might charge twice.
OUT_OF_HAND = (Payment.State.PROCESSING, Payment.State.UNKNOWN, Payment.State.PARKED)


@require_safe
@customer_page(may_enter)
def home_page(request: CustomerRequest) -> HttpResponse:
    """What is due, what comes next, how it is paid."""
    customer, today = request.customer, local_date(clock.now(), request.tenant.zone)
    context = {
        "today": today,
        "balances": customer_queries.balances(customer, today=today),
        "due": customer_queries.first_due(customer, limit=5),
        "renewals": customer_queries.renewals(customer, limit=3),
        "recent": customer_queries.recent(customer, limit=5),
        "card": customer_queries.default_card(customer),
        "autopay": customer_queries.autopay_of(customer),
        "takes_cards": customer_queries.takes_cards(),
        "team": Contact.objects.filter(customer=customer).count(),
    }
    return render(request, "portal/home.html", context)


@require_safe
@customer_page(may_see_invoices)
def invoices_page(request: CustomerRequest) -> HttpResponse:
    """All invoices, by status and year, found by number."""
    customer, today = request.customer, local_date(clock.now(), request.tenant.zone)
    form = FilterForm(request.GET, years=customer_queries.years(customer))
    wanted, numbers = form.wanted(), customer_queries.counts(customer, today=today)
    words = (("All", ""), ("Open", "open"), ("Overdue", "overdue"), ("Paid", "paid"), ("Void", "void"))
    context = {
        "today": today,
        "form": form,
        "wanted": wanted,
        "filtered": bool(wanted.search or wanted.year),
        "choices": [(label, key, numbers[key]) for label, key in words],
        "page": customer_queries.invoices(customer, wanted, Place.of(request.GET), today=today),
        "any": numbers[""] > 0,
    }
    return render(request, "portal/invoices.html", context)


@require_safe
@customer_page(may_see_invoices)
def invoice_page(request: CustomerRequest, invoice_id: UUID) -> HttpResponse:
    """One invoice: lines, tax, payments, what happened to it."""
    try:
        view = customer_queries.invoice_view(request.customer, invoice_id)
    except Invoice.DoesNotExist as error:
        raise Http404 from error
    invoice = view.invoice
    context = {
        "view": view,
        "invoice": invoice,
        "today": local_date(clock.now(), request.tenant.zone),
        "seller": _party(invoice.seller, invoice.locale),
        "buyer": _party(invoice.buyer, invoice.locale),
        "settings": BillingSettings.objects.only("email", "phone").get(),
        "takes_cards": customer_queries.takes_cards(),
        "autopay": customer_queries.autopay_of(request.customer),
        "card": customer_queries.default_card(request.customer),
        "waiting": view.in_flight is not None and view.in_flight.state in OUT_OF_HAND,
    }
    return render(request, "portal/invoice.html", context)


@require_safe
@customer_page(may_see_invoices)
def invoice_pdf_page(request: CustomerRequest, invoice_id: UUID) -> HttpResponse:
    """The invoice as PDF."""
    try:
        invoice = customer_queries.invoice(request.customer, invoice_id)
    except Invoice.DoesNotExist as error:
        raise Http404 from error
    limits.spend(request, COSTLY, account=str(request.user.pk))
    pdf = draw(presenting.document_of(invoice, now=clock.now()))
    name = content_disposition_header(as_attachment=True, filename=f"{invoice.number}.pdf")
    return HttpResponse(pdf, content_type="application/pdf", headers={"Content-Disposition": name or ""})


def _party(fields: Mapping[str, str], locale: str) -> dict[str, Any]:
    """A side of the invoice as it stood at issue."""
    name, business = fields.get("name", ""), fields.get("business_name", "")
    return {
        "title": business or name,
        "contact": name if business and name != business else "",
        "lines": presenting.address_lines(fields, locale),
        "tax_id": fields.get("tax_id", ""),
    }
