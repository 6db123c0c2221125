"""Looking tenants up: by host for requests, by schema for jobs."""

from collections.abc import Iterable

from django.conf import settings

from tenants.context import enter_public
from tenants.models import Host, Tenant


def tenant_of_host(hostname: str) -> Tenant | None:
    """Return the tenant that this hostname leads to, or None."""
    if not hostname or len(hostname) > 253:
        return None
    with enter_public():
        host = Host.objects.select_related("tenant").filter(hostname=hostname.lower()).first()
    return host.tenant if host else None


def tenant_of_schema(schema_name: str) -> Tenant:
    """Return the tenant whose schema this is; raises `Tenant.DoesNotExist`."""
    with enter_public():
        return Tenant.objects.get(schema_name=schema_name)


def tenant_of_slug(slug: str) -> Tenant:
    """Return the tenant of this slug; raises `Tenant.DoesNotExist`."""
    with enter_public():
        return Tenant.objects.get(slug=slug)


def open_tenants() -> Iterable[Tenant]:
    """Return every active tenant, by slug."""
    with enter_public():
        return list(Tenant.objects.filter(status=Tenant.Status.ACTIVE).order_by("slug"))


def every_tenant() -> Iterable[Tenant]:
    """Return every tenant, suspended and closed ones too, by slug."""
    with enter_public():
        return list(Tenant.objects.order_by("slug"))


def home_host(tenant: Tenant) -> str:
    """Return the host that we gave the tenant and that it always keeps."""
    return f"{tenant.slug}.{settings.SITE_HOST}"


def home_url(tenant: Tenant) -> str:
    """Return the address of the host that the tenant always keeps: for machines that must find it again."""
    return settings.SITE_URL.replace(settings.SITE_HOST, home_host(tenant), 1).rstrip("/")


def site_url(tenant: Tenant) -> str:
    """Return the address of the tenant's primary host, without a trailing slash."""
    with enter_public():
        hostname = Host.objects.values_list("hostname", flat=True).get(tenant=tenant, is_primary=True)
    return settings.SITE_URL.replace(settings.SITE_HOST, hostname, 1).rstrip("/")
