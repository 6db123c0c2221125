"""`manage.py import_csv`: bring in customers and subscriptions from CSV files."""

from contextlib import ExitStack
from pathlib import Path
from typing import Any, BinaryIO

from django.core.management.base import BaseCommand, CommandError, CommandParser

from audit.actors import Actor
from billing.errors import Refused
from billing.importing.files import import_files, preview
from billing.importing.outcome import Outcome
from tenants import clock
from tenants.commands import add_tenant_option, chosen_tenants
from tenants.context import enter


class Command(BaseCommand):
    help = (
        "Imports customers and subscriptions by external id; docs/import-format.md says how the files look."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        add_tenant_option(parser, required=True)
        parser.add_argument("--customers", metavar="FILE", type=Path)
        parser.add_argument("--subscriptions", metavar="FILE", type=Path)
        parser.add_argument("--dry-run", action="store_true", help="say what would be done and do nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        if not options["customers"] and not options["subscriptions"]:
            raise CommandError("Give --customers FILE, --subscriptions FILE, or both.")
        (tenant,) = chosen_tenants(options["tenant"])
        work = preview if options["dry_run"] else import_files
        with ExitStack() as files, enter(tenant):
            customers = _opened(files, options["customers"])
            subscriptions = _opened(files, options["subscriptions"])
            try:
                done = work(customers, subscriptions, actor=Actor.system("import_csv"), now=clock.now())
            except Refused as refused:
                raise CommandError(str(refused)) from refused
        self._print(options["customers"], done.customers, options["dry_run"])
        self._print(options["subscriptions"], done.subscriptions, options["dry_run"])
        if not done.is_fine:
            raise CommandError("Not imported: a file with a bad row is left out whole.")

    def _print(self, path: Path | None, outcome: Outcome | None, dry_run: bool) -> None:
        if path is None or outcome is None:
            return
        for problem in outcome.problems:
            where = f"line {problem.line}" + (f", {problem.column}" if problem.column else "")
            self.stderr.write(f"{path.name}: {where}: {problem.reason}")
        if outcome.problem_count > len(outcome.problems):
            self.stderr.write(f"{path.name}: and {outcome.problem_count - len(outcome.problems):,} more")
        would = "would be " if dry_run or not outcome.is_fine else ""
        self.stdout.write(
            f"{path.name}: {outcome.rows:,} rows; {outcome.created:,} {would}created,"
            f" {outcome.changed:,} {would}changed, {outcome.unchanged:,} unchanged,"
            f" {outcome.problem_count:,} problems"
        )


def _opened(files: ExitStack, path: Path | None) -> BinaryIO | None:
    if path is None:
        return None
    try:
        return files.enter_context(path.open("rb"))
    except OSError as error:
        raise CommandError(f"{path}: {error.strerror}") from error
