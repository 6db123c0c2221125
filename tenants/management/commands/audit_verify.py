"""`manage.py audit_verify`: are the audit chains whole, and their checkpoints, and the copies outside?"""

from argparse import BooleanOptionalAction
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from audit.store_gateway import StoreUnavailable
from audit.verifying import Verdict, verify
from tenants import testimony
from tenants.commands import add_tenant_option, chosen_tenants
from tenants.context import enter, enter_public
from tenants.directory import every_tenant
from vault.errors import VaultError


class Command(BaseCommand):
    help = (
        "Recomputes every link of the audit chains, checks the signed checkpoints over them and their copies"
        " in AUDIT_BUCKET. Says what is wrong and where; exits 1 when anything is."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        add_tenant_option(parser)
        parser.add_argument(
            "--store", action=BooleanOptionalAction, default=bool(settings.AUDIT_BUCKET),
            help="read the copies outside, or leave them out; default: where AUDIT_BUCKET is set",
        )  # fmt: skip
        parser.add_argument(
            "--put-missing", action="store_true",
            help="first put into the store the checkpoints that are not there, as after a restore",
        )  # fmt: skip

    def handle(self, *args: Any, **options: Any) -> None:
        slug, broken = options["tenant"], 0
        if (options["store"] or options["put_missing"]) and not settings.AUDIT_BUCKET:
            raise CommandError("The store needs AUDIT_BUCKET; docs/configuration.md tells what it is.")
        try:
            broken += self._tell("checkpoints", testimony.problem_here())
            if options["put_missing"]:
                self._put_missing()
            if options["store"]:
                broken += self._tell("store", testimony.problem_outside())
            else:
                self.stdout.write("store: not read")
        except (StoreUnavailable, VaultError) as error:
            raise CommandError(str(error)) from error
        if slug is None:
            for schema in testimony.lost_chains():
                broken += self._tell(schema, "checkpoints have seen this chain, and it is gone")
            with enter_public():
                broken += self._say("platform", verify(testimony.whole()))
        for tenant in every_tenant() if slug is None else chosen_tenants(slug):
            with enter(tenant):
                broken += self._say(tenant.slug, verify(testimony.whole()))
        if broken:
            raise SystemExit(1)

    def _put_missing(self) -> None:
        count = testimony.put_missing()
        self.stdout.write(
            f"store: {count} checkpoints put that were missing; nobody can change them from now on,"
            " whether somebody did before they cannot tell"
        )

    def _tell(self, name: str, problem: str | None) -> bool:
        self.stdout.write(f"{name}: {problem or 'whole'}")
        return problem is not None

    def _say(self, name: str, verdict: Verdict) -> bool:
        self.stdout.write(f"{name}: {verdict.events} events, {verdict.problem or 'whole'}")
        return verdict.problem is not None
