"""`manage.py check_policy`: whether the privacy policy says what the last published version says."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from privacy import policy_queries, publishing
from tenants import clock
from tenants.context import enter_public


class Command(BaseCommand):
    help = "Fails when the template or the inventory has moved away from the policy that is published."

    def handle(self, *args: Any, **options: Any) -> None:
        now = clock.now()
        with enter_public():
            if said := publishing.drift(now=now):
                raise CommandError(said)
            version = policy_queries.standing(now=now)[-1]
        self.stdout.write(f"The privacy policy is version {version.number}, unchanged.")
