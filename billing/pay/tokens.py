"""What a frame of the pay host is for: signed by us, for a quarter of an hour, embedded by one origin."""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.core import signing

from billing.models import Payment
from tenants.context import current_schema

LIFETIME = timedelta(minutes=15)
MAX_LENGTH = 600
_SALT = "billing.pay.frame"


class TokenRefused(ValueError):
    """Forged, or too old."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame: the tenant, what is paid or set up, the page that embeds it and is told messages."""

    schema: str
    payment: UUID | None
    setup: str
    page: str


def url_of_payment(payment: Payment, *, page: str) -> str:
    """Return the address of the frame in which this payment is made; `page` embeds it."""
    return _url([current_schema(), payment.pk.hex, "", page])


def url_of_setup(setup_id: str, *, page: str) -> str:
    """Return the address of the frame in which a card is saved."""
    return _url([current_schema(), "", setup_id, page])


def open_token(token: str) -> Frame:
    """Return what the frame is for; raises `TokenRefused`."""
    if len(token) > MAX_LENGTH:
        raise TokenRefused("too long")
    try:
        signer = signing.TimestampSigner(salt=_SALT)
        schema, payment, setup, page = signer.unsign_object(token, max_age=LIFETIME)
    except (signing.BadSignature, ValueError, TypeError) as error:
        raise TokenRefused("forged or too old") from error
    return Frame(schema, UUID(hex=payment) if payment else None, setup, page)


def _url(parts: list[str]) -> str:
    token = signing.TimestampSigner(salt=_SALT).sign_object(parts, compress=True)
    return f"{settings.PAY_URL.rstrip('/')}/frame/{token}/"
