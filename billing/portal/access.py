"""Who may see the portal, and for which customer: every page of it stands behind `customer_page`."""

from collections.abc import Callable
from functools import wraps
from typing import Any, cast

from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone

from accounts.confirming import READS, ask_first, marked
from accounts.contacts import contacts_of
from accounts.models import Contact, Customer, User
from accounts.pages import declares
from accounts.permissions import may_manage
from billing.customer_queries import contacts_as
from tenants.models import Tenant

SESSION_KEY = "customer"


class CustomerRequest(HttpRequest):
    """A request of somebody who acts for `customer` as `contact`; `customers` are all that it may act for."""

    user: User
    tenant: Tenant
    contact: Contact
    customer: Customer
    customers: list[Customer]


Page = Callable[..., HttpResponse]
Predicate = Callable[[Contact], bool]


def customer_page(
    see: Predicate, change: Predicate | None = None, *, confirms: bool = False
) -> Callable[[Page], Page]:
    """Let in contacts whom `see` names, and take forms only from whom `change` names, where it is another.

    What a contact may do is read with each request. Days and times are those of the tenant's zone. What
    `confirms` takes forms only from somebody who has just confirmed that it is them.
    """

    def decorate(page: Page) -> Page:
        @wraps(page)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if not isinstance(request.user, User):
                # What was posted is lost with the session: the person begins again where it is safe to.
                back = request.get_full_path() if request.method in READS else reverse("portal:home")
                return redirect_to_login(back, login_url=reverse("accounts:login"))
            asked = _acting(request, request.user)
            if asked is None:
                context = {"may_manage": may_manage(request.user)}
                return render(request, "portal/not_a_customer.html", context, status=403)
            needed = see if change is None or request.method in READS else change
            with timezone.override(asked.tenant.zone):
                if not needed(asked.contact):
                    return refused(asked)
                asking = ask_first(asked) if confirms and request.method not in READS else None
                return asking or page(asked, *args, **kwargs)

        return declares(marked(guarded) if confirms else guarded, see, change or see)

    return decorate


def refused(request: CustomerRequest) -> HttpResponse:
    """Say that the log-in may not, why, and whom to ask."""
    owners = [each.user for each in contacts_of(request.customer) if each.is_owner and each.user.is_active]
    ask = [each for each in owners if each.pk != request.user.pk]
    return render(request, "portal/refused.html", {"ask": ask}, status=403)


def choose(request: CustomerRequest, customer: Customer) -> None:
    """Act for this customer from now on; it must be one of `request.customers`."""
    request.session[SESSION_KEY] = customer.pk.hex


def _acting(request: HttpRequest, user: User) -> CustomerRequest | None:
    """Put into the request as which contact the person acts; None for somebody who acts for nobody."""
    contacts = contacts_as(user)
    if not contacts:
        return None
    asked = cast(CustomerRequest, request)
    asked.customers = [each.customer for each in contacts]
    asked.contact = _chosen(contacts, request.session.get(SESSION_KEY))
    asked.customer = asked.contact.customer
    return asked


def _chosen(contacts: list[Contact], remembered: object) -> Contact:
    """As which contact the person chose to act, if it still is one; the first one otherwise."""
    return next((each for each in contacts if each.customer_id.hex == remembered), contacts[0])
