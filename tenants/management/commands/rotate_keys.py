"""`manage.py rotate_keys`: a new key-encryption key, or with --data new data keys for all that is sealed."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from audit.actors import Actor
from tenants import clock, rekeying
from tenants.errors import KeysLeft, RotationBusy, ValuesLeft
from vault.errors import VaultError
from vault.keyring import SPREAD_SECONDS
from vault.resealing import BATCH


class Command(BaseCommand):
    help = (
        "Makes a new key-encryption key and wraps every data key by it; with --data, makes a new data key in"
        " every schema and seals all values by it. The site goes on meanwhile. Resumable: run it again."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--data", action="store_true", help="replace the data keys, and seal all anew")
        parser.add_argument(
            "--at-once",
            action="store_true",
            help="without --data: do not wait until running processes have read the new key; each then needs"
            " Secrets Manager within a quarter of an hour",
        )
        parser.add_argument(
            "--batch",
            type=int,
            default=BATCH,
            metavar="ROWS",
            help="with --data: rows that are locked together for a moment (%(default)s)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if not 1 <= options["batch"] <= 5000:
            raise CommandError("--batch takes a number from 1 to 5000.")
        known: dict[str, Any] = {
            "actor": Actor.system("rotate_keys"),
            "now": clock.now(),
            "progress": self._say,
        }
        try:
            if options["data"]:
                total = rekeying.replace_data_keys(batch=options["batch"], **known)
                self._say(f"{total} values sealed anew")
            else:
                wait = 0 if options["at_once"] else SPREAD_SECONDS
                rekeying.rotate_key_encryption_key(wait=wait, **known)
        except (KeysLeft, RotationBusy, ValuesLeft, VaultError) as error:
            raise CommandError(str(error)) from error

    def _say(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()
