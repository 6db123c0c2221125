"""Whatever a tenant sells and whenever its runs are, each period is billed once, and everything sums up."""

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

from dateutil.relativedelta import relativedelta
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audit.actors import Actor
from billing import money
from billing.ledger_checking import check
from billing.models import BillingSettings, Invoice, InvoiceLine
from billing.running import run_invoices
from tests.billing.invoicing import making

SYSTEM = Actor.system("tests")
MONTHS = {"monthly": 1, "quarterly": 3, "semi_annual": 6, "annual": 12, "biennial": 24, "triennial": 36}
FIRST, LAST = date(2027, 1, 1), date(2028, 3, 31)


def chargeable(wanted: dict[str, Any]) -> dict[str, Any]:
    """With prices that cards can be charged."""
    smallest = money.step(wanted["currency"])
    return wanted | {name: wanted[name] // smallest * smallest for name in ("amount", "setup_fee")}


one_subscription = st.fixed_dictionaries(
    {
        "customer": st.integers(0, 2),
        "start": st.dates(FIRST, FIRST + timedelta(days=120)),
        "cycle": st.sampled_from(list(MONTHS)),
        "currency": st.sampled_from(["EUR", "JPY", "KWD"]),
        "amount": st.integers(0, 10_000_000),
        "setup_fee": st.sampled_from([0, 0, 1, 4999]),
        "inclusive": st.booleans(),
        "tax_class": st.sampled_from(["standard", "reduced", "exempt"]),
        "quantity": st.sampled_from([1, 1, 3, 999]),
    }
).map(chargeable)


def expected_starts(start: date, cycle: str, until: date) -> list[date]:
    """The period starts up to a day, counted by another library."""
    starts, n = [], 0
    while (at := start + relativedelta(months=n * MONTHS[cycle])) <= until:
        starts.append(at)
        n += 1
    return starts


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    wanted=st.lists(one_subscription, min_size=1, max_size=8),
    steps=st.lists(st.integers(1, 70), min_size=5, max_size=9),
    rates=st.tuples(st.integers(0, 300_000), st.integers(0, 100_000)),
    days_ahead=st.integers(0, 60),
)
def test_each_period_is_billed_once_and_all_sums_agree(
    tenant: Any, wanted: list[dict[str, Any]], steps: list[int], rates: tuple[int, int], days_ahead: int
) -> None:
    with transaction.atomic():
        BillingSettings.objects.update(days_ahead=days_ahead)
        making.vat(rates[0])
        making.vat(rates[1], tax_class="reduced")
        made = subscribe(wanted)
        day = FIRST
        for step in steps:
            day += timedelta(days=step)
            run_invoices(actor=SYSTEM, now=datetime(day.year, day.month, day.day, 12, tzinfo=UTC))
        until = day + timedelta(days=days_ahead)
        expect_periods(wanted, made, until)
        expect_grouping()
        assert check().findings == []
        assert all(each.total % money.step(each.currency) == 0 for each in Invoice.objects.all())
        transaction.set_rollback(True)


def subscribe(wanted: list[dict[str, Any]]) -> list[UUID]:
    customers = [making.customer() for _ in range(3)]
    return [
        making.subscription(
            customers[each["customer"]],
            making.price(
                each["amount"],
                currency=each["currency"],
                cycle=each["cycle"],
                setup_fee=each["setup_fee"],
                tax_inclusive=each["inclusive"],
                tax_class=each["tax_class"],
            ),
            due=each["start"],
            quantity=each["quantity"],
        ).pk
        for each in wanted
    ]


def expect_periods(wanted: list[dict[str, Any]], made: list[UUID], until: date) -> None:
    for each, pk in zip(wanted, made, strict=True):
        starts = expected_starts(each["start"], each["cycle"], until)
        lines = InvoiceLine.objects.filter(subscription=pk).order_by("period_start")
        recurring = [line for line in lines if line.kind == "recurring"]
        assert [line.period_start for line in recurring] == starts
        for line in recurring:
            billed = line.gross if line.tax_inclusive else line.net
            assert billed == each["amount"] * each["quantity"]
        setup = [line for line in lines if line.kind == "setup"]
        assert len(setup) == (1 if starts and each["setup_fee"] else 0)


def expect_grouping() -> None:
    """No two invoices of one customer for the same first day in one currency."""
    seen = Counter(
        (invoice.customer_id, invoice.currency, invoice.lines.all()[0].period_start)
        for invoice in Invoice.objects.prefetch_related("lines")
    )
    assert set(seen.values()) <= {1}
