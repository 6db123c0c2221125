"""`manage.py incident_drill`: exercise an incident on a demo, from the declaration to the last mail."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from proecommerce.drilling import DrillFailed, drill
from tenants.context import enter_public


class Command(BaseCommand):
    help = "Exercise an incident on a demo: declare, scope, rotate, tell everybody, publish, close."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--people", type=int, default=10_000, help="how many are affected")

    def handle(self, *args: Any, people: int, **options: Any) -> None:
        if not settings.DEMO:
            raise CommandError(
                "A drill writes to thousands and ends sessions: it runs on a demo only. Start one: bin/demo"
            )
        if people < 1:
            raise CommandError("--people: at least one.")
        try:
            with enter_public():
                drill(people=people, say=self.stdout.write)
        except DrillFailed as error:
            raise CommandError(str(error)) from error
