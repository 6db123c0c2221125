"""`manage.py audit_verify`: are the audit chains whole?"""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from audit.verifying import Verdict, verify
from tenants.commands import add_tenant_option, chosen_tenants
from tenants.context import enter, enter_public


class Command(BaseCommand):
    help = "Recomputes every link of the audit chains; exits 1 when one is broken."

    def add_arguments(self, parser: CommandParser) -> None:
        add_tenant_option(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        broken = 0
        if options["tenant"] is None:
            with enter_public():
                broken += self._say("platform", verify())
        for tenant in chosen_tenants(options["tenant"]):
            with enter(tenant):
                broken += self._say(tenant.slug, verify())
        if broken:
            raise SystemExit(1)

    def _say(self, name: str, verdict: Verdict) -> bool:
        self.stdout.write(f"{name}: {verdict.events} events, {verdict.problem or 'whole'}")
        return verdict.problem is not None
