"""Closing a customer's account and opening it again, by its owners; and a workspace's link from the mail."""

from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from accounts.acting import actor_of
from accounts.closing import tenant_of
from accounts.confirming import confirmed_change
from accounts.errors import Refused
from accounts.models import User
from accounts.pages import own_page
from accounts.portal.frame import show
from accounts.portal.own_accounts import owned, subject_of
from privacy import closing
from privacy.subjects import Subject
from tenants import clock
from tenants.context import enter
from tenants.directory import home_url

PAGE_METHODS = ["GET", "HEAD", "POST"]
WORD = "CLOSE"


class ClosingForm(forms.Form):
    """The word that nobody types by accident."""

    word = forms.CharField(label=f"Type {WORD} to close the account", max_length=10)

    def clean_word(self) -> str:
        word: str = self.cleaned_data["word"]
        if word.strip().upper() != WORD:
            raise forms.ValidationError(f"Type {WORD}, or leave the account open.")
        return word


@require_http_methods(PAGE_METHODS)
@own_page
@confirmed_change
def closing_page(request: HttpRequest, user: User) -> HttpResponse:
    """Say what closing means, when what happens, what stays and why; close on the word, open on a click."""
    customers = owned(user)
    if not customers:
        return show(request, "accounts/closing_none.html", status=403)
    customer = customers.get(request.GET.get("customer") or next(iter(customers)))
    if customer is None:
        raise Http404
    subject = subject_of(customer)
    standing, now = closing.closing_of(subject), clock.now()
    form = ClosingForm(request.POST if request.POST.get("what") == "close" else None)
    try:
        if request.POST.get("what") == "open":
            closing.undo(subject, actor=actor_of(request), now=now)
            messages.success(request, "Your account is open again, with all that ran before.")
            return HttpResponseRedirect(request.get_full_path())
        if form.is_valid():
            closing.close(subject, actor=actor_of(request), now=now)
            messages.success(request, "Your account is closed. For 30 days one click opens it again.")
            return HttpResponseRedirect(request.get_full_path())
    except Refused as refused:
        messages.error(request, str(refused))
    return show(
        request, "accounts/closing.html", status=422 if form.is_bound else 200, form=form, customer=customer,
        customers=customers, standing=standing, told=closing.told_before(subject), final=now + closing.GRACE,
    )  # fmt: skip


@require_http_methods(PAGE_METHODS)
def reopen_page(request: HttpRequest, token: str) -> HttpResponse:
    """The link mailed to a closed workspace's owners; programs that follow links change nothing by it."""
    tenant = tenant_of(token)
    if tenant is None:
        raise Http404
    if request.method == "POST":
        with enter(tenant):
            try:
                subject = Subject(closing.TENANT, str(tenant.pk))
                closing.undo(subject, actor=actor_of(request), now=clock.now())
            except Refused as refused:
                return render(
                    request, "accounts/reopen.html", {"closed": tenant, "problem": refused}, status=409
                )
        return redirect(f"{home_url(tenant)}{settings.LOGIN_REDIRECT_URL}")
    return render(request, "accounts/reopen.html", {"closed": tenant})
