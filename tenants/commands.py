"""What the commands have in common: which tenants, which time, clear refusals."""

from collections.abc import Iterable
from datetime import UTC, datetime

from django.core.management.base import CommandError, CommandParser

from tenants.directory import open_tenants, tenant_of_slug
from tenants.models import Tenant


def add_tenant_option(parser: CommandParser, *, required: bool = False) -> None:
    """Add --tenant SLUG; without it a command works on every active tenant."""
    parser.add_argument("--tenant", metavar="SLUG", required=required, help="the tenant; default: all")


def add_now_option(parser: CommandParser) -> None:
    """Add --now ISO."""
    parser.add_argument(
        "--now", metavar="ISO", help="act as if it were this instant, e.g. 2026-12-01T06:00:00Z"
    )


def chosen_tenants(slug: str | None) -> Iterable[Tenant]:
    """Return the tenant of this slug, or all active ones; raises CommandError when there is none."""
    if slug is None:
        return open_tenants()
    try:
        return [tenant_of_slug(slug)]
    except Tenant.DoesNotExist:
        known = ", ".join(tenant.slug for tenant in open_tenants()) or "none yet"
        raise CommandError(f"There is no tenant {slug!r}. Tenants: {known}.") from None


def chosen_now(text: str | None) -> datetime:
    """Return the instant that --now names, or the present one, in UTC."""
    if text is None:
        return datetime.now(UTC)
    try:
        value = datetime.fromisoformat(text)
    except ValueError:
        raise CommandError(
            f"--now {text!r} is not an ISO time; write it like 2026-12-01T06:00:00Z."
        ) from None
    return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
