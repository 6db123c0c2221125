"""`manage.py import_csv`: bring in customers and subscriptions from CSV files."""

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, BinaryIO, Final

from django.core.management.base import BaseCommand, CommandError, CommandParser

from audit.actors import Actor
from billing.errors import Refused
from billing.importing.files import Imported, import_files, preview
from billing.importing.outcome import Outcome
from billing.importing.reading import Problem
from tenants import clock
from tenants.commands import add_tenant_option, chosen_tenants
from tenants.context import enter

EVERY: Final = 5_000


class Command(BaseCommand):
    help = (
        "Imports customers and subscriptions by external id; docs/import-format.md says how the files look."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        add_tenant_option(parser, required=True)
        parser.add_argument("--customers", metavar="FILE")
        parser.add_argument("--subscriptions", metavar="FILE")
        parser.add_argument("--dry-run", action="store_true", help="say what would be done and do nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        if not options["customers"] and not options["subscriptions"]:
            raise CommandError("Give --customers FILE, --subscriptions FILE, or both.")
        (tenant,) = chosen_tenants(options["tenant"])
        customers, subscriptions = (_path(options[name]) for name in ("customers", "subscriptions"))
        with enter(tenant):
            done = self._work(customers, subscriptions, options["dry_run"])
        self._print(customers, done.customers, options["dry_run"])
        self._print(subscriptions, done.subscriptions, options["dry_run"])
        if not done.is_fine:
            raise CommandError("Not imported: a file with a bad row is left out whole.")

    def _work(self, customers: Path | None, subscriptions: Path | None, dry_run: bool) -> Imported:
        work = preview if dry_run else import_files
        self._told = 0
        with ExitStack() as stack:
            files = [_opened(stack, path) for path in (customers, subscriptions)]
            actor = Actor.system("import_csv")
            try:
                return work(files[0], files[1], actor=actor, now=clock.now(), progress=self._progress)
            except Refused as refused:
                raise CommandError(str(refused)) from refused

    def _progress(self, kind: str, rows: int) -> None:
        step = rows // EVERY
        if step and step != self._told:
            self.stdout.write(f"{kind}: {rows:,} rows read")
            self.stdout.flush()
        self._told = step

    def _print(self, path: Path | None, outcome: Outcome | None, dry_run: bool) -> None:
        if path is None or outcome is None:
            return
        self._list(path.name, "", outcome.problems, outcome.problem_count)
        self._list(path.name, "note: ", outcome.warnings, outcome.warning_count)
        if outcome.is_cut:
            self.stderr.write(f"{path.name}: so many problems; the rest was not read")
        would = "would be " if dry_run or not outcome.is_fine else ""
        self.stdout.write(
            f"{path.name}: {outcome.rows:,} rows; {outcome.created:,} {would}created,"
            f" {outcome.changed:,} {would}changed, {outcome.unchanged:,} unchanged,"
            f" {outcome.problem_count:,} problems, {outcome.warning_count:,} notes"
        )

    def _list(self, name: str, prefix: str, found: Sequence[Problem], count: int) -> None:
        for line, column, reason in found:
            where = f"line {line}" + (f", {column}" if column else "")
            self.stderr.write(f"{name}: {prefix}{where}: {reason}")
        if count > len(found):
            self.stderr.write(f"{name}: {prefix}and {count - len(found):,} more")


def _path(name: str | None) -> Path | None:
    return Path(name) if name else None


def _opened(files: ExitStack, path: Path | None) -> BinaryIO | None:
    if path is None:
        return None
    try:
        file = files.enter_context(path.open("rb"))
    except OSError as error:
        raise CommandError(f"{path}: {error.strerror}") from error
    if not file.seekable():
        raise CommandError(f"{path}: is read twice, so it has to be a file")
    return file
