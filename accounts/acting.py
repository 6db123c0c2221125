"""From a request to the actor that rules and audit events name."""

from ipaddress import ip_address

from django.conf import settings
from django.http import HttpRequest

from accounts.models import User
from audit.actors import Actor


def actor_of(request: HttpRequest, user: User | None = None) -> Actor:
    """Return who acts in this request, with where from; `user` where nobody is logged in yet.

    Somebody of the platform who acts as the person stands behind the actor.
    """
    person = user or getattr(request, "user", None)
    ip, agent = origin_of(request)
    if isinstance(person, User):
        visit = person.visit or getattr(getattr(request, "user", None), "visit", None)
        behind = (str(visit.staff_id), visit.staff_label) if visit else ("", "")
        return Actor("user", str(person.pk), f"{person.name} <{person.email}>", ip, agent, *behind)
    return Actor("visitor", "", "visitor", ip, agent)


def origin_of(request: HttpRequest) -> tuple[str | None, str]:
    """Return the caller's IP address in its canonical form, and its user agent without control characters."""
    agent = "".join(c for c in request.META.get("HTTP_USER_AGENT", "") if c.isprintable())[:400]
    seen = [request.META.get("REMOTE_ADDR", "")]
    hops: int = settings.TRUSTED_PROXIES
    if hops:
        # each proxy appends whom it saw; what stands before the entries of ours, anybody may have written
        seen.insert(0, "".join(request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")[-hops:][:1]))
    for address in seen:
        try:
            return str(ip_address(address.strip())), agent
        except ValueError:
            continue
    return None, agent
