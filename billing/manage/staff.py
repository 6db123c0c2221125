"""Who works here and as what: seen and changed by owners."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import colleagues, inviting, sessions
from accounts.confirming import confirmed_change, confirmed_page
from accounts.errors import Refused
from accounts.models import Invitation, User
from accounts.pages import page_for
from accounts.permissions import may_hand_over, may_manage_colleagues, may_see_settings
from billing.manage.answers import acting, attempt, done, page, sent, show
from billing.manage.forms.people import HandOverForm, RoleForm, StaffForm
from tenants import clock, limits
from tenants.throttling import SENDING_STAFF


@require_safe
@page_for(may_see_settings)
def index(request: HttpRequest) -> HttpResponse:
    people = [(each, RoleForm(person=each)) for each in colleagues.colleagues()]
    invited = colleagues.invitations(now=clock.now())
    return page(request, "manage/settings/staff.html", people=people, invited=invited)


@require_http_methods(["GET", "HEAD", "POST"])
@page_for(may_manage_colleagues)
@confirmed_page
def invite_staff(request: HttpRequest) -> HttpResponse:
    form = StaffForm(sent(request))
    if form.is_valid():
        limits.spend_on_mail(request, SENDING_STAFF, to=form.cleaned_data["email"])
    if form.is_valid() and done(
        form, lambda: colleagues.invite_colleague(**form.cleaned_data, **_by(request))
    ):
        messages.success(request, f"An invitation is on its way to {form.cleaned_data['email']}.")
        return redirect("manage:staff")
    return show(request, "manage/settings/invite.html", form)


@require_POST
@page_for(may_manage_colleagues)
@confirmed_change
def role(request: HttpRequest, person_id: UUID) -> HttpResponse:
    wanted, keep = request.POST.get("role", ""), request.session.session_key

    def change() -> User:
        person = colleagues.change_role(person_id, wanted, **_by(request), keep=keep)
        sessions.rotate_if(request, person)
        return person

    return _done(request, change, "{}: the role is changed.")


@require_POST
@page_for(may_manage_colleagues)
@confirmed_change
def deactivate(request: HttpRequest, person_id: UUID) -> HttpResponse:
    return _done(request, lambda: colleagues.deactivate(person_id, **_by(request)), "{} is shut out.")


@require_POST
@page_for(may_manage_colleagues)
@confirmed_change
def reactivate(request: HttpRequest, person_id: UUID) -> HttpResponse:
    return _done(request, lambda: colleagues.reactivate(person_id, **_by(request)), "{} may log in again.")


@require_POST
@page_for(may_manage_colleagues)
def resend(request: HttpRequest, invitation_id: UUID) -> HttpResponse:
    limits.spend_on_mail(request, SENDING_STAFF, to=inviting.address_of(invitation_id))
    return _done(
        request, lambda: colleagues.resend(invitation_id, **_by(request)), "The {} is on its way again."
    )


@require_POST
@page_for(may_manage_colleagues)
def withdraw(request: HttpRequest, invitation_id: UUID) -> HttpResponse:
    return _done(request, lambda: colleagues.withdraw(invitation_id, **_by(request)), "The {} is withdrawn.")


@require_http_methods(["GET", "HEAD", "POST"])
@page_for(may_hand_over)
@confirmed_page
def hand_over(request: HttpRequest) -> HttpResponse:
    """Make somebody else the owner in one's own place."""
    others = [each for each in colleagues.colleagues() if each.is_active and each.role != User.Role.OWNER]
    form = HandOverForm(sent(request), others=others)
    if form.is_valid():
        to, key = UUID(form.cleaned_data["person"]), request.session.session_key
        person = attempt(form, lambda: colleagues.hand_over(to, **_by(request), keep=key))
        if person is not None:
            sessions.rotate_if(request, request.user)
            messages.success(request, f"{person} is the owner now. You go on in billing.")
            return redirect("manage:home")
    return show(request, "manage/settings/hand_over.html", form, others=others)


def _done(request: HttpRequest, change: Callable[[], object], said: str) -> HttpResponse:
    """Make the change, say what became of it, and go back to the list, or home where one sees it no more."""
    try:
        messages.success(request, said.format(change()))
    except Refused as no:
        messages.error(request, str(no))
    except (User.DoesNotExist, Invitation.DoesNotExist) as error:
        raise Http404 from error
    return redirect("manage:staff")


def _by(request: HttpRequest) -> dict[str, Any]:
    return {"by": request.user, **acting(request)}
