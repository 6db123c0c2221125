"""When runs happen: the tenant's next run, the tick's plans, the jobs and the command."""

from datetime import UTC, date, datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from audit.actions import Action
from audit.models import AuditEvent
from billing import cataloguing, configuring, subscribing
from billing.errors import Refused
from billing.jobs.invoicing import plan_ledger_checks, plan_runs
from billing.models import BillingSettings, Invoice, Price, Subscription
from billing.periods import local_midnight
from billing.running import run_invoices
from tenants.context import enter, enter_public
from tenants.models import Job, Tenant
from tenants.working import work_off
from tests.billing.invoicing import making
from tests.twins import make

MIDNIGHT = local_midnight


def test_a_subscription_plans_the_next_run(tenant: Any, actor: Any, now: datetime) -> None:
    subscribing.subscribe(
        making.customer(), price=making.price(), started_on=date(2026, 12, 20), actor=actor, now=now
    )
    assert Tenant.objects.get().next_run_at == MIDNIGHT(date(2026, 12, 6), tenant.zone)


def test_one_that_is_due_already_plans_it_for_now(tenant: Any, actor: Any, now: datetime) -> None:
    subscribing.subscribe(
        making.customer(), price=making.price(), started_on=date(2026, 11, 20), actor=actor, now=now
    )
    assert Tenant.objects.get().next_run_at == now


def test_more_days_ahead_bring_it_nearer(tenant: Any, actor: Any, now: datetime) -> None:
    making.subscription(due=date(2027, 1, 31))
    configuring.change_settings(days_ahead=30, actor=actor, now=now)
    assert Tenant.objects.get().next_run_at == MIDNIGHT(date(2027, 1, 1), tenant.zone)


def test_pausing_the_last_subscription_leaves_no_run(tenant: Any, actor: Any, now: datetime) -> None:
    subscription = making.subscription()
    subscribing.pause(subscription, actor=actor, now=now, reason="holiday")
    assert Tenant.objects.get().next_run_at is None
    resumed = subscribing.resume(subscription, actor=actor, now=now)
    assert resumed.next_due_on == date(2026, 12, 1)
    assert Tenant.objects.get().next_run_at == now


def test_a_pause_is_not_billed_afterwards_and_the_day_stays(tenant: Any, actor: Any, now: datetime) -> None:
    subscription = making.subscription(due=date(2026, 10, 31))
    subscribing.pause(subscription, actor=actor, now=now)
    resumed = subscribing.resume(subscription, actor=actor, now=now + timedelta(days=100))
    assert (resumed.next_index, resumed.next_due_on) == (5, date(2027, 3, 31))


def test_a_parked_subscription_can_be_resumed(tenant: Any, actor: Any, now: datetime) -> None:
    subscription = making.subscription(due=date(1990, 1, 31))
    run_invoices(actor=actor, now=now)
    resumed = subscribing.resume(subscription, actor=actor, now=now)
    assert (resumed.status, resumed.next_due_on, resumed.paused_reason) == ("active", date(2026, 11, 30), "")


def test_a_cancelled_subscription_is_billed_no_more(tenant: Any, actor: Any, now: datetime) -> None:
    subscription = making.subscription()
    subscribing.cancel(subscription, actor=actor, now=now, reason="moved")
    assert run_invoices(actor=actor, now=now).invoices == 0
    event = AuditEvent.objects.get(action=Action.SUBSCRIPTION_CANCELLED)
    assert (event.details["before"], event.details["reason"]) == ({"status": "active"}, "moved")
    for rule in (subscribing.cancel, subscribing.pause, subscribing.resume):
        with pytest.raises(Refused):
            rule(subscription, actor=actor, now=now)


@pytest.mark.parametrize(
    ("price", "more"),
    [
        ({"cycle": "one_time"}, {}),
        ({}, {"quantity": 0}),
        ({}, {"quantity": 1_000_001}),
        ({}, {"started_on": date(2025, 7, 31)}),
    ],
)
def test_impossible_subscriptions_are_refused(
    tenant: Any, actor: Any, now: datetime, price: dict[str, Any], more: dict[str, Any]
) -> None:
    with pytest.raises(Refused):
        subscribing.subscribe(
            making.customer(),
            price=making.price(**price),
            **({"started_on": date(2026, 12, 1)} | more),
            actor=actor,
            now=now,
        )
    assert not Subscription.objects.exists()


def test_a_closed_customer_takes_no_subscription(tenant: Any, actor: Any, now: datetime) -> None:
    with pytest.raises(Refused, match="closed"):
        subscribing.subscribe(
            making.customer(status="closed"), price=making.price(), started_on=date(2026, 12, 1), actor=actor,
            now=now,
        )  # fmt: skip


def test_prices_are_added_taken_out_and_brought_back(tenant: Any, actor: Any, now: datetime) -> None:
    product = cataloguing.create_product(code="vps", name="VPS", actor=actor, now=now)
    with pytest.raises(Refused, match="vps"):
        cataloguing.create_product(code="vps", name="Other", actor=actor, now=now)
    point: dict[str, Any] = {"currency": "EUR", "cycle": "monthly", "amount": 500}
    price = cataloguing.create_price(product, **point, actor=actor, now=now)
    with pytest.raises(Refused, match="exists"):
        cataloguing.create_price(product, **point, actor=actor, now=now)
    cataloguing.change_price(price, is_active=False, actor=actor, now=now)
    assert cataloguing.create_price(product, **point, actor=actor, now=now).is_active
    assert Price.objects.count() == 1
    for wrong in ({"amount": -1}, {"currency": "XXX"}, {"amount": 2**63}):
        with pytest.raises(Refused):
            cataloguing.create_price(product, **(point | wrong), actor=actor, now=now)


def test_tax_rates_are_set_changed_and_removed_on_record(tenant: Any, actor: Any, now: datetime) -> None:
    rate: dict[str, Any] = {
        "tax_class": "standard",
        "country": "DE",
        "name": "USt",
        "actor": actor,
        "now": now,
    }
    cataloguing.set_tax_rate(**rate, rate_ppm=160_000)
    changed = cataloguing.set_tax_rate(**rate, rate_ppm=190_000)
    cataloguing.set_tax_rate(**rate, rate_ppm=190_000)
    cataloguing.remove_tax_rate(changed, actor=actor, now=now)
    events = AuditEvent.objects.filter(action=Action.TAX_RATE_CHANGED).order_by("seq")
    told = [
        tuple(
            event.details[side]["rate_ppm"] if event.details.get(side) else None
            for side in ("before", "after")
        )
        for event in events
    ]
    assert told == [(None, 160_000), (160_000, 190_000), (190_000, None)]


def test_a_number_format_whose_next_number_is_taken_is_refused(
    tenant: Any, actor: Any, now: datetime
) -> None:
    BillingSettings.objects.update(number_format="{prefix}-{n}")
    making.subscription()
    run_invoices(actor=actor, now=now)
    configuring.change_settings(number_prefix="OTHER", actor=actor, now=now)
    with pytest.raises(Refused, match="taken"):
        configuring.change_settings(number_prefix="ALPHA", number_format="ALPHA-{n}", actor=actor, now=now)
    for wrong in ({"number_format": "{year}"}, {"number_prefix": "a b"}):
        with pytest.raises(Refused):
            configuring.change_settings(**wrong, actor=actor, now=now)
    assert BillingSettings.objects.get().number_prefix == "OTHER"


def _asked(name: str, *tenants: Any) -> list[str]:
    """The schemas of these tenants for which such jobs stand; others on this database have theirs."""
    with enter_public():
        found = Job.objects.filter(name=name, schema_name__in=[each.schema_name for each in tenants])
        return sorted(found.values_list("schema_name", flat=True))


def test_the_tick_asks_for_each_due_tenants_run_once(two_tenants: Any, now: datetime) -> None:
    alpha, beta = two_tenants
    with enter_public():
        Tenant.objects.filter(pk=alpha.pk).update(next_run_at=now)
        Tenant.objects.filter(pk=beta.pk).update(next_run_at=now + timedelta(seconds=1))
        plan_runs(now)
        plan_runs(now)
    assert _asked("billing.run_invoices", alpha, beta) == [alpha.schema_name]


def test_suspended_and_rehearsing_tenants_are_not_planned_for(two_tenants: Any, now: datetime) -> None:
    suspended, trial = two_tenants[0], make("trial-run", name="Trial", is_rehearsal=True)
    with enter_public():
        Tenant.objects.filter(pk=suspended.pk).update(next_run_at=now, status="suspended")
        Tenant.objects.filter(pk=trial.pk).update(next_run_at=now)
        plan_runs(now)
    assert _asked("billing.run_invoices", suspended, trial) == []


def test_each_tenants_ledger_is_checked_once_a_day(two_tenants: Any, now: datetime) -> None:
    with enter_public():
        day = now + timedelta(days=4_000)  # of which no other test asks
        for hours in (0, 1, 24):
            plan_ledger_checks(day + timedelta(hours=hours))
        keys = [f"ledger:{(day + timedelta(days=after)).date()}" for after in (0, 1)]
        asked = Job.objects.filter(name="billing.check_ledger", key__in=keys)
        schemas = sorted(asked.values_list("schema_name", flat=True))
    twice = sorted(2 * [each.schema_name for each in two_tenants])
    assert [each for each in schemas if each in twice] == twice


def test_the_job_bills_in_the_tenants_own_day(fresh_tenant: Any) -> None:
    making.subscription(due=datetime.now(UTC).date())
    at = datetime.now(UTC)
    with enter_public():
        Tenant.objects.filter(pk=fresh_tenant.pk).update(next_run_at=at)
        plan_runs(at)
        job = Job.objects.get(schema_name=fresh_tenant.schema_name, name="billing.run_invoices")
    assert work_off([job.pk], now=datetime.now(UTC) + timedelta(seconds=5)) == 1
    with enter(fresh_tenant):
        assert Invoice.objects.count() == 1


def test_the_command_runs_one_tenant_at_the_time_given(fresh_tenant: Any) -> None:
    making.subscription(due=date(2027, 5, 1))
    out = StringIO()
    options: dict[str, Any] = {"tenant": fresh_tenant.slug, "stdout": out}
    call_command("run_invoices", now="2027-04-16T12:00:00Z", **options)
    call_command("run_invoices", now="2027-04-17T12:00:00Z", **options)
    assert out.getvalue().splitlines() == [
        f"{fresh_tenant.slug}: nothing is due",
        f"{fresh_tenant.slug}: 1 invoices, 1 lines, 10.00 EUR",
    ]
    for wrong in ({"now": "tomorrow"}, {"tenant": "nobody"}):
        with pytest.raises(CommandError):
            call_command("run_invoices", **(options | wrong))
