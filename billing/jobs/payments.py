"""Jobs of payments: collecting, asking, events, mails; and what plans them."""

import zoneinfo
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

from django.db import transaction

from audit.actors import Actor
from billing import asking, cards, collecting, handling, payment_mails, payments, sweeping
from billing.periods import local_date
from tenants import clock
from tenants.context import current_tenant
from tenants.jobs import Asked, enqueue, enqueue_many, job, planner, together
from tenants.models import Tenant

AUTOPAY = Actor.system("autopay")
JANITOR = Actor.system("payment janitor")
# Cards are charged in the morning of the tenant's own day.
MORNING = timedelta(hours=6)

_planned: dict[str, date] = {}


@job("billing.collect", outside=True)
def collect(*, payment_id: str) -> None:
    """Charge the saved card."""
    collecting.send(UUID(payment_id), actor=AUTOPAY, now=clock.now())


@job("billing.collect_due", outside=True)
def collect_due(**_: str) -> None:
    """Begin what autopay collects today; commits chunk by chunk."""
    payments.collect_due(actor=AUTOPAY, now=clock.now())


@job("billing.ask_payment", outside=True)
def ask_payment(*, payment_id: str) -> None:
    """Ask Stripe what became of a payment."""
    asking.ask(UUID(payment_id), actor=JANITOR, now=clock.now())


@job("billing.ask_payments")
def ask_payments(**_: str) -> None:
    """Ask about every payment that is to be asked about by now: the daily net under the jobs of each."""
    now = clock.now()
    enqueue_many(
        [
            Asked("billing.ask_payment", {"payment_id": str(pk)}, key=f"ask:{pk}:{now.date()}")
            for pk in asking.due(now)
        ]
    )


@job("billing.handle_event", outside=True)
def handle_event(*, event_id: str) -> None:
    """Do what an event of Stripe's leads to."""
    handling.handle(UUID(event_id), now=clock.now())


@together("billing.handle_event")
def handle_events(several: Sequence[Mapping[str, Any]]) -> list[bool]:
    """The same for a burst of them."""
    return handling.handle_many([UUID(args["event_id"]) for args in several], now=clock.now())


@job("billing.sweep_events", outside=True)
def sweep_events(**_: str) -> None:
    """Fetch events that never came, rouse those that lie, and plan the next sweep."""
    now = clock.now()
    sweeping.sweep(now=now)
    if current_tenant().is_rehearsal:
        return
    sweeping.rouse(now=now)
    following = sweeping.next_sweep(now=now)
    enqueue("billing.sweep_events", run_at=following, key=f"sweep:{int(following.timestamp()) // 600}")


@job("billing.detach_card", outside=True)
def detach_card(*, card_id: str) -> None:
    """Have Stripe forget a card that was removed here."""
    cards.detach(card_id)


@job("billing.mail_receipt", outside=True)
def mail_receipt(*, payment_id: str) -> None:
    """Confirm a payment by mail."""
    if not current_tenant().is_rehearsal:
        payment_mails.send_receipt(UUID(payment_id), now=clock.now())


@job("billing.mail_payment_failed", outside=True)
def mail_payment_failed(*, payment_id: str) -> None:
    """Tell of a saved card that was declined."""
    if not current_tenant().is_rehearsal:
        payment_mails.send_failure(UUID(payment_id), now=clock.now())


@job("billing.mail_confirm_payment", outside=True)
def mail_confirm_payment(*, payment_id: str) -> None:
    """Ask for the card holder's word."""
    if not current_tenant().is_rehearsal:
        payment_mails.send_confirmation_request(UUID(payment_id), now=clock.now())


@planner
def plan_days(now: datetime) -> None:
    """For each tenant, once on each of its own days: collect, ask, sweep. Other ticks do nothing."""
    tenants = Tenant.objects.filter(is_rehearsal=False, status=Tenant.Status.ACTIVE)
    for schema, zone in tenants.values_list("schema_name", "time_zone"):
        day = local_date(now - MORNING, zoneinfo.ZoneInfo(zone))
        if _planned.get(schema) == day:
            continue
        enqueue_many(
            [
                Asked("billing.collect_due", key=f"collect:{day}"),
                Asked("billing.ask_payments", key=f"ask:{day}"),
                Asked("billing.sweep_events", key=f"sweep:{day}"),
            ],
            schema=schema,
        )
        transaction.on_commit(partial(_planned.__setitem__, schema, day))
