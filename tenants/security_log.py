"""What a guard of the door has to know, a line each: who, from where, what; for people and for fail2ban.

A line is `event=<word> ip=<address> key="value" …`. The address comes before all that a caller may choose,
and values are ASCII in double quotes with `"`, `\\` and control characters escaped: no value can end its
line, end its quotes or stand where the address does.
"""

import json
import logging
from typing import Literal

from django.http import HttpRequest

from tenants.origins import origin_of

log = logging.getLogger("proecommerce.security")

Event = Literal[
    "login_failed",
    "limit_hit",
    "forged_signature",
    "csrf_refused",
    "unknown_host",
    "form_refused",
    "forbidden",
]
LONGEST = 200


def note(request: HttpRequest, event: Event, **more: str) -> None:
    """Write one line about this request."""
    address, agent = origin_of(request)
    said = {"host": request.META.get("HTTP_HOST", ""), "path": request.path, **more, "agent": agent}
    log.warning("%s", line(event, address, said))


def line(event: str, address: str | None, said: dict[str, str]) -> str:
    """Return the line without time and level."""
    values = " ".join(f"{name}={json.dumps(value[:LONGEST])}" for name, value in said.items())
    return f"event={event} ip={address or '-'} {values}"
