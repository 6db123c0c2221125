"""Pages of log-in, log-out, forgotten passwords and invitations."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import urlsafe_base64_decode
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST

from accounts import halfway, humans, inviting, passwords
from accounts.acting import actor_of
from accounts.forms import AcceptForm, AskResetForm, LogInForm, NewPasswordForm
from accounts.logging_in import PasswordTooShort, check_length, log_in, log_out
from accounts.portal.addresses import asked_for, home_of
from accounts.portal.onward import onward
from accounts.portal.session_pages import why_over
from accounts.validators import ALONE
from tenants import clock, limits
from tenants.throttling import PASSWORD, RESET


@sensitive_post_parameters("password")
def log_in_page(request: HttpRequest) -> HttpResponse:
    """Ask for address and password; the answer never tells which of them was wrong."""
    form = LogInForm(request.POST or None)
    over = why_over(request)
    if request.method == "POST" and form.is_valid():
        try:
            user = log_in(request, **form.cleaned_data, now=clock.now())
        except PasswordTooShort:
            return _too_short(request, form.cleaned_data["email"])
        if user is not None:
            return onward(request, asked_for(request) or home_of(user))
        form.add_error(
            None, "That address and password do not belong together. Try again, or set a new password."
        )
    status = 422 if form.is_bound else 200
    context = {"form": form, "next": asked_for(request), "over": over}
    return render(request, "accounts/log_in.html", context, status=status)


@require_POST
def log_out_page(request: HttpRequest) -> HttpResponse:
    log_out(request, now=clock.now())
    answer = redirect("accounts:login")
    answer["Clear-Site-Data"] = '"cache", "storage"'  # what the browser kept of private pages
    return answer


def ask_reset_page(request: HttpRequest) -> HttpResponse:
    form = AskResetForm(request.POST or None)
    if request.method == "POST" and form.is_valid() and humans.passes(request, form):
        limits.spend(request, RESET, account=form.cleaned_data["email"])
        passwords.ask_reset(form.cleaned_data["email"], actor=actor_of(request), now=clock.now())
        return render(request, "accounts/reset_sent.html", {"email": form.cleaned_data["email"]})
    return render(request, "accounts/ask_reset.html", {"form": form}, status=422 if form.is_bound else 200)


@sensitive_post_parameters("password")
def reset_page(request: HttpRequest, reference: str, token: str) -> HttpResponse:
    user = passwords.user_of_reset(_user_id(reference), token)
    if user is None:
        return render(request, "accounts/link_void.html", {"again": "accounts:ask_reset"}, status=410)
    form = NewPasswordForm(request.POST or None, user=user)
    if request.method == "POST" and form.is_valid():
        password = form.cleaned_data["password"]
        passwords.set_password(user, password, actor=actor_of(request, user), now=clock.now())
        messages.success(request, "Your new password is set. Log in with it.")
        return redirect("accounts:login")
    return render(request, "accounts/set_password.html", {"form": form}, status=422 if form.is_bound else 200)


@sensitive_post_parameters("password")
def invitation_page(request: HttpRequest, token: str) -> HttpResponse:
    now = clock.now()
    try:
        invitation = inviting.open_invitation(token, now=now)
    except inviting.InvitationRefused as refused:
        return render(request, "accounts/link_void.html", {"reason": refused}, status=410)
    known = inviting.has_log_in(invitation)
    form = AcceptForm(request.POST or None, initial={"name": invitation.name}, known=known)
    if request.method == "POST" and form.is_valid():
        tried = limits.spend(request, PASSWORD, account=invitation.email)  # it may be that of a log-in
        try:
            user = inviting.accept(invitation, **form.cleaned_data, actor=actor_of(request), now=now)
            check_length(request, user, form.cleaned_data["password"], now=now)
        except inviting.InvitationRefused as refused:
            form.add_error(None, str(refused))
        except PasswordTooShort:
            return _too_short(request, invitation.email)
        else:
            tried.give_back()
            halfway.arrive(request, user, methods={"invitation"}, now=now)
            return onward(request, home_of(user))
    context = {"form": form, "invitation": invitation}
    return render(request, "accounts/invitation.html", context, status=422 if form.is_bound else 200)


def _too_short(request: HttpRequest, email: str) -> HttpResponse:
    """The password is right and no way in: the link for another one is on its way."""
    return render(request, "accounts/too_short.html", {"email": email, "least": ALONE}, status=403)


def _user_id(reference: str) -> UUID:
    try:
        return UUID(bytes=urlsafe_base64_decode(reference))
    except ValueError:
        return UUID(int=0)
