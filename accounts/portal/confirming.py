"""The page that asks again who it is."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.debug import sensitive_post_parameters

from accounts.forms import ConfirmForm
from accounts.logging_in import confirm_by_password
from accounts.models import User
from accounts.pages import own_page
from accounts.portal.addresses import asked_for, home_of
from tenants import clock


@sensitive_post_parameters("password")
@own_page
def confirm_page(request: HttpRequest, user: User) -> HttpResponse:
    """Ask for the password and lead on to what was asked for; tell whoever sent a form to send it again."""
    form = ConfirmForm(request.POST or None)
    lost = bool(request.POST.get("lost") or request.GET.get("lost"))
    if request.method == "POST" and form.is_valid():
        if confirm_by_password(request, user, form.cleaned_data["password"], now=clock.now()):
            if lost:
                messages.info(request, "Thank you. Nothing has been changed yet: please send it once more.")
            return HttpResponseRedirect(asked_for(request) or home_of(user))
        form.add_error("password", "That is not your password. Try again.")
    status = 422 if form.is_bound else 200
    context = {"form": form, "next": asked_for(request), "lost": lost}
    return render(request, "accounts/confirm.html", context, status=status)
