"""manage.py drop_rehearsal: throws a rehearsal away, with all that was imported into it."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError

from audit.actors import Actor
from privacy import ending
from tenants import clock
from tenants.commands import chosen_tenants


class Command(BaseCommand):
    """Only for rehearsals; `manage.py retention` drops them by itself 30 days after they were made."""

    help = "Drop a rehearsal for good: its schema, role, keys, hosts, jobs and copies of its data."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("slug", metavar="SLUG", help="the rehearsal")
        parser.add_argument("--yes", action="store_true", help="do not ask for the slug again")

    def handle(self, *args: Any, **options: Any) -> None:
        (tenant,) = chosen_tenants(options["slug"])
        if not tenant.is_rehearsal:
            raise CommandError(f"“{tenant.slug}” is not a rehearsal: only those are thrown away.")
        if ending.is_held_anywhere(tenant):
            raise CommandError(f"A legal hold stands on “{tenant.slug}” or on somebody in it. Lift it first.")
        asked = f"Everything in “{tenant.slug}” goes. Type its slug: "
        if not options["yes"] and input(asked) != tenant.slug:
            raise CommandError("That is not its slug. Nothing was dropped.")
        actor = Actor.system("manage.py drop_rehearsal")
        try:
            ending.drop(tenant, because="a rehearsal, thrown away", actor=actor, now=clock.wall())
        except DatabaseError as error:
            raise CommandError(f"“{tenant.slug}” could not be dropped: {error}") from error
        self.stdout.write(f"{tenant.slug} is gone. The platform's audit record keeps that it was dropped.")
