"""Who acts for the customer: seen, invited, changed and removed by contacts who may."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import contacts, inviting
from accounts.acting import actor_of
from accounts.errors import Refused
from accounts.forms import GrantForm, InviteContactForm
from accounts.models import Contact, Invitation
from accounts.permissions import may_change_contact, may_change_team, may_see_team
from billing.portal.access import CustomerRequest, customer_page, refused
from tenants import clock, limits
from tenants.throttling import SENDING


@require_safe
@customer_page(may_see_team)
def team_page(request: CustomerRequest) -> HttpResponse:
    """Everybody who acts for the customer, and for what."""
    team = contacts.contacts_of(request.customer)
    mine = request.contact
    context = {
        "team": [(each, each.pk == mine.pk, may_change_contact(mine, each)) for each in team],
        "invited": [
            (each, may_change_team(mine) and mine.grant.covers(each.grant))
            for each in contacts.invitations_of(request.customer, now=clock.now())
        ],
    }
    return render(request, "portal/team.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@customer_page(may_change_team, confirms=True)
def invite_page(request: CustomerRequest) -> HttpResponse:
    form = InviteContactForm(request.POST or None, limit=request.contact.grant)
    if request.method == "POST" and form.is_valid():
        email, name = form.cleaned_data["email"], form.cleaned_data["name"]
        limits.spend_on_mail(request, SENDING, to=email)
        try:
            contacts.invite_contact(request.customer, form.grant, email=email, name=name, **_acting(request))
        except Refused as no:
            form.add_error(None, str(no))
        else:
            messages.success(request, f"An invitation is on its way to {email}.")
            return redirect("portal:team")
    return _shown(request, "portal/team_invite.html", form)


@require_http_methods(["GET", "HEAD", "POST"])
@customer_page(may_change_team, confirms=True)
def contact_page(request: CustomerRequest, contact_id: UUID) -> HttpResponse:
    """Change what somebody may do."""
    contact = _contact(request, contact_id)
    if not may_change_contact(request.contact, contact):
        return refused(request)
    stands = {"is_owner": contact.is_owner, "permissions": contact.grant.names}
    form = GrantForm(request.POST or None, limit=request.contact.grant, initial=stands)
    if request.method == "POST" and form.is_valid():
        try:
            contacts.change_contact(contact.pk, request.customer, form.grant, **_acting(request))
        except Refused as no:
            form.add_error(None, str(no))
        else:
            messages.success(request, f"Saved. It counts for {contact.user} from now on.")
            return redirect("portal:team")
    return _shown(request, "portal/team_contact.html", form, other=contact)


@require_POST
@customer_page(may_change_team)
def remove_page(request: CustomerRequest, contact_id: UUID) -> HttpResponse:
    def remove() -> str:
        gone = contacts.remove_contact(contact_id, request.customer, **_acting(request))
        return f"{gone.user} does not act for {request.customer} any more."

    return _done(request, remove)


@require_POST
@customer_page(may_change_team)
def resend_page(request: CustomerRequest, invitation_id: UUID) -> HttpResponse:
    def resend() -> str:
        limits.spend_on_mail(request, SENDING, to=inviting.address_of(invitation_id))
        sent = contacts.resend(invitation_id, request.customer, **_acting(request))
        return f"The invitation is on its way to {sent.email} again."

    return _done(request, resend)


@require_POST
@customer_page(may_change_team)
def withdraw_page(request: CustomerRequest, invitation_id: UUID) -> HttpResponse:
    def withdraw() -> str:
        void = contacts.withdraw(invitation_id, request.customer, **_acting(request))
        return f"The invitation of {void.email} is withdrawn. Its link opens nothing."

    return _done(request, withdraw)


def _done(request: CustomerRequest, change: Callable[[], str]) -> HttpResponse:
    """Make the change, say what became of it, and go back to the list."""
    try:
        messages.success(request, change())
    except Refused as no:
        messages.error(request, str(no))
    except (Contact.DoesNotExist, Invitation.DoesNotExist) as error:
        raise Http404 from error
    return redirect("portal:team")


def _acting(request: CustomerRequest) -> dict[str, Any]:
    return {"by": request.user, "actor": actor_of(request), "now": clock.now()}


def _contact(request: CustomerRequest, contact_id: UUID) -> Contact:
    found = next((each for each in contacts.contacts_of(request.customer) if each.pk == contact_id), None)
    if found is None:
        raise Http404
    return found


def _shown(request: CustomerRequest, template: str, form: GrantForm, **context: Any) -> HttpResponse:
    return render(request, template, {"form": form, **context}, status=422 if form.errors else 200)
