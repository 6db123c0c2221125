"""`manage.py migrate`: shared tables, the tenants' template, then every tenant."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.db.migrations.autodetector import MigrationAutodetector

from tenants import migrating
from tenants.owner import as_owner


class Command(BaseCommand):
    help = "Migrates the shared tables, the template schema and every tenant, as the owner. Resumable."
    requires_system_checks: list[str] = []
    autodetector = MigrationAutodetector  # Django's own check compares it with makemigrations'

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--tenant", action="append", help="schema of a tenant; may be repeated")

    def handle(self, *args: Any, **options: Any) -> None:
        def progress(line: str) -> None:
            if options["verbosity"] > 0:
                self.stdout.write(line)
                self.stdout.flush()

        with as_owner():
            migrating.migrate_shared(verbosity=options["verbosity"])
            migrating.migrate_template(progress=progress)
            changed = migrating.migrate_tenants(progress=progress, schemas=options["tenant"])
        progress(f"up to date; {changed} tenants changed")
