"""The frame itself: one page, its own content security policy, no cookies."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.views.decorators.clickjacking import xframe_options_exempt
from django.views.decorators.http import require_safe

from billing import connecting
from billing.connecting import NotConnected
from billing.models import BillingSettings, Payment, StripeConnection
from billing.pay import tokens
from billing.stripe_gateway import IntentStatus, StripeError
from tenants.context import enter, enter_public
from tenants.directory import tenant_of_schema
from tenants.models import Host, Tenant

OPEN = {IntentStatus.NEEDS_CARD, IntentStatus.NEEDS_CONFIRMATION, IntentStatus.NEEDS_ACTION}


@dataclass(frozen=True, slots=True)
class _Form:
    """What the script needs to take a card."""

    secret: str
    amount: Any
    offers_keeping: bool


@require_safe
@xframe_options_exempt
def frame(request: HttpRequest, token: str) -> HttpResponse:
    """Show the card form of one payment or one card to be saved."""
    try:
        asked = tokens.open_token(token)
        tenant = tenant_of_schema(asked.schema)
    except (tokens.TokenRefused, Tenant.DoesNotExist):
        return _answer("pay/expired.html", {}, [], status=410)
    origins = _origins(tenant)
    context: dict[str, Any] = {"tenant": tenant, "page": asked.page, "parent": _origin(asked.page)}
    with enter(tenant):
        try:
            form = _form(asked)
        except (NotConnected, StripeError, Payment.DoesNotExist):
            return _answer("pay/unavailable.html", context, origins, status=503)
        if form is None:
            return _answer("pay/done.html", context, origins)
        context |= {"form": form, "brand": BillingSettings.objects.get().brand_colour, **_keys()}
    return _answer("pay/frame.html", context, origins)


def _form(asked: tokens.Frame) -> _Form | None:
    """None when there is nothing left to enter a card for."""
    gateway = connecting.gateway()
    if asked.payment is None:
        setup = gateway.setup(asked.setup)
        return _Form(setup.client_secret, None, False) if setup.status in OPEN else None
    payment = Payment.objects.get(pk=asked.payment)
    if payment.state not in Payment.IN_FLIGHT or not payment.external_id:
        return None
    intent = gateway.intent(payment.external_id)
    return _Form(intent.client_secret, payment.money, True) if intent.status in OPEN else None


def _keys() -> dict[str, str]:
    """By Connect the platform's key acts for the account; a key of the account's own needs no more."""
    connection = connecting.require()
    if connection.kind == StripeConnection.Kind.CONNECT and settings.STRIPE_PUBLISHABLE_KEY:
        return {"key": settings.STRIPE_PUBLISHABLE_KEY, "account": connection.account_id}
    return {"key": connection.publishable_key, "account": ""}


def _answer(
    template: str, context: dict[str, Any], embedders: list[str], *, status: int = 200
) -> HttpResponse:
    # Without the request no context processor reads session or user: this host has no cookies.
    page = render_to_string(template, {"stripe_js": settings.STRIPE_JS_URL, **context})
    response = HttpResponse(page, status=status)
    response["Content-Security-Policy"] = _policy(embedders)
    response["Cache-Control"] = "no-store"
    response["Referrer-Policy"] = "strict-origin"
    response["X-Robots-Tag"] = "noindex"
    return response


def _policy(embedders: list[str]) -> str:
    js = _origin(settings.STRIPE_JS_URL)
    live = urlsplit(js).hostname == "js.stripe.com"
    scripts = f"{js} https://*.js.stripe.com" if live else js
    frames = f"{scripts} https://hooks.stripe.com" if live else js
    calls = "https://api.stripe.com" if live else js
    rules = {
        "default-src": "'none'",
        "script-src": f"'self' {scripts}",
        "style-src": "'self'",
        "img-src": "'self' data: https://*.stripe.com" if live else f"'self' data: {js}",
        "font-src": "'self'",
        "connect-src": f"'self' {calls}",
        "frame-src": frames,
        "form-action": "'none'",
        "base-uri": "'none'",
        "frame-ancestors": " ".join(embedders) or "'none'",
    }
    return "; ".join(f"{name} {value}" for name, value in rules.items())


def _origins(tenant: Tenant) -> list[str]:
    """The tenant's own hosts, and nobody else's."""
    with enter_public():
        names = Host.objects.filter(tenant=tenant).order_by("hostname").values_list("hostname", flat=True)
        site = urlsplit(settings.SITE_URL)
        port = f":{site.port}" if site.port else ""
        return [f"{site.scheme}://{name}{port}" for name in names]


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
