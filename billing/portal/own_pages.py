"""A customer's own details, and for which customer a person acts."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from accounts.acting import actor_of
from accounts.customers import change_customer
from accounts.errors import Refused
from accounts.permissions import may_change_details, may_enter, may_see_details
from billing.portal.access import CustomerRequest, choose, customer_page
from billing.portal.forms import DetailsForm
from tenants import clock


@require_http_methods(["GET", "HEAD", "POST"])
@customer_page(may_see_details, may_change_details)
def details_page(request: CustomerRequest) -> HttpResponse:
    """See and correct what stands on invoices; those issued keep what they say."""
    form = DetailsForm(request.POST or None, instance=request.customer)
    if request.method == "POST" and form.is_valid():
        try:
            change_customer(request.customer, **form.cleaned_data, actor=actor_of(request), now=clock.now())
        except Refused as no:
            form.add_error(None, str(no))
        else:
            messages.success(request, "Saved. Your next invoices will show it.")
            return redirect("portal:details")
    return render(request, "portal/details.html", {"form": form}, status=422 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@customer_page(may_enter)
def switch_page(request: CustomerRequest) -> HttpResponse:
    """Choose for which customer to act; only one's own are offered, and nothing else is taken."""
    asked = request.POST.get("customer", "")
    chosen = next((each for each in request.customers if str(each.pk) == asked), None)
    if request.method == "POST" and chosen is not None:
        choose(request, chosen)
        messages.success(request, f"You now see the account of {chosen}.")
        return redirect("portal:home")
    return render(request, "portal/switch.html", status=422 if request.method == "POST" else 200)
