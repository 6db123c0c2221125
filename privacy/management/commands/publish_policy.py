"""`manage.py publish_policy`: makes a version of the privacy policy from what the template renders now."""

import getpass
from datetime import UTC, datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from audit.actors import Actor
from privacy import publishing
from privacy.publishing import Change, PublishingRefused
from tenants import clock
from tenants.context import enter_public


class Command(BaseCommand):
    help = (
        "Publishes the privacy policy as the template and the inventory say it now. A substantial change is "
        "mailed to everybody first, and takes effect 30 days later at the earliest."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--summary", required=True, help="what changes, for people to read")
        parser.add_argument("--substantial", action="store_true", help="new collecting, sharing or retention")
        parser.add_argument("--effective", metavar="DATE", help="day from which it holds, e.g. 2027-01-15")

    def handle(self, *args: Any, **options: Any) -> None:
        change = Change(options["summary"], options["substantial"], _midnight(options["effective"]))
        actor = Actor("staff", "", f"publish_policy: {getpass.getuser()}")
        try:
            with enter_public():
                version = publishing.publish(change, actor=actor, now=clock.now())
        except PublishingRefused as refused:
            raise CommandError(str(refused)) from refused
        self.stdout.write(f"Version {version.number}, sha256 {version.sha256}.")
        if version.is_substantial:
            self.stdout.write(
                f"Everybody is being told; it takes effect on {version.effective_at:%Y-%m-%d}. See the admin."
            )


def _midnight(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        return datetime.fromisoformat(text).replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=UTC)
    except ValueError:
        raise CommandError(f"--effective {text!r} is not a day: write it as 2027-01-15.") from None
