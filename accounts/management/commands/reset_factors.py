"""`manage.py reset_factors`: for when nobody is left who could do it from a page."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.models import User
from accounts.recovering import ResetRefused, reset_at_once, reset_factors
from audit.actors import Actor
from tenants import clock
from tenants.context import enter_public
from tenants.directory import tenant_of_slug
from tenants.models import Tenant


class Command(BaseCommand):
    help = "Takes away somebody's second factors at once and tells them by mail. The password stays."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email")
        parser.add_argument("--tenant", metavar="SLUG", default="", help="without it: the platform's staff")

    def handle(self, *args: Any, **options: Any) -> None:
        email, actor = options["email"], Actor.system("reset_factors")
        try:
            self._reset(options.get("tenant") or "", email, actor)
        except (User.DoesNotExist, ResetRefused):
            raise CommandError(f"Nobody logs in there with {email}.") from None
        self.stdout.write(
            f"{email} logs in by password alone until a new second factor is set up. If it has fewer than 15 "
            "characters, log-in mails a link to set another."
        )

    def _reset(self, slug: str, email: str, actor: Actor) -> None:
        if not slug:
            with enter_public():
                reset_factors(User.objects.get(email__iexact=email), actor=actor, now=clock.now())
            return
        try:
            tenant = tenant_of_slug(slug)
        except Tenant.DoesNotExist:
            raise CommandError(f"There is no tenant {slug!r}.") from None
        reset_at_once(tenant, email, actor=actor, now=clock.now())
