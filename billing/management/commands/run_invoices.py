"""`manage.py run_invoices`: bill what is due, in one tenant or in all."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from audit.actors import Actor
from billing.money import Money
from billing.running import RunResult, run_invoices
from tenants import clock
from tenants.commands import add_now_option, add_tenant_option, chosen_now, chosen_tenants
from tenants.context import enter


class Command(BaseCommand):
    help = "Bills what falls due up to each tenant's days ahead. Running it twice bills nothing twice."

    def add_arguments(self, parser: CommandParser) -> None:
        add_tenant_option(parser)
        add_now_option(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        given = chosen_now(options["now"]) if options["now"] else None
        failed = []
        for tenant in chosen_tenants(options["tenant"]):
            if tenant.is_rehearsal and options["tenant"] is None:
                continue  # it lives in a time of its own
            with enter(tenant):
                try:
                    result = run_invoices(actor=Actor.system("run_invoices"), now=given or clock.now())
                except Exception as error:  # one tenant's trouble is not the others'
                    failed.append(tenant.slug)
                    self.stderr.write(f"{tenant.slug}: {type(error).__name__}: {error}")
                else:
                    self.stdout.write(f"{tenant.slug}: {_told(result)}")
        if failed:
            raise CommandError(f"The run failed for: {', '.join(failed)}.")


def _told(result: RunResult) -> str:
    if result.run is None:
        return "nothing is due"
    sums = ", ".join(str(Money(minor, currency)) for currency, minor in sorted(result.totals.items()))
    told = f"{result.invoices} invoices, {result.lines} lines, {sums or 'no money'}"
    return f"{told}; {result.parked} subscriptions parked" if result.parked else told
