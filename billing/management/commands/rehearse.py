"""`manage.py rehearse`: a rehearsal tenant lives through time, with the code that production runs."""

import json
from datetime import date
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from audit.actors import Actor
from billing import ledger_checking, rehearsal_setup, rehearsing
from billing.errors import Refused
from billing.formats import format_money
from billing.money import Money
from billing.rehearsal_report import report
from billing.stripe_gateway import StripeError
from tenants import clock
from tenants.commands import chosen_tenants
from tenants.context import enter
from tenants.models import Tenant


class Command(BaseCommand):
    help = "Takes a rehearsal tenant through time, day by day; prints invoices, payments, sums, ledger check."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--tenant", metavar="SLUG", required=True)
        parser.add_argument("--from", dest="start", metavar="DATE", type=self._day, help="default: its clock")
        parser.add_argument("--until", metavar="DATE", type=self._day, required=True)
        parser.add_argument(
            "--autopay", choices=("succeed", "decline"), help="give every customer such a card"
        )
        parser.add_argument("--json", action="store_true", help="print the figures as JSON only")

    def handle(self, *args: Any, **options: Any) -> None:
        (tenant,) = chosen_tenants(options["tenant"])
        if not tenant.is_rehearsal:
            raise CommandError(
                f"“{tenant.slug}” is not a rehearsal: create_tenant SLUG … --rehearsal makes one."
            )
        if not settings.STRIPE_REHEARSAL_BASE:
            raise CommandError("STRIPE_REHEARSAL_BASE is not set: a rehearsal pays at a stand-in for Stripe.")
        start, until = options["start"], options["until"]
        if start is not None and start > until:
            raise CommandError(f"--until {until} lies before --from {start}.")
        self.quiet = options["json"]
        if options["autopay"]:
            self._prepare(tenant, options["autopay"])
        days = 0
        for lived in rehearsing.live(tenant, start=start, until=until):
            days += 1
            if lived.jobs or lived.day.day == 1:
                self._say(f"{lived.day.isoformat()}  {lived.jobs} jobs")
        self._conclude(tenant, days)

    def _prepare(self, tenant: Tenant, outcome: rehearsal_setup.Autopay) -> None:
        actor = Actor.system("rehearsal")
        with enter(tenant), rehearsing.alone(tenant):
            try:
                rehearsal_setup.connect(actor=actor, now=clock.now())
                for done in rehearsal_setup.give_cards(outcome, actor=actor, now=clock.now()):
                    if done % 50 == 0:
                        self._say(f"{done} cards saved")
            except (Refused, StripeError) as error:
                raise CommandError(f"The stand-in for Stripe: {error}") from error

    def _conclude(self, tenant: Tenant, days: int) -> None:
        with enter(tenant):
            figures = {"tenant": tenant.slug, "days": days, **report()}
            check = ledger_checking.check()
        figures["ledger_ok"] = check.is_whole
        if self.quiet:
            self.stdout.write(json.dumps(figures, indent=1))
        else:
            self._tell(figures)
        if not check.is_whole:
            raise SystemExit(1)

    def _tell(self, figures: dict[str, Any]) -> None:
        for currency, row in figures["invoices"].items():
            total, collected = Money(row["total"], currency), Money(row["collected"], currency)
            self.stdout.write(
                f"{currency}: {row['issued']} invoices, {row['paid']} paid; "
                f"{format_money(total, 'en')} billed, {format_money(collected, 'en')} collected; "
                f"ledger sums to {figures['ledger_sum'].get(currency, 0)}"
            )
        payments = ", ".join(f"{count} {state}" for state, count in figures["payments"].items()) or "none"
        self.stdout.write(
            f"payments: {payments}\nledger check: {'all agrees' if figures['ledger_ok'] else 'DIFFERS'}"
        )

    def _say(self, line: str) -> None:
        if not self.quiet:
            self.stdout.write(line)
            self.stdout.flush()

    @staticmethod
    def _day(text: str) -> date:
        try:
            return date.fromisoformat(text)
        except ValueError:
            raise CommandError(f"{text!r} is not a date; write it like 2027-12-31.") from None
