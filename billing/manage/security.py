"""Second factors of staff and customers: what is demanded, and help when a device is gone."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_http_methods, require_POST

from accounts.demanding import set_demand
from accounts.factors import demand
from accounts.models import Contact, User
from accounts.pages import owner_page
from accounts.recovering import ResetRefused, reset_factors
from billing.manage.answers import acting, sent, show
from billing.manage.forms.settings import DemandForm


@require_http_methods(["GET", "HEAD", "POST"])
@owner_page
def demanded(request: HttpRequest) -> HttpResponse:
    """Say of whom a second factor is demanded."""
    form = DemandForm(sent(request), initial={"demand": demand()})
    if form.is_valid():
        set_demand(form.cleaned_data["demand"], **acting(request))
        messages.success(request, "Saved.")
        return redirect("manage:settings_security")
    return show(request, "manage/settings/security.html", form)


@require_POST
@owner_page
def reset(request: HttpRequest, user_id: UUID) -> HttpResponse:
    """Take a person's second factors away, at once: the owner has made sure that it is them who asked."""
    person = get_object_or_404(User, pk=user_id)
    try:
        reset_factors(person, **acting(request))
    except ResetRefused as refused:
        messages.error(request, str(refused))
    else:
        messages.success(
            request,
            f"{person} logs in by password alone until a new second factor is set up; "
            "if it is shorter than 15 characters, they are mailed a link to set another.",
        )
    contact = Contact.objects.filter(user=person).first()
    if person.role == User.Role.CONTACT and contact is not None:
        return redirect("manage:customer", contact.customer_id)
    return redirect("manage:staff")
