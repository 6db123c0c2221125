"""`manage.py rotate_keys`: a new key-encryption key, and every data key wrapped by it."""

from typing import Any

from django.core.management.base import BaseCommand
from django.db import transaction

from audit.actions import Action
from audit.actors import Actor
from audit.recording import record
from tenants import clock
from tenants.context import enter, enter_public
from tenants.directory import open_tenants
from vault import rotation


class Command(BaseCommand):
    help = "Makes a new key-encryption key and wraps every data key by it. Resumable: run it again."

    def handle(self, *args: Any, **options: Any) -> None:
        version = rotation.add_key_encryption_key()
        self.stdout.write(f"new key-encryption key {version}")
        total = 0
        for tenant in open_tenants():
            with enter(tenant):
                total += rotation.rewrap_data_keys()
        with enter_public():
            total += rotation.rewrap_data_keys()
            with transaction.atomic():
                actor = Actor.system("rotate_keys")
                record(
                    Action.KEYS_ROTATED,
                    subject=("vault", version),
                    actor=actor,
                    now=clock.now(),
                    wrapped=total,
                )
        self.stdout.write(f"{total} data keys wrapped by it")
