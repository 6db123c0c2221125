"""Pages about invoices: the list, one of them, drafts being written."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_http_methods, require_safe

from accounts.pages import page_for
from accounts.permissions import may_bill, may_see_customers
from billing import drafting, listing, mail_standing, pauses, presenting, trail
from billing.manage.answers import acting, attempt, done, is_narrowed, narrowing, page, sent, show, today
from billing.manage.choosing import choose_customer, chosen_customer
from billing.manage.drafts import Draft, due_by_default
from billing.manage.forms.invoices import InvoiceFilter
from billing.models import Invoice
from billing.paging import Place
from billing.pdf import render as draw
from tenants import clock, limits
from tenants.context import current_tenant
from tenants.throttling import COSTLY

TABS = [
    ("All", ""), ("Drafts", "draft"), ("Open", "open"), ("Overdue", "overdue"),
    ("Failed payments", "failed"), ("Paid", "paid"), ("Void", "void"),
]  # fmt: skip


@require_safe
@page_for(may_see_customers)
def index(request: HttpRequest) -> HttpResponse:
    form = InvoiceFilter(request.GET, currencies=listing.currencies_in_use(current_tenant().currency))
    asked = narrowing(form)
    words: dict[str, Any] = {name: asked[name] or "" for name in ("status", "currency")}
    rest: dict[str, Any] = {name: asked[name] for name in ("due_from", "due_to", "customer")}
    wanted = listing.InvoiceFilter(search=asked["q"] or "", **words, **rest)
    return page(
        request,
        "manage/invoices/index.html",
        page=listing.invoices(wanted, Place.of(request.GET), today=today()),
        sums=listing.invoice_sums(wanted, today=today()),
        form=form,
        filtered=is_narrowed(form),
        tabs=TABS,
    )


@require_safe
@page_for(may_see_customers)
def detail(request: HttpRequest, invoice_id: UUID) -> HttpResponse:
    invoice = load(invoice_id)
    payments = listing.payments_for(invoice)
    subjects: dict[str, list[object]] = {
        "invoice": [invoice.pk],
        "payment": [row.payment.pk for row in payments],
    }
    return page(
        request,
        "manage/invoices/detail.html",
        invoice=invoice,
        document=presenting.document_of(invoice, now=clock.now()),
        lines=[(line, listing.span_of(line)) for line in invoice.lines.all()],
        payments=payments,
        mail=mail_standing.standing_of(invoice),
        pause=pauses.of_invoice(invoice),
        history=trail.history_of(subjects),
    )


@require_http_methods(["GET", "HEAD", "POST"])
@page_for(may_bill)
def new(request: HttpRequest) -> HttpResponse:
    customer = chosen_customer(request)
    if customer is None:
        return choose_customer(request, "invoice")
    draft = Draft(sent(request), currency=customer.currency, due_on=due_by_default())
    if draft.is_valid():
        made = attempt(draft.form, lambda: drafting.draft(customer, **draft.content(), **acting(request)))
        if made:
            messages.success(request, "The draft is saved. Issue it when it is right.")
            return redirect("manage:invoice", made.pk)
    return show(request, "manage/invoices/form.html", draft.form, rows=draft.rows, customer=customer)


@require_http_methods(["GET", "HEAD", "POST"])
@page_for(may_bill)
def edit(request: HttpRequest, invoice_id: UUID) -> HttpResponse:
    invoice = load(invoice_id)
    if invoice.status != Invoice.Status.DRAFT:
        messages.error(request, "An issued invoice never changes. Void it and write a new one.")
        return redirect("manage:invoice", invoice.pk)
    draft = Draft(sent(request), currency=invoice.currency, due_on=invoice.due_on, invoice=invoice)
    if draft.is_valid() and done(
        draft.form, lambda: drafting.change_draft(invoice, **draft.content(), **acting(request))
    ):
        messages.success(request, "The draft is saved.")
        return redirect("manage:invoice", invoice.pk)
    context = {"rows": draft.rows, "customer": invoice.customer, "invoice": invoice}
    return show(request, "manage/invoices/form.html", draft.form, **context)


@require_safe
@page_for(may_see_customers)
def pdf(request: HttpRequest, invoice_id: UUID) -> HttpResponse:
    invoice = load(invoice_id)
    limits.spend(request, COSTLY, account=str(request.user.pk))
    drawn = draw(presenting.document_of(invoice, now=clock.now()))
    response = HttpResponse(drawn, content_type="application/pdf")
    response["Content-Disposition"] = f'attachment; filename="{invoice.number or "draft"}.pdf"'
    return response


def load(invoice_id: UUID) -> Invoice:
    """The invoice with its customer, or 404."""
    return get_object_or_404(Invoice.objects.select_related("customer"), pk=invoice_id)
