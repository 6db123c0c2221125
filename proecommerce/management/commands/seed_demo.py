"""`manage.py seed_demo`: believable data for the demo, with progress. Safe to run again."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from proecommerce.demo.seeding import seed
from tenants import clock


class Command(BaseCommand):
    help = "Fills a demo with two tenants and some months of their billing. Works only where DEMO=1."

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.DEMO:
            raise CommandError("This is no demo (DEMO is not 1): nothing was changed.")
        seed(now=clock.now(), say=self._say)

    def _say(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()
