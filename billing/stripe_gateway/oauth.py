"""Connect Standard: the page where a business agrees, and the code that it brings back."""

from typing import Any

from django.conf import settings

from billing.stripe_gateway.client import sdk_client
from billing.stripe_gateway.failing import translated
from billing.stripe_gateway.values import Grant


def authorize_url(*, state: str, redirect_uri: str, business: dict[str, str]) -> str:
    """Return where to send the business; `business` fills in Stripe's form for it."""
    given: dict[str, Any] = {"scope": "read_write", "state": state, "redirect_uri": redirect_uri}
    return str(_platform().oauth.authorize_url({**given, "stripe_user": business}))


def exchange(code: str) -> Grant:
    """Return what the code is worth; it works once. Raises the gateway's errors."""
    with translated():
        token = _platform().oauth.token({"grant_type": "authorization_code", "code": code})
    return Grant(
        account=str(token.stripe_user_id),
        publishable_key=str(token.stripe_publishable_key),
        livemode=bool(token.livemode),
    )


def deauthorize(account: str) -> None:
    """Give the access back."""
    with translated():
        _platform().oauth.deauthorize({"client_id": settings.STRIPE_CLIENT_ID, "stripe_user_id": account})


def _platform() -> Any:
    return sdk_client(settings.STRIPE_SECRET_KEY)
