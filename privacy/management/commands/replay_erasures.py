"""manage.py replay_erasures: after a restore, erase again whom the older database has brought back."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from audit.actors import Actor
from privacy import erasure_log
from privacy.erasure_log_gateway import LogUnavailable, is_set
from privacy.errors import Refused
from tenants import clock


class Command(BaseCommand):
    """Run it before the site is opened again. Those that are erased already stay as they are."""

    help = "Erase again, by the log of erasures in S3, everybody whom a restored backup has brought back."

    def handle(self, *args: Any, **options: Any) -> None:
        if not is_set():
            raise CommandError("ERASURE_BUCKET is not set; docs/configuration.md tells what it is.")
        left, actor = 0, Actor.system("manage.py replay_erasures")
        try:
            for entry in erasure_log.logged():
                try:
                    said = erasure_log.replay(entry, actor=actor, now=clock.wall())
                except Refused as refused:
                    said = f"waits: {refused}"
                left += said.startswith("waits")
                self.stdout.write(f"{entry.schema_name} {entry.subject}: {said}")
        except LogUnavailable as error:
            raise CommandError(str(error)) from error
        if left:
            raise CommandError(f"{left} of them could not be erased yet; see above. Run this again.")
