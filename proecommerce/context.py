"""What every page's template may read."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest


def page(request: HttpRequest) -> dict[str, Any]:
    """Return the tenant of the request's host (None on the public one) and the site's address."""
    return {"tenant": getattr(request, "tenant", None), "site_url": settings.SITE_URL}
