"""Connecting the tenant's Stripe account, and giving it back: owners only."""

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.confirming import confirmed_change, confirmed_page
from accounts.pages import page_for
from accounts.permissions import may_connect_stripe
from billing import connecting, disconnecting
from billing.errors import Refused
from billing.manage.answers import acting, done, page, show

NONCE = "stripe_connect"


class KeyForm(forms.Form):
    """The keys of an account that is connected without Connect."""

    secret_key = forms.CharField(
        label="Restricted key",
        max_length=200,
        help_text="Begins with rk_live_ or rk_test_. It is encrypted here and never shown again.",
        widget=forms.PasswordInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    publishable_key = forms.CharField(
        label="Publishable key",
        max_length=200,
        help_text="Begins with pk_live_ or pk_test_.",
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )


@require_safe
@page_for(may_connect_stripe)
def stripe(request: HttpRequest) -> HttpResponse:
    """What is connected, and the two ways to connect."""
    return page(request, "pay/stripe_settings.html", **_context(KeyForm()))


@require_safe
@page_for(may_connect_stripe)
@confirmed_page
def connect(request: HttpRequest) -> HttpResponse:
    """Send the owner to Stripe's page; changes nothing but the session."""
    nonce = request.session[NONCE] = connecting.new_nonce()
    email = getattr(request.user, "email", "")
    try:
        url = connecting.authorize_url(nonce=nonce, redirect_uri=connecting.callback_url(), email=email)
    except Refused as refused:
        messages.error(request, str(refused))
        return redirect("manage:stripe")
    return HttpResponseRedirect(url)


@require_safe
@page_for(may_connect_stripe)
def callback(request: HttpRequest) -> HttpResponse:
    """Where Stripe sends the owner back to, with a code or with a no."""
    try:
        connecting.check_state(request.GET.get("state", ""), nonce=request.session.pop(NONCE, ""))
        if request.GET.get("error"):
            raise Refused("You did not agree at Stripe. Nothing is connected.")
        connection = connecting.finish_connect(request.GET.get("code", ""), **acting(request))
    except Refused as refused:
        messages.error(request, str(refused))
    else:
        name = connection.business_name or connection.account_id
        messages.success(request, f"Connected to {name}. Customers can pay by card now.")
    return redirect("manage:stripe")


@sensitive_variables("form")
@sensitive_post_parameters("secret_key")
@require_POST
@page_for(may_connect_stripe)
@confirmed_change
def key(request: HttpRequest) -> HttpResponse:
    """Connect by a restricted key."""
    form = KeyForm(request.POST)
    if form.is_valid() and done(
        form, lambda: connecting.connect_by_key(**form.cleaned_data, **acting(request))
    ):
        messages.success(request, "Connected. Customers can pay by card now.")
        return redirect("manage:stripe")
    return show(request, "pay/stripe_settings.html", form, **_context(None))


@require_http_methods(["POST"])
@page_for(may_connect_stripe)
@confirmed_change
def disconnect(request: HttpRequest) -> HttpResponse:
    """Give the account back."""
    try:
        disconnecting.disconnect(**acting(request))
    except Refused as refused:
        messages.error(request, str(refused))
    else:
        messages.success(request, "Disconnected. Our access, the webhook endpoint and the keys are gone.")
    return redirect("manage:stripe")


def _context(form: KeyForm | None) -> dict[str, Any]:
    context: dict[str, Any] = {"connection": connecting.current(), "webhook_url": connecting.webhook_url()}
    return context if form is None else {**context, "form": form}
