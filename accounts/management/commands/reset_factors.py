"""`manage.py reset_factors`: for when nobody is left who could do it from a page."""

from contextlib import AbstractContextManager
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.models import User
from accounts.recovering import reset_factors
from audit.actors import Actor
from tenants import clock
from tenants.context import enter, enter_public
from tenants.directory import tenant_of_slug
from tenants.models import Tenant


class Command(BaseCommand):
    help = "Takes away somebody's second factors at once and tells them by mail. The password stays."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email")
        parser.add_argument("--tenant", metavar="SLUG", default="", help="without it: the platform's staff")

    def handle(self, *args: Any, **options: Any) -> None:
        email, actor = options["email"], Actor.system("reset_factors")
        with self._inside(options.get("tenant") or ""):
            user = User.objects.filter(email__iexact=email).first()
            if user is None:
                raise CommandError(f"Nobody logs in there with {email}.")
            reset_factors(user, actor=actor, now=clock.now())
        self.stdout.write(f"{email} logs in by password alone until a new second factor is set up.")

    def _inside(self, slug: str) -> AbstractContextManager[None]:
        if not slug:
            return enter_public()
        try:
            return enter(tenant_of_slug(slug))
        except Tenant.DoesNotExist:
            raise CommandError(f"There is no tenant {slug!r}.") from None
