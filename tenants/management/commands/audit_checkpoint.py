"""`manage.py audit_checkpoint`: sign the heads of all audit chains now; the first time, make the key."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from audit.store_gateway import StoreUnavailable
from tenants import checkpointing, clock
from tenants.context import enter_public
from vault.errors import VaultError


class Command(BaseCommand):
    help = "Signs the heads of all audit chains now, and puts what waits into AUDIT_BUCKET."

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            with enter_public():
                now = clock.of_database()
            taken = checkpointing.take(now=now)
            stored = checkpointing.store_waiting(now=now) if settings.AUDIT_BUCKET else 0
        except (StoreUnavailable, VaultError) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"checkpoint {taken.number}, {stored} put outside")
