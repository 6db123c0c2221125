"""Pages on which staff close a customer's account or have it erased, and the owner closes the workspace."""

from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods

from accounts.confirming import confirmed_change
from accounts.models import Customer
from accounts.pages import owner_page, page_for
from accounts.permissions import may_bill, may_see_customers
from accounts.portal.closing_pages import ClosingForm
from accounts.portal.erasure_pages import ErasureForm, shown
from accounts.portal.own_accounts import subject_of
from billing.errors import Refused
from billing.manage.answers import acting, done, sent, show
from privacy import closing, erasing, exporting, planning
from privacy.models import Erasure
from privacy.subjects import Subject
from tenants import clock
from tenants.context import current_tenant

PAGE_METHODS = ["GET", "HEAD", "POST"]


class UncopiedForm(ClosingForm):
    """Of a workspace that nobody has taken along: once it is closed, nobody can."""

    uncopied = forms.BooleanField(
        label="Close it without a copy: nothing in it is needed any more",
        error_messages={"required": "Fetch a complete copy first, or say that you need none."},
    )


@require_http_methods(PAGE_METHODS)
@page_for(may_see_customers, may_bill)
@confirmed_change
def customer_closing(request: HttpRequest, customer_id: UUID) -> HttpResponse:
    """Close a customer's account on the word; open it again on a click."""
    customer = get_object_or_404(Customer, pk=customer_id)
    subject = subject_of(customer)
    if request.POST.get("what") == "open":
        try:
            closing.undo(subject, **acting(request))
            messages.success(request, f"The account of {customer} is open again.")
        except Refused as refused:
            messages.error(request, str(refused))
        return redirect("manage:customer", customer.pk)
    form = ClosingForm(sent(request))
    if form.is_valid() and done(form, lambda: closing.close(subject, **acting(request))):
        messages.success(request, f"The account of {customer} is closed. For 30 days it can be opened again.")
        return redirect("manage:customer", customer.pk)
    return show(
        request, "manage/customers/closing.html", form, customer=customer,
        standing=closing.closing_of(subject), told=closing.told_before(subject),
        final=clock.now() + closing.GRACE,
    )  # fmt: skip


@require_http_methods(PAGE_METHODS)
@page_for(may_see_customers, may_bill)
@confirmed_change
def customer_erasure(request: HttpRequest, customer_id: UUID) -> HttpResponse:
    """Have a customer erased who asked for it."""
    customer = get_object_or_404(Customer, pk=customer_id)
    subject = subject_of(customer)
    form, because = ErasureForm(sent(request)), Erasure.Because.ASKED
    if form.is_valid() and done(form, lambda: erasing.begin(subject, because=because, **acting(request))):
        messages.success(request, "It is being erased. The customer is written to with what is kept by law.")
        return redirect("manage:customer_erasure", customer.pk)
    return show(
        request, "manage/customers/erasure.html", form, customer=customer,
        plan=shown(planning.plan(subject, now=clock.now()).as_json), in_the_way=erasing.in_the_way(subject),
        under_way=erasing.is_under_way(subject),
    )  # fmt: skip


@require_http_methods(PAGE_METHODS)
@owner_page
@confirmed_change
def workspace(request: HttpRequest) -> HttpResponse:
    """Close the whole workspace: after the answer nobody can log in, the owner neither, and fetch a copy."""
    subject = Subject(closing.TENANT, str(current_tenant().pk))
    taken = exporting.is_taken_along(subject, now=clock.now())
    form = ClosingForm(sent(request)) if taken else UncopiedForm(sent(request))
    if form.is_valid() and done(form, lambda: closing.close(subject, **acting(request))):
        request.session.flush()
        return render(request, "410.html", status=410)
    return show(
        request, "manage/settings/closing.html", form, final=clock.now() + closing.GRACE, is_taken=taken
    )
