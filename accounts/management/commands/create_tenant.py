"""`manage.py create_tenant`: what sign-up does, from the command line."""

from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.onboarding import create_with_invitation
from accounts.places import check_country, check_currency, check_time_zone
from audit.actors import Actor
from tenants import clock
from tenants.errors import SlugRefused, SlugTaken
from tenants.provisioning import NewTenant


class Command(BaseCommand):
    help = "Makes a tenant and invites its owner; prints the host and the invitation link."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("slug", metavar="SLUG", help="the first label of the tenant's host")
        parser.add_argument("--name", required=True, help="the business's name")
        parser.add_argument("--owner", required=True, metavar="EMAIL", help="who is invited as the owner")
        parser.add_argument("--country", default="US", help="ISO 3166 code (default: %(default)s)")
        parser.add_argument("--currency", default="USD", help="ISO 4217 code (default: %(default)s)")
        parser.add_argument("--time-zone", default="UTC", help="IANA name (default: %(default)s)")
        parser.add_argument("--locale", default="en", help="language of its documents (default: %(default)s)")
        parser.add_argument("--rehearsal", action="store_true", help="a tenant with a clock of its own")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            new = NewTenant(
                slug=options["slug"],
                name=options["name"],
                country=check_country(options["country"]),
                currency=check_currency(options["currency"]),
                time_zone=check_time_zone(options["time_zone"]),
                locale=options["locale"],
                is_rehearsal=options["rehearsal"],
            )
            actor = Actor.system("create_tenant")
            made = create_with_invitation(new, owner=options["owner"], actor=actor, now=clock.now())
        except (SlugTaken, SlugRefused) as refused:
            raise CommandError(str(refused)) from refused
        except ValidationError as refused:
            raise CommandError(" ".join(refused.messages)) from refused
        self.stdout.write(f"host: {made.url}/\ninvitation: {made.next_url}")
