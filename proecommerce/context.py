"""What every page's template may read."""

from datetime import date
from typing import Any

from django.conf import settings
from django.http import HttpRequest

from accounts.permissions import FOR_CONTACTS, FOR_STAFF
from privacy import policy_queries
from tenants import clock
from tenants.context import enter_public


def page(request: HttpRequest) -> dict[str, Any]:
    """Return the tenant of the request's host (None on the public one), and where site and policy are."""
    return {
        "tenant": getattr(request, "tenant", None),
        "site_url": settings.SITE_URL,
        "policy_url": f"{settings.SITE_URL.rstrip('/')}/privacy/",
        "policy_updated": policy_updated,
    }


def policy_updated() -> date | None:
    """Return when the privacy policy in force was last updated; asked only by templates that say it."""
    with enter_public():
        version = policy_queries.in_force(now=clock.wall())
    return version.last_updated if version else None


class May:
    """What the person of a request may: `may.pay` asks `permissions.may_pay`, at the moment it is read."""

    def __init__(self, request: HttpRequest) -> None:
        self._request = request

    def __getitem__(self, name: str) -> bool:
        contact = getattr(self._request, "contact", None)
        if of_contact := FOR_CONTACTS.get(f"may_{name}"):
            return contact is not None and of_contact(contact)
        person = getattr(self._request, "user", None)
        return person is not None and FOR_STAFF[f"may_{name}"](person)


def rights(request: HttpRequest) -> dict[str, Any]:
    """Let templates hide what the person may not do."""
    return {"may": May(request)}
