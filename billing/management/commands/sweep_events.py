"""manage.py sweep_events [--tenant SLUG]: fetch the events of Stripe that never came."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from billing import connecting, sweeping
from billing.stripe_gateway import StripeError
from tenants import clock
from tenants.context import enter
from tenants.directory import open_tenants, tenant_of_slug
from tenants.models import Tenant


class Command(BaseCommand):
    help = "Reads Stripe's list of events and puts into the inbox what never came."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--tenant", metavar="SLUG", help="only this tenant (default: every active one)")

    def handle(self, *args: Any, **options: Any) -> None:
        failed = [tenant.slug for tenant in self._tenants(options["tenant"]) if not self._sweep(tenant)]
        if failed:
            raise CommandError(f"Stripe did not answer for: {', '.join(failed)}")

    def _tenants(self, slug: str | None) -> list[Tenant]:
        if slug is None:
            return list(open_tenants())
        try:
            return [tenant_of_slug(slug)]
        except Tenant.DoesNotExist:
            raise CommandError(f"There is no tenant {slug!r}.") from None

    def _sweep(self, tenant: Tenant) -> bool:
        with enter(tenant):
            if connecting.current() is None:
                self.stdout.write(f"{tenant.slug}: no Stripe account connected")
                return True
            try:
                found = sweeping.sweep(now=clock.now())
            except StripeError as error:
                self.stderr.write(f"{tenant.slug}: {error}")
                return False
            self.stdout.write(f"{tenant.slug}: {found} events had never come")
            return True
