"""What a guard of the door has to know, a line each: who, from where, what; for people and for fail2ban.

A line is `event=<word> ip=<address> network=<what counts as one caller> key="value" …`. The address comes
before all that a caller may choose, and values are ASCII in double quotes with `"`, `\\` and control
characters escaped: no value can end its line, end its quotes or stand where the address does.

What another site had somebody's browser send is `event=cross_site was="<word>"`: whoever visits that site
has done nothing, and nobody is banned by it.
"""

import json
import logging
from typing import Literal

from django.http import HttpRequest

from tenants.origins import is_of_another_site, network_of, origin_of

log = logging.getLogger("proecommerce.security")

Event = Literal[
    "login_failed",
    "limit_hit",
    "forged_signature",
    "csrf_refused",
    "unknown_host",
    "form_refused",
    "forbidden",
    "abuse",
]
LONGEST = 200


def note(request: HttpRequest, event: Event, *, tried: str = "", **more: str) -> None:
    """Write one line about this request. `tried` is the account that was tried: it stands in no line."""
    if getattr(request, "noted", ("", ""))[0] != "login_failed":
        request.noted = (event, tried)  # type: ignore[attr-defined]  # for the log of requests
    address, agent = origin_of(request)
    said = {"host": request.META.get("HTTP_HOST", ""), "path": request.path, **more, "agent": agent}
    if is_of_another_site(request):
        log.warning("%s", line("cross_site", address, {"was": event, **said}))
    else:
        log.warning("%s", line(event, address, said))


def tell(event: Event, address: str | None, **said: str) -> None:
    """Write one line that is about no single request."""
    log.warning("%s", line(event, address, said))


def line(event: str, address: str | None, said: dict[str, str]) -> str:
    """Return the line without time and level."""
    values = " ".join(f"{name}={json.dumps(value[:LONGEST])}" for name, value in said.items())
    network = network_of(address) if address else "-"
    return f"event={event} ip={address or '-'} network={network} {values}"
