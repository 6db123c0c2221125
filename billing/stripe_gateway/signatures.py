"""Is it from Stripe, for this tenant, and fresh? Only then is the body read."""

import json
import time
from dataclasses import dataclass
from datetime import datetime

import stripe

from billing.stripe_gateway import reading
from billing.stripe_gateway.errors import SignatureRefused

TOLERANCE_SECONDS = 300


@dataclass(frozen=True, slots=True)
class Hint:
    """What an event says of itself. The truth is asked of Stripe afterwards."""

    id: str
    type: str
    object_id: str
    created: datetime
    livemode: bool


def open_event(payload: bytes, header: str, secret: str) -> Hint:
    """Return the event of a body signed with the secret.

    Raises `SignatureRefused`, or ValueError for what is no event.
    """
    try:
        stripe.WebhookSignature.verify_header(payload, header, secret, TOLERANCE_SECONDS)
    except (stripe.SignatureVerificationError, UnicodeError, OverflowError):
        raise SignatureRefused("The signature is not one of this account's, or too old.") from None
    _refuse_future(header)
    try:
        row = json.loads(payload)
        return Hint(
            id=_short(row["id"], 64),
            type=_short(row["type"], 80),
            object_id=_short(row["data"]["object"].get("id") or "", 64),
            created=reading.instant(row["created"]),
            livemode=row.get("livemode") is True,
        )
    except (KeyError, TypeError, AttributeError, OverflowError, OSError, RecursionError) as error:
        raise ValueError("This is no event.") from error


def _refuse_future(header: str) -> None:
    stamp = next(part[2:] for part in header.split(",") if part.startswith("t="))
    if int(stamp) > time.time() + TOLERANCE_SECONDS:
        raise SignatureRefused("The signature is from the future.")


def _short(value: object, limit: int) -> str:
    if not isinstance(value, str) or len(value) > limit or "\0" in value:
        raise ValueError("This is no event.")
    value.encode()  # half a surrogate cannot be stored: UnicodeEncodeError is a ValueError
    return value
