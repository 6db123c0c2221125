"""When the tenant's next invoice run is: kept on the tenant, so that nobody opens a schema in vain."""

from datetime import datetime, timedelta

from billing import due
from billing.models import BillingSettings
from billing.periods import local_midnight
from tenants.context import current_tenant
from tenants.models import Tenant


def replan(*, now: datetime) -> datetime | None:
    """Set and return the instant of the next run; None when no subscription is active.

    Needs an open transaction. Locks the tenant's row and looks only then, so that of two changes at once the
    later sees both; call it after the change and before the audit event. Something due already means `now`.
    """
    tenant = lock_tenant()
    first = due.earliest()
    at = None
    if first is not None:
        ahead = BillingSettings.objects.values_list("days_ahead", flat=True).get()
        at = max(local_midnight(first - timedelta(days=ahead), tenant.zone), now)
    if tenant.next_run_at != at:
        Tenant.objects.filter(pk=tenant.pk).update(next_run_at=at)
    return at


def lock_tenant() -> Tenant:
    """Lock the tenant's row and return it fresh; ahead of the audit chain in the order of locks."""
    return Tenant.objects.select_for_update(of=("self",), no_key=True).get(pk=current_tenant().pk)
