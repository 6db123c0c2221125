"""G29, by mutation: without the call that records, no rule of `billing` books an entry."""

import ast
import importlib
import inspect
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from types import CodeType
from typing import Any

import psycopg
import pytest
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
from tests.conftest import ROOT

__all__ = ["customer", "now", "shop"]
RECORDING = {"record", "record_many"}
Act = Callable[[], object]


@dataclass(frozen=True)
class Site:
    """A call that records, and the function that it stands in."""

    path: Path
    function: str
    line: int
    column: int
    is_named: bool  # whether what it answers is used: an entry is to name the event

    def __str__(self) -> str:
        return f"{self.path.stem}.{self.function}:{self.line}"


def sites() -> list[Site]:
    """Every call of `record` and `record_many` in the rules of billing."""
    found = []
    for path in sorted((ROOT / "billing").rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        alone = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
        for function in [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]:
            found += [
                Site(path, function.name, node.lineno, node.col_offset, id(node) not in alone)
                for node in ast.walk(function)
                if isinstance(node, ast.Call)
                and isinstance(node.func, ast.Name)
                and node.func.id in RECORDING
            ]
    return found


class TakeOut(ast.NodeTransformer):
    """Puts nothing in the place of one call."""

    def __init__(self, site: Site) -> None:
        self.site = site

    def visit_Call(self, node: ast.Call) -> ast.AST:
        if (node.lineno, node.col_offset) == (self.site.line, self.site.column):
            return ast.copy_location(ast.Constant(None), node)
        return self.generic_visit(node)


@contextmanager
def without(site: Site) -> Iterator[None]:
    """The function without that call, wherever it was imported to."""
    tree = TakeOut(site).visit(ast.parse(site.path.read_text(encoding="utf-8")))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SyntaxWarning)  # such as of `None[0]`: that is what is wanted
        compiled = compile(ast.fix_missing_locations(tree), str(site.path), "exec")
    (code,) = (each for each in codes(compiled) if each.co_name == site.function)
    name = ".".join(site.path.relative_to(ROOT).with_suffix("").parts)
    function = inspect.unwrap(getattr(importlib.import_module(name), site.function))
    assert function.__code__.co_code != code.co_code
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(function, "__code__", code)
        yield


def codes(outer: CodeType) -> Iterator[CodeType]:
    for each in outer.co_consts:
        if isinstance(each, CodeType):
            yield each
            yield from codes(each)


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
    every = sites()
    booking = [site for site in every if site.is_named]
    assert {f"{site.path.stem}.{site.function}" for site in booking} == set(MOVES), "rules that book entries"
    survivors = [str(site) for site in booking if survives(site, Desk(customer, now))]
    score = f"{len(booking) - len(survivors)} of {len(booking)} (of {len(every)} calls that record)"
    record_property("killed", score)
    print(score)
    assert survivors == []
    assert check().is_whole


def survives(site: Site, desk: Desk) -> bool:
    """Whether the rule can do without the call; without the mutation it must book."""
    act = MOVES[f"{site.path.stem}.{site.function}"](desk)
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
