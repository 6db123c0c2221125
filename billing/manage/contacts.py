"""Who acts for a customer, and for what, as the tenant's own people decide it."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_http_methods, require_POST

from accounts import contacts, inviting, sessions
from accounts.confirming import confirmed_change
from accounts.errors import Refused
from accounts.forms import GrantForm, InviteContactForm
from accounts.grants import Grant
from accounts.models import Contact, Customer, Invitation
from accounts.pages import page_for
from accounts.permissions import may_invite_contacts
from billing.manage.answers import acting, done, sent, show
from tenants import limits
from tenants.throttling import SENDING_STAFF


@require_http_methods(["GET", "HEAD", "POST"])
@page_for(may_invite_contacts)
@confirmed_change
def invite(request: HttpRequest, customer_id: UUID) -> HttpResponse:
    customer = get_object_or_404(Customer, pk=customer_id)
    is_first = not contacts.contacts_of(customer)
    usual = {"name": customer.name, "email": customer.email, "is_owner": True} if is_first else {}
    form = InviteContactForm(sent(request), limit=Grant.owner(), initial=usual)
    if form.is_valid():
        who = {name: form.cleaned_data[name] for name in ("email", "name")}
        limits.spend_on_mail(request, SENDING_STAFF, to=who["email"])
        if done(form, lambda: contacts.invite_contact(customer, form.grant, **who, **_by(request))):
            messages.success(request, f"An invitation is on its way to {who['email']}.")
            return redirect("manage:customer", customer.pk)
    return show(request, "manage/customers/invite.html", form, customer=customer, is_first=is_first)


@require_http_methods(["GET", "HEAD", "POST"])
@page_for(may_invite_contacts)
@confirmed_change
def change(request: HttpRequest, customer_id: UUID, contact_id: UUID) -> HttpResponse:
    rows = Contact.objects.select_related("user", "customer")
    contact = get_object_or_404(rows, pk=contact_id, customer_id=customer_id)
    stands = {"is_owner": contact.is_owner, "permissions": contact.grant.names}
    form, key = GrantForm(sent(request), limit=Grant.owner(), initial=stands), request.session.session_key
    if form.is_valid() and done(
        form,
        lambda: contacts.change_contact(contact.pk, contact.customer, form.grant, **_by(request), keep=key),
    ):
        sessions.rotate_if(request, contact.user)
        messages.success(request, f"Saved. It counts for {contact.user} from now on.")
        return redirect("manage:customer", customer_id)
    return show(request, "manage/customers/contact.html", form, contact=contact, customer=contact.customer)


@require_POST
@page_for(may_invite_contacts)
def remove(request: HttpRequest, customer_id: UUID, contact_id: UUID) -> HttpResponse:
    return _done(request, customer_id, contacts.remove_contact, contact_id, "The contact is removed.")


@require_POST
@page_for(may_invite_contacts)
def resend(request: HttpRequest, customer_id: UUID, invitation_id: UUID) -> HttpResponse:
    limits.spend_on_mail(request, SENDING_STAFF, to=inviting.address_of(invitation_id))
    return _done(request, customer_id, contacts.resend, invitation_id, "The invitation is on its way again.")


@require_POST
@page_for(may_invite_contacts)
def withdraw(request: HttpRequest, customer_id: UUID, invitation_id: UUID) -> HttpResponse:
    return _done(request, customer_id, contacts.withdraw, invitation_id, "The invitation is withdrawn.")


def _done(
    request: HttpRequest, customer_id: UUID, rule: Callable[..., object], subject_id: UUID, said: str
) -> HttpResponse:
    """Call the rule, say what became of it, and go back to the customer."""
    customer = get_object_or_404(Customer, pk=customer_id)
    try:
        rule(subject_id, customer, **_by(request))
        messages.success(request, said)
    except Refused as no:
        messages.error(request, str(no))
    except (Contact.DoesNotExist, Invitation.DoesNotExist) as error:
        raise Http404 from error
    return redirect("manage:customer", customer.pk)


def _by(request: HttpRequest) -> dict[str, Any]:
    return {"by": request.user, **acting(request)}
