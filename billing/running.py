"""The invoice run: bills what falls due, in chunks of one transaction each.

Started twice, in parallel or killed anywhere, it bills each period once: a chunk holds the customers it
bills, moves their subscriptions on in the same transaction, and the database refuses a period billed twice.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from audit.actions import Action
from audit.actors import Actor
from audit.recording import Note, record, record_many
from billing import due, planning, scheduling, writing
from billing.composing import Advance, Composition, Parked, compose
from billing.due import DueCustomer
from billing.models import BillingSettings, Invoice, InvoiceRun, TaxRate
from billing.periods import local_date
from billing.snapshots import BUYER_FIELDS, party, seller_of, to_json
from billing.tax import TaxTable
from billing.writing import Billed, Issuing, Written
from tenants.context import current_tenant

_ADVANCE = (
    "UPDATE billing_subscription s SET next_index = moved.next_index, next_due_on = moved.next_due_on,"
    " setup_billed = moved.setup_billed"
    " FROM unnest(%s::uuid[], %s::int[], %s::date[], %s::bool[])"
    " AS moved (id, next_index, next_due_on, setup_billed) WHERE s.id = moved.id"
)
_PARK = (
    "UPDATE billing_subscription s SET status = 'paused', paused_reason = parked.reason"
    " FROM unnest(%s::uuid[], %s::text[]) AS parked (id, reason) WHERE s.id = parked.id"
)


@dataclass(frozen=True, slots=True)
class RunResult:
    """What one run did: `totals` are gross minor units by currency, `parked` subscriptions wait for a person.

    `run` is the id of its InvoiceRun; None when nothing was due.
    """

    run: UUID | None = None
    invoices: int = 0
    lines: int = 0
    totals: dict[str, int] = field(default_factory=dict)
    parked: int = 0


@dataclass(slots=True)
class _Tally:
    """What a run has done so far, counted once a chunk's transaction is sure to be the one that commits."""

    invoices: int = 0
    lines: int = 0
    parked: int = 0
    totals: Counter[str] = field(default_factory=Counter)

    def result(self, run: UUID) -> RunResult:
        return RunResult(run, self.invoices, self.lines, dict(self.totals), self.parked)


def run_invoices(*, actor: Actor, now: datetime) -> RunResult:
    """Bill all that is due in the tenant entered, up to its number of days ahead of its own today.

    Commits as it goes: call it outside a transaction. What falls due for one customer on one day in one
    currency stands on one invoice. Sets the tenant's next run. An error ends the run, is kept on its
    InvoiceRun and raised; the chunks before it stay.
    """
    settings = BillingSettings.objects.defer("logo").get()
    until = local_date(now, current_tenant().zone) + timedelta(days=settings.days_ahead)
    run: InvoiceRun | None = None
    tally = _Tally()
    try:
        held: list[UUID] = []
        for customers in due.chunks(until):
            run = run or _start(until, actor=actor, now=now)
            held.extend(_bill_chunk(run, customers, tally, wait=False, actor=actor, now=now))
        for start in range(0, len(held), due.CHUNK):
            assert run is not None
            _bill_chunk(run, held[start : start + due.CHUNK], tally, wait=True, actor=actor, now=now)
    except Exception as error:
        if run is not None:
            InvoiceRun.objects.filter(pk=run.pk).update(error=f"{type(error).__name__}: {error}"[:2000])
        raise
    return _finish(run, tally, actor=actor, now=now)


def _start(until: date, *, actor: Actor, now: datetime) -> InvoiceRun:
    run = InvoiceRun(started_at=now, run_for=until)
    with transaction.atomic():
        run.save(force_insert=True)
        record(Action.RUN_STARTED, subject=("run", run.id), actor=actor, now=now, run_for=until.isoformat())
    return run


def _finish(run: InvoiceRun | None, tally: _Tally, *, actor: Actor, now: datetime) -> RunResult:
    with transaction.atomic():
        planning.replan(now=now)
        if run is None:
            return RunResult()
        InvoiceRun.objects.filter(pk=run.pk).update(finished_at=now)
        record(
            Action.RUN_FINISHED,
            subject=("run", run.id),
            actor=actor,
            now=now,
            invoices=tally.invoices,
            lines=tally.lines,
            totals=dict(tally.totals),
            parked=tally.parked,
        )
    return tally.result(run.id)


def _bill_chunk(
    run: InvoiceRun, customers: Sequence[UUID], tally: _Tally, *, wait: bool, actor: Actor, now: datetime
) -> set[UUID]:
    """Bill these customers in one transaction; returns those that somebody else held."""
    with transaction.atomic():
        settings = BillingSettings.objects.defer("logo").get()
        tenant = current_tenant()
        today = local_date(now, tenant.zone)
        seller = to_json(seller_of(settings, tenant.name))
        found, held = due.lock(customers, run.run_for, wait=wait)
        billed, advances, parked = _compose_all(found, run.run_for)
        _move_on(advances)
        notes = _park(parked)
        if billed or parked:
            _count(run, tally, billed, parked)
        # Number series and audit chain come last: who holds them waits for nobody.
        if billed:
            _collect(writing.write(billed, Issuing(settings, seller, today, now, actor)), today)
        record_many(notes, actor=actor, now=now)
    return held


def _collect(written: Sequence[Written], today: date) -> None:
    """What is due on the very day it is issued missed autopay's morning."""
    late = [each.id for each in written if each.billed.bill.day <= today]
    if late:
        scheduling.collect_today(Invoice.objects.filter(pk__in=late), today=today)


def _count(run: InvoiceRun, tally: _Tally, billed: Sequence[Billed], parked: Sequence[Parked]) -> None:
    """Add a chunk to what the run has done, and write that down."""
    tally.invoices += len(billed)
    tally.lines += sum(len(each.bill.charges) for each in billed)
    tally.parked += len(parked)
    for each in billed:
        tally.totals[each.bill.currency] += each.bill.totals.gross
    InvoiceRun.objects.filter(pk=run.pk).update(
        invoices=tally.invoices, lines=tally.lines, totals=dict(tally.totals), skipped=tally.parked
    )


def _compose_all(
    found: Sequence[DueCustomer], until: date
) -> tuple[list[Billed], list[Advance], list[Parked]]:
    rates = TaxTable(TaxRate.objects.values_list("tax_class", "country", "rate_ppm", "name"))
    billed: list[Billed] = []
    advances: list[Advance] = []
    parked: list[Parked] = []
    for customer in found:
        made: Composition = compose(
            customer.dues, country=customer.fields["country"], rates=rates, until=until
        )
        buyer = to_json(party(customer.fields, BUYER_FIELDS))
        billed.extend([Billed(customer.id, customer.locale, buyer, bill) for bill in made.bills])
        advances.extend(made.advances)
        parked.extend(made.parked)
    return billed, advances, parked


def _move_on(advances: Sequence[Advance]) -> None:
    if not advances:
        return
    columns: Any = [list(column) for column in zip(*advances, strict=True)]
    with connection.cursor() as cursor:
        cursor.execute(_ADVANCE, columns)


def _park(parked: Sequence[Parked]) -> list[Note]:
    """Leave these subscriptions to a person; returns what is to be recorded."""
    if not parked:
        return []
    with connection.cursor() as cursor:
        cursor.execute(_PARK, [[each.subscription for each in parked], [each.reason for each in parked]])
    return [
        Note(
            Action.SUBSCRIPTION_PARKED,
            "subscription",
            str(each.subscription),
            {"before": {"status": "active"}, "after": {"status": "paused", "paused_reason": each.reason}},
        )
        for each in parked
    ]
