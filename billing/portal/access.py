"""Who may see the portal, and for which customer: every page of it stands behind `customer_page`."""

from collections.abc import Callable
from functools import wraps
from typing import Any, cast

from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone

from accounts.models import Customer, User
from accounts.permissions import may_manage
from billing.customer_queries import customers_of
from tenants.models import Tenant

SESSION_KEY = "customer"


class CustomerRequest(HttpRequest):
    """A request of somebody who acts for `customer`; `customers` are all that the person may act for."""

    user: User
    tenant: Tenant
    customer: Customer
    customers: list[Customer]


Page = Callable[..., HttpResponse]


def customer_page(page: Page) -> Page:
    """Let only contacts of customers in; days and times are those of the tenant's zone."""

    @wraps(page)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        user = request.user
        if not isinstance(user, User):
            # What was posted is lost with the session: the person begins again where it is safe to.
            back = request.get_full_path() if request.method in {"GET", "HEAD"} else reverse("portal:home")
            return redirect_to_login(back, login_url=reverse("accounts:login"))
        customers = customers_of(user)
        if not customers:
            return render(request, "portal/not_a_customer.html", {"may_manage": may_manage(user)}, status=403)
        asked = cast(CustomerRequest, request)
        asked.customers = customers
        asked.customer = _chosen(customers, request.session.get(SESSION_KEY))
        with timezone.override(asked.tenant.zone):
            return page(asked, *args, **kwargs)

    return guarded


def choose(request: CustomerRequest, customer: Customer) -> None:
    """Act for this customer from now on; it must be one of `request.customers`."""
    request.session[SESSION_KEY] = customer.pk.hex


def _chosen(customers: list[Customer], remembered: object) -> Customer:
    """The customer chosen last, if the person may still act for it; the first one otherwise."""
    return next((each for each in customers if each.pk.hex == remembered), customers[0])
