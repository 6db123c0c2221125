"""Who works here: owners and staff, and whom to invite."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods, require_safe

from accounts.confirming import confirmed_page
from accounts.factors import with_factors
from accounts.inviting import Invitee, invite
from accounts.models import Invitation, User
from accounts.pages import owner_page
from billing.manage.answers import acting, page, sent, show
from billing.manage.forms.settings import StaffForm
from tenants import clock

WORKING = (User.Role.OWNER, User.Role.STAFF)


@require_safe
@owner_page
def index(request: HttpRequest) -> HttpResponse:
    people = with_factors(User.objects.filter(role__in=WORKING)).order_by("name", "email")
    invited = Invitation.objects.filter(
        role__in=WORKING, accepted_at__isnull=True, expires_at__gt=clock.now()
    )
    return page(request, "manage/settings/staff.html", people=people, invited=invited.order_by("-created_at"))


@require_http_methods(["GET", "HEAD", "POST"])
@owner_page
@confirmed_page
def invite_staff(request: HttpRequest) -> HttpResponse:
    form = StaffForm(sent(request))
    if form.is_valid():
        data = form.cleaned_data
        invite(Invitee(email=data["email"], role=data["role"], name=data["name"]), **acting(request))
        messages.success(request, f"An invitation is on its way to {data['email']}.")
        return redirect("manage:staff")
    return show(request, "manage/settings/invite.html", form)
