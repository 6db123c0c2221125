"""What stands in a tenant after a rehearsal, without the ids and numbers that differ from one to the next."""

from collections import Counter
from typing import Any

from django.db.models import Count

from audit.models import AuditEvent
from audit.verifying import verify
from billing import connecting, ledger_checking
from billing.models import Invoice, InvoiceLine, JournalEntry, Payment, Posting, Subscription
from tenants.context import enter
from tenants.models import Job
from tests.billing.payments import standin
from tests.rehearsal.living import day_of
from tests.rehearsal.oracle import Bill, Period

# How often somebody asked or looked is not part of the end state.
PASSING = ("run.started", "run.finished", "card.saved", "autopay.changed")


def bills_of(tenant: Any) -> list[Bill]:
    """The invoices as the oracle shows them."""
    lines: dict[Any, list[Period]] = {}
    names = ("subscription__external_id", "invoice__customer__external_id", "period_start", "period_end")
    for row in InvoiceLine.objects.values_list("invoice_id", *names, "invoice__currency", "gross"):
        lines.setdefault(row[0], []).append(Period(*row[1:]))
    found = []
    for invoice in Invoice.objects.select_related("customer"):
        assert invoice.issued_on is not None
        assert (invoice.status == "paid") == (invoice.amount_paid == invoice.total)
        found.append(
            Bill(
                invoice.customer.external_id or "",
                invoice.due_on,
                invoice.currency,
                invoice.total,
                invoice.issued_on,
                day_of(tenant, invoice.paid_at),
                tuple(sorted(lines[invoice.pk])),
            )
        )
    return sorted(found, key=lambda bill: bill[:3])


def payments_of(tenant: Any) -> list[tuple[Any, ...]]:
    found = Payment.objects.select_related("customer", "invoice")
    return sorted(
        (
            each.customer.external_id,
            each.invoice.due_on,
            each.currency,
            each.amount,
            each.method,
            each.state,
            each.fee,
            each.failure_code,
            day_of(tenant, each.created_at),
            day_of(tenant, each.settled_at),
        )
        for each in found
    )


def state_of(tenant: Any) -> dict[str, Any]:
    """All that must be the same however the days were lived through."""
    with enter(tenant):
        booked = JournalEntry.objects.values_list(
            "customer__external_id",
            "invoice__due_on",
            "booked_on",
            "postings__account",
            "postings__currency",
            "postings__amount",
        )
        places = ("external_id", "status", "next_index", "next_due_on", "setup_billed")
        events = AuditEvent.objects.exclude(action__in=PASSING).values_list("action")
        return {
            "bills": bills_of(tenant),
            "payments": payments_of(tenant),
            "subscriptions": sorted(Subscription.objects.values_list(*places)),
            "entries": sorted(booked),
            "events": dict(sorted(events.annotate(count=Count("id")).values_list("action", "count"))),
            "charges": sorted(charges().values()),
        }


def charges() -> dict[str, tuple[str, int]]:
    """What the stand-in took, by our payment's id: one charge for each, or this fails."""
    account = connecting.require().account_id
    kinds = ["payment_intent", "charge"]
    dump = standin.control("dump", account=account, kinds=kinds)[account]
    by_intent = Counter(row["payment_intent"] for row in dump["charge"] if row["status"] == "succeeded")
    found: dict[str, tuple[str, int]] = {}
    for intent in dump["payment_intent"]:
        if by_intent[intent["id"]]:
            name = intent["metadata"]["payment_id"]
            assert by_intent[intent["id"]] == 1 and name not in found
            found[name] = (intent["currency"], intent["amount_received"])
    assert len(found) == by_intent.total()
    return found


def assert_sound(tenant: Any) -> None:
    """The promises that hold at any time: books, chain, numbers, nothing left over, nobody written to."""
    with enter(tenant):
        report = ledger_checking.check()
        assert report.is_whole, report.findings
        assert verify().problem is None
        assert_numbers_are_gapless()
        sums: Counter[str] = Counter()
        for currency, amount in Posting.objects.values_list("currency", "amount"):
            sums[currency] += amount
        assert not any(sums.values()), sums
        assert not Job.objects.filter(state__in=("parked", "running")).exists()
        assert not Invoice.objects.filter(sent_at__isnull=False).exists()


def assert_numbers_are_gapless() -> None:
    numbers = Invoice.objects.values_list("number", flat=True)
    series: dict[str, list[int]] = {}
    for number in numbers:
        assert number is not None
        name, _, count = number.rpartition("-")
        series.setdefault(name, []).append(int(count))
    for name, counts in series.items():
        assert sorted(counts) == list(range(1, len(counts) + 1)), name


def assert_billed(tenant: Any, wanted: list[Bill]) -> None:
    """Every invoice that must be there is, once, as it must be, paid by one payment when due; none else."""
    with enter(tenant):
        found = bills_of(tenant)
        assert len(found) == len(wanted)
        for one, other in zip(found, wanted, strict=True):
            assert one == other
        paid = [bill for bill in wanted if bill.paid_on is not None]
        succeeded = [(*p[:4], p[8], p[9]) for p in payments_of(tenant) if p[4:6] == ("autopay", "succeeded")]
        assert succeeded == [(*bill[:4], bill.paid_on, bill.paid_on) for bill in paid]
        assert Payment.objects.count() == len(paid)
        taken = sorted((currency.upper(), amount) for currency, amount in charges().values())
        assert taken == sorted((bill.currency, bill.total) for bill in paid)
        assert Payment.objects.values("invoice").distinct().count() == len(paid)
