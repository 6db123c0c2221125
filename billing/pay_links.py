"""Pay links: addresses that open one invoice of one tenant without log-in, signed and for a time.

A link holds until 30 days after the due date (of an overdue invoice: after it was made), and at most 120 days
after issue.
"""

from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

from django.core.signing import BadSignature, Signer

from billing.models import Invoice
from billing.periods import local_date, local_midnight
from tenants.context import current_schema, current_tenant
from tenants.directory import site_url

AFTER_DUE: Final = timedelta(days=30)
AFTER_ISSUE: Final = timedelta(days=120)
MAX_LENGTH: Final = 500
_SALT: Final = "billing.pay_link"


class LinkBad(ValueError):
    """The token was not made by us for this tenant, or was changed."""


class LinkExpired(ValueError):
    """The link's time is over; its invoice is the second argument."""

    def __init__(self, invoice: UUID) -> None:
        super().__init__("this pay link has expired")
        self.invoice = invoice


def url_for(invoice: Invoice, now: datetime) -> str:
    """Return the address at which this invoice is paid; empty for a draft and once no link may be made."""
    token = token_for(invoice, now)
    return f"{site_url(current_tenant())}/pay/{token}/" if token else ""


def token_for(invoice: Invoice, now: datetime) -> str:
    """Return the signed token of the link, the same all day; empty for a draft or when its time is over."""
    if invoice.issued_on is None:
        return ""
    zone = current_tenant().zone
    last = min(
        max(invoice.due_on, local_date(now, zone)) + AFTER_DUE,
        invoice.issued_on + AFTER_ISSUE,
    )
    until = local_midnight(last + timedelta(days=1), zone)
    if until <= now:
        return ""
    return Signer(salt=_SALT).sign_object([current_schema(), invoice.pk.hex, int(until.timestamp())])


def resolve(token: str, now: datetime) -> UUID:
    """Return the id of the invoice that the token opens; raises `LinkBad` or `LinkExpired`."""
    if len(token) > MAX_LENGTH:
        raise LinkBad("too long")
    try:
        schema, invoice, until = Signer(salt=_SALT).unsign_object(token)
        found, end = UUID(hex=invoice), datetime.fromtimestamp(until, UTC)
    except (BadSignature, ValueError, TypeError, AttributeError) as error:
        raise LinkBad("not one of our pay links") from error
    if schema != current_schema():
        raise LinkBad("another tenant's pay link")
    if end <= now:
        raise LinkExpired(found)
    return found
