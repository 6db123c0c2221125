"""The tenants that tests work in; run as a module, it puts two of them into the template database."""

from datetime import UTC, datetime
from typing import Any


def make(slug: str, *, name: str, country: str = "DE", currency: str = "EUR", **more: Any) -> Any:
    """Create and commit a tenant in Europe/Berlin unless told otherwise."""
    from audit.actors import Actor
    from tenants.provisioning import NewTenant, create_tenant

    choices = {"time_zone": "Europe/Berlin"} | more
    new = NewTenant(slug=slug, name=name, country=country, currency=currency, **choices)
    return create_tenant(new, actor=Actor.system("tests"), now=datetime(2026, 1, 2, 12, tzinfo=UTC))


if __name__ == "__main__":
    import os

    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "proecommerce.settings")
    django.setup()
    make("alpha", name="Alpha Hosting")
    make("beta", name="Beta Domains", country="US", currency="USD", time_zone="America/New_York")
