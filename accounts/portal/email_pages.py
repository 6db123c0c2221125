"""Another address to log in with: asked for, proved by the link, undone by the other link."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from accounts import email_changing
from accounts.acting import actor_of
from accounts.confirming import confirmed_change
from accounts.email_changing import ChangeRefused, Wish
from accounts.forms import EmailChangeForm
from accounts.models import User
from accounts.pages import own_page
from accounts.portal.frame import show
from tenants import clock, limits
from tenants.throttling import EMAIL_CHANGE

PAGE_METHODS = ["GET", "HEAD", "POST"]


@require_http_methods(PAGE_METHODS)
@own_page
@confirmed_change
def email_page(request: HttpRequest, user: User) -> HttpResponse:
    """Show the present address and take the wish for another one."""
    form = EmailChangeForm(request.POST or None, user=user)
    if request.method == "POST" and form.is_valid():
        wish = Wish(user, form.cleaned_data["email"])
        limits.spend_on_mail(request, EMAIL_CHANGE, to=wish.email)
        email_changing.ask(wish, actor=actor_of(request), now=clock.now())
        messages.success(request, f"A link is on its way to {wish.email}. Open it to make the change.")
        return redirect("accounts:email")
    pending = email_changing.pending_of(user, now=clock.now())
    status = 422 if form.is_bound else 200
    return show(request, "accounts/email.html", form=form, pending=pending, status=status)


@require_POST
@own_page
def withdraw_page(request: HttpRequest, user: User) -> HttpResponse:
    if email_changing.withdraw(user, actor=actor_of(request), now=clock.now()):
        messages.success(request, "Your address stays as it is.")
    return redirect("accounts:email")


@require_http_methods(PAGE_METHODS)
def confirm_page(request: HttpRequest, token: str) -> HttpResponse:
    """The link in the new address's mail: programs that follow links in mails change nothing by it."""
    return _by_link(request, token, email_changing.CONFIRM)


@require_http_methods(PAGE_METHODS)
def undo_page(request: HttpRequest, token: str) -> HttpResponse:
    """The link in the old address's mail."""
    return _by_link(request, token, email_changing.UNDO)


def _by_link(request: HttpRequest, token: str, purpose: str) -> HttpResponse:
    now = clock.now()
    try:
        change = email_changing.open_change(token, purpose, now=now)
        if request.method != "POST":
            return render(request, f"accounts/email_{purpose}.html", {"change": change})
        act: Any = email_changing.complete if purpose == email_changing.CONFIRM else email_changing.undo
        user: User = act(change, actor=actor_of(request, change.user), now=now)
    except ChangeRefused as refused:
        return render(request, "accounts/link_void.html", {"reason": refused}, status=410)
    if purpose == email_changing.UNDO:
        return render(request, "accounts/email_undone.html", {"email": user.email})
    messages.success(request, f"From now on you log in with {user.email}.")
    own = request.user.is_authenticated and request.user.pk == user.pk
    return redirect("accounts:email" if own else "accounts:login")
