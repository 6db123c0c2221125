"""G29, by mutation: without the call that records, no rule of `billing` books an entry."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import psycopg
from django.db import DatabaseError, connection, transaction

from billing import asking, collecting, connecting, disputing, issuing, payments, refunding, voiding
from billing.ledger_checking import check
from billing.models import JournalEntry
from billing.money import Money
from billing.running import run_invoices
from billing.stripe_gateway import DisputeInfo, Intent, Movement, RefundInfo
from tests.billing.invoicing import making
from tests.billing.manage import rows
from tests.billing.payments import standin
from tests.billing.payments.conftest import customer, now, shop
from tests.billing.payments.standin import SYSTEM
from tests.mutating import Site, sites, without

__all__ = ["customer", "now", "shop"]
Act = Callable[[], object]


@dataclass
class Desk:
    """What the rules need before they are called, made anew for each."""

    customer: Any
    now: datetime

    def issuing(self) -> Act:
        draft = rows.draft(self.customer, actor=SYSTEM, now=self.now)
        return lambda: issuing.issue(draft, actor=SYSTEM, now=self.now)

    def voiding(self) -> Act:
        invoice = standin.make_invoice(self.customer, self.now)
        return lambda: voiding.void(invoice, actor=SYSTEM, now=self.now)

    def running(self) -> Act:
        making.subscription(due=self.now.date())
        return lambda: run_invoices(actor=SYSTEM, now=self.now)

    def settling(self) -> Act:
        invoice = standin.make_invoice(self.customer, self.now)
        day = self.now.date()
        return lambda: payments.record_manual(
            invoice, amount=100, received_on=day, actor=SYSTEM, now=self.now
        )

    def refunding(self) -> Act:
        intent, told = self.paid()
        return lambda: refunding.apply_refunds(intent, [told], actor=SYSTEM, now=self.now)

    def taking_back(self) -> Act:
        intent, told = self.paid()
        refunding.apply_refunds(intent, [told], actor=SYSTEM, now=self.now)
        failed = [replace(told, status="failed")]
        return lambda: refunding.apply_refunds(intent, failed, actor=SYSTEM, now=self.now)

    def disputing(self) -> Act:
        intent, _ = self.paid()
        moved = Movement(f"txn_{intent.id}", -intent.amount, Money(1500, "EUR"))
        told = DisputeInfo(
            f"dp_{intent.id}", intent.id, "needs_response", "fraudulent", intent.amount, self.now, [moved]
        )
        return lambda: disputing.apply_dispute(told, intent, actor=SYSTEM, now=self.now)

    def paid(self) -> tuple[Intent, RefundInfo]:
        """An invoice paid by card, and a refund of some of it."""
        invoice = standin.make_invoice(self.customer, self.now)
        payment = collecting.begin(invoice.pk, actor=SYSTEM, now=self.now)
        payment = collecting.send(payment.pk, actor=SYSTEM, now=self.now)
        standin.confirm(payment)
        asking.ask(payment.pk, actor=SYSTEM, now=self.now)
        intent = connecting.gateway().intent(payment.external_id or "")
        told = RefundInfo(f"re_{intent.id}", Money(100, "EUR"), "succeeded", self.now, intent.charge)
        return intent, told


# By the function that records: what has to be done for it to be called.
MOVES: dict[str, Callable[[Desk], Act]] = {
    "issuing._book": Desk.issuing,
    "voiding.void": Desk.voiding,
    "writing.write": Desk.running,
    "settling._write": Desk.settling,
    "refunding._book_refunds": Desk.refunding,
    "refunding._take_back": Desk.taking_back,
    "disputing._write": Desk.disputing,
}


def test_no_rule_books_an_entry_once_its_recording_is_taken_out(
    customer: Any, now: datetime, record_property: Callable[[str, object], None]
) -> None:
    every = sites("billing")
    booking = [site for site in every if site.is_named]
    assert {_rule(site) for site in booking} == set(MOVES), "rules that book entries"
    survivors = [str(site) for site in booking if survives(site, Desk(customer, now))]
    score = f"{len(booking) - len(survivors)} of {len(booking)} (of {len(every)} calls that record)"
    record_property("killed", score)
    print(score)
    assert survivors == []
    assert check().is_whole


def survives(site: Site, desk: Desk) -> bool:
    """Whether the rule can do without the call; without the mutation it must book."""
    act = MOVES[_rule(site)](desk)
    before = JournalEntry.objects.count()
    try:
        with without(site), transaction.atomic():
            act()
            connection.check_constraints()
    except (DatabaseError, psycopg.Error, TypeError):  # refused, or the rule cannot go on
        survived = JournalEntry.objects.count() != before
    else:
        survived = True
    act()
    assert JournalEntry.objects.count() > before, f"{site} was not reached"
    return survived


def _rule(site: Site) -> str:
    return f"{site.path.stem}.{site.function}"
