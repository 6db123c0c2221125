"""Choosing the customer that something new is for: by the address, or by looking for one."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404

from accounts.models import Customer
from billing import listing
from billing.manage.answers import page
from billing.manage.forms.customers import FindCustomer


def chosen_customer(request: HttpRequest) -> Customer | None:
    """The customer that the address names; 404 for one that is not there."""
    try:
        wanted = UUID(request.GET.get("customer", ""))
    except ValueError:
        return None
    return get_object_or_404(Customer, pk=wanted)


def choose_customer(request: HttpRequest, what: str) -> HttpResponse:
    """Ask whom the new `what` is for."""
    form = FindCustomer(request.GET)
    words = form.cleaned_data["q"] if form.is_valid() else ""
    found = listing.find_customers(words)
    return page(
        request, "manage/choose_customer.html", form=form, found=found, what=what, filtered=bool(words)
    )
