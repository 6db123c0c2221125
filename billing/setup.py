"""What billing puts into a new tenant's schema."""

from datetime import datetime

from billing.models import BillingSettings
from tenants.models import Tenant


def prepare(tenant: Tenant, now: datetime) -> None:
    """Write the tenant's billing settings: its name and country, and numbers that begin with its slug."""
    BillingSettings.objects.create(
        business_name=tenant.name,
        country=tenant.country,
        number_prefix=tenant.slug.split("-")[0].upper()[:12],
    )
