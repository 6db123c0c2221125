"""manage.py retention: what is kept no longer, in every schema: shown, or made to go."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from audit.actors import Actor
from privacy import retention
from privacy.retention import Swept
from tenants import clock
from tenants.commands import add_now_option, add_tenant_option, chosen_now, chosen_tenants
from tenants.context import enter, enter_public
from tenants.directory import every_tenant
from tenants.postgresql.base import PUBLIC


class Command(BaseCommand):
    """Without --tenant: every tenant that is no rehearsal, closed ones too, and the platform."""

    help = "Delete what has been kept as long as the policy says; jobs do the same twice a day."

    def add_arguments(self, parser: CommandParser) -> None:
        add_tenant_option(parser)
        add_now_option(parser)
        parser.add_argument("--dry-run", action="store_true", help="only show what would go")

    def handle(self, *args: Any, **options: Any) -> None:
        now, dry_run, slug = chosen_now(options["now"]), bool(options["dry_run"]), options["tenant"]
        if now > clock.wall() and not dry_run:
            raise CommandError("Nothing goes before its time: --now in the future needs --dry-run.")
        actor = Actor.system("manage.py retention")
        self.stdout.write(f"{'schema':<24} {'table':<40} {'would go' if dry_run else 'went':>10}")
        tenants = every_tenant() if slug is None else chosen_tenants(slug)
        for tenant in tenants:
            if not tenant.is_rehearsal:
                with enter(tenant):
                    self._show(tenant.schema_name, retention.run(now=now, dry_run=dry_run, actor=actor))
        if slug is None:
            with enter_public():
                self._show(PUBLIC, retention.run(now=now, dry_run=dry_run, actor=actor))

    def _show(self, schema: str, swept: list[Swept]) -> None:
        for each in swept:
            self.stdout.write(f"{schema:<24} {each.table:<40} {each.count:>10}")
