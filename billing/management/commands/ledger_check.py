"""`manage.py ledger_check`: prove the books of one tenant or of all."""

import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from billing.ledger_checking import Report, check
from billing.money import Money
from tenants.commands import add_tenant_option, chosen_tenants
from tenants.context import enter


class Command(BaseCommand):
    help = "Recomputes the ledger by independent queries, prints the figures; exits 1 on any difference."

    def add_arguments(self, parser: CommandParser) -> None:
        add_tenant_option(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        whole = True
        for tenant in chosen_tenants(options["tenant"]):
            with enter(tenant):
                report = check()
            self._print(tenant.slug, report)
            whole = whole and report.is_whole
        if not whole:
            sys.exit(1)

    def _print(self, slug: str, report: Report) -> None:
        told = "all hold" if report.is_whole else f"{len(report.findings)} do not hold"
        self.stdout.write(f"{slug}: {report.proofs} proofs, {told}")
        for currency, figures in report.figures.items():
            for name, amount in figures.items():
                value = f"{amount}" if name == "invoices issued" else str(Money(amount, currency))
                self.stdout.write(f"  {name:<20} {value:>20}")
        for finding in report.findings:
            self.stdout.write(f"  DIFFERS ({finding.count}): {finding.what}: {finding.detail}")
