"""Pages about customers and who acts for them."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.contacts import contacts_of, invitations_of
from accounts.customers import FIELDS, change_customer, create_customer
from accounts.models import Customer
from accounts.pages import page_for
from accounts.permissions import may_bill, may_edit_customers, may_see_customers
from billing import listing, pauses, presenting, resuming, trail
from billing.errors import Refused
from billing.manage.answers import acting, done, is_narrowed, narrowing, page, sent, show
from billing.manage.forms.customers import CustomerFilter, CustomerForm
from billing.models import PaymentMethod
from billing.paging import Place
from billing.snapshots import BUYER_FIELDS, party
from privacy import restricting
from privacy.subjects import Subject
from tenants import clock
from tenants.context import current_tenant

RECENT = 10


@require_safe
@page_for(may_see_customers)
def index(request: HttpRequest) -> HttpResponse:
    form = CustomerFilter(request.GET)
    wanted = narrowing(form)
    rows = listing.customers(
        search=wanted["q"] or "",
        status=wanted["status"] or "",
        newest=wanted["sort"] == "newest",
        place=Place.of(request.GET),
    )
    return page(request, "manage/customers/index.html", page=rows, form=form, filtered=is_narrowed(form))


@require_http_methods(["GET", "HEAD", "POST"])
@page_for(may_bill)
def new(request: HttpRequest) -> HttpResponse:
    tenant = current_tenant()
    usual = {"country": tenant.country, "currency": tenant.currency, "locale": tenant.locale}
    form = CustomerForm(sent(request), initial=usual)
    if form.is_valid():
        customer = create_customer(**form.cleaned_data, **acting(request))
        messages.success(request, f"{customer} is a customer now.")
        return redirect("manage:customer", customer.pk)
    return show(request, "manage/customers/form.html", form)


@require_http_methods(["GET", "HEAD", "POST"])
@page_for(may_edit_customers)
def edit(request: HttpRequest, customer_id: UUID) -> HttpResponse:
    customer = get_object_or_404(Customer, pk=customer_id)
    form = CustomerForm(sent(request), initial={name: getattr(customer, name) for name in FIELDS})
    if form.is_valid() and done(
        form, lambda: change_customer(customer, **form.cleaned_data, **acting(request))
    ):
        messages.success(request, "Saved. Invoices issued before keep what stood on them.")
        return redirect("manage:customer", customer.pk)
    return show(request, "manage/customers/form.html", form, customer=customer)


@require_safe
@page_for(may_see_customers)
def detail(request: HttpRequest, customer_id: UUID) -> HttpResponse:
    customer = get_object_or_404(Customer.objects.select_related("payment_profile"), pk=customer_id)
    beginning = Place()
    of_customer = listing.SubscriptionFilter(customer=customer.pk)
    cards = PaymentMethod.objects.filter(customer=customer, removed_at__isnull=True)
    context: dict[str, Any] = {
        "customer": customer,
        "pause": pauses.of_customer(customer),
        "restriction": restricting.in_force(Subject("customer", str(customer.pk))),
        "held_back": list(pauses.paused_invoices(customer)),
        "address": presenting.address_lines(party(customer, BUYER_FIELDS), "en"),
        "due": listing.balances([customer.pk]).get(customer.pk, []),
        "credit": listing.credit_of(customer),
        "running": listing.running_subscriptions([customer.pk]).get(customer.pk, 0),
        "next_due": listing.next_due_of(customer),
        "subscriptions": listing.subscriptions(of_customer, beginning),
        "invoices": listing.invoices_of(customer, limit=RECENT),
        "payments": listing.payments_of(customer, limit=RECENT),
        "cards": list(cards.order_by("-is_default", "-saved_at")),
        "contacts": contacts_of(customer),
        "invited": invitations_of(customer, now=clock.now()),
        "history": trail.history("customer", customer.pk)[:RECENT],
    }
    return page(request, "manage/customers/detail.html", **context)


@require_POST
@page_for(may_bill)
def resume(request: HttpRequest, customer_id: UUID) -> HttpResponse:
    """Lift what a dispute has paused."""
    customer = get_object_or_404(Customer, pk=customer_id)
    try:
        resuming.resume_customer(customer, **acting(request))
        messages.success(request, "What is due is charged by itself again.")
    except Refused as refused:
        messages.error(request, str(refused))
    return redirect("manage:customer", customer.pk)
