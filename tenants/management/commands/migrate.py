"""`manage.py migrate`: shared tables, the tenants' template, then every tenant."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection
from django.db.migrations.autodetector import MigrationAutodetector

from tenants import clock, migrating, set_up
from tenants.blueprint import BlueprintIncomplete
from tenants.context import enter_public
from tenants.errors import StepFailed, TenantsBusy
from tenants.owner import as_owner

MIGRATE_LOCK = 0x6D696772  # "migr"


class Command(BaseCommand):
    help = "Migrates the shared tables, the template schema and every tenant, as the owner. Resumable."
    requires_system_checks: list[str] = []
    autodetector = MigrationAutodetector  # Django's own check compares it with makemigrations'

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--tenant", action="append", help="schema of a tenant; may be repeated")
        parser.add_argument(
            "--lock-timeout",
            type=int,
            metavar="MS",
            default=migrating.LOCK_TIMEOUT_MS,
            help="how long a tenant's requests may be held up before it is left for later (%(default)s ms)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        def progress(line: str) -> None:
            if options["verbosity"] > 0:
                self.stdout.write(line)
                self.stdout.flush()

        with as_owner():
            with enter_public(), connection.cursor() as cursor:
                # One at a time; the lock goes with the owner's connection.
                cursor.execute("SELECT pg_advisory_lock(%s)", [MIGRATE_LOCK])
            migrating.migrate_shared(verbosity=options["verbosity"])
            try:
                migrating.migrate_template(progress=progress)
                changed = migrating.migrate_tenants(
                    progress=progress, schemas=options["tenant"], lock_timeout_ms=options["lock_timeout"]
                )
            except (TenantsBusy, StepFailed, BlueprintIncomplete) as error:
                raise CommandError(str(error)) from error
            set_up.run(now=clock.wall(), progress=progress)
        progress(f"up to date; {changed} tenants changed")
