"""`manage.py build_password_filter`: the filter of refused passwords from any lists, without the network."""

from argparse import ArgumentTypeError
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.common_passwords import MISTAKES, build, digest_of, digests_in, packaged_words


class Command(BaseCommand):
    help = (
        "Writes a filter of common and breached passwords for PASSWORD_FILTER: the lists that come with the "
        "packages, and the given ones. A list has one password a line, or one SHA-1 digest with or without "
        "`:count`, as lists of breached passwords are published."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("target", metavar="FILE", type=Path, help="the filter to write")
        parser.add_argument("--list", metavar="FILE", type=Path, action="append", default=[], dest="lists")
        parser.add_argument(
            "--mistakes", type=_share, default=MISTAKES,
            help="share of unlisted passwords refused by mistake; more of them make a smaller file "
            "(default: %(default)s)",
        )  # fmt: skip

    def handle(self, *args: Any, **options: Any) -> None:
        lists, target = options["lists"], options["target"]
        try:
            count = sum(1 for _ in self._digests(lists))
            build(self._digests(lists), count, options["mistakes"]).write(target)
        except OSError as error:
            raise CommandError(f"{error.filename}: {error.strerror}") from error
        self.stdout.write(f"{target}: {count} entries, {target.stat().st_size} bytes")

    def _digests(self, lists: list[Path]) -> Iterator[bytes]:
        """Twice over the lists rather than once into memory: they may be larger than that."""
        yield from map(digest_of, packaged_words())
        for each in lists:
            with each.open(encoding="utf-8", errors="surrogateescape") as lines:
                yield from digests_in(lines)


def _share(text: str) -> Any:
    try:
        share = float(text)
    except ValueError:
        raise ArgumentTypeError(f"{text!r} is not a number") from None
    if not 1e-9 <= share <= 0.01:
        raise ArgumentTypeError("give a share from 1e-9 to 0.01")
    return share
