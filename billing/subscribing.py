"""Subscriptions: begun, paused, resumed, cancelled. Each change also sets the tenant's next run."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from accounts.models import Customer
from audit.actions import Action
from audit.actors import Actor
from audit.recording import record
from billing import planning
from billing.composing import MAX_PERIODS
from billing.errors import Refused
from billing.models import Price, Subscription
from billing.periods import Cycle, PeriodError, index_of, local_date, period
from billing.pricing import PricingError, check_quantity
from tenants.context import current_tenant

Status = Subscription.Status


def subscribe(
    customer: Customer,
    *,
    price: Price,
    started_on: date,
    actor: Actor,
    now: datetime,
    quantity: int = 1,
    description: str = "",
) -> Subscription:
    """Subscribe the customer to a recurring price; the first period starts on `started_on`.

    Raises `Refused`. Locks the customer.
    """
    _check(price, quantity, started_on, now)
    with transaction.atomic():
        locked = Customer.objects.select_for_update(of=("self",), no_key=True).get(pk=customer.pk)
        if locked.status != Customer.Status.ACTIVE:
            raise Refused("This customer's account is closed.")
        subscription = Subscription(
            customer=locked,
            price=price,
            quantity=quantity,
            description=description,
            started_on=started_on,
            anchored_on=started_on,
            next_due_on=started_on,
            created_at=now,
        )
        subscription.save(force_insert=True)
        planning.replan(now=now)
        after = {
            "customer": str(locked.id),
            "price": str(price.id),
            "quantity": quantity,
            "started_on": started_on.isoformat(),
        }
        _note(Action.SUBSCRIPTION_CREATED, subscription, actor=actor, now=now, after=after)
    return subscription


def cancel(subscription: Subscription, *, actor: Actor, now: datetime, reason: str = "") -> Subscription:
    """Bill no further period; what is paid runs to its end. Raises `Refused` when it has ended already."""
    allowed = {Status.PENDING, Status.ACTIVE, Status.PAUSED}
    with transaction.atomic():
        locked = _lock(subscription.pk, allowed, "This subscription has ended already.")
        return _move(
            locked, Status.CANCELLED, Action.SUBSCRIPTION_CANCELLED, reason=reason, actor=actor, now=now
        )


def pause(subscription: Subscription, *, actor: Actor, now: datetime, reason: str = "") -> Subscription:
    """Bill nothing until it is resumed. Raises `Refused` unless it is active."""
    with transaction.atomic():
        locked = _lock(subscription.pk, {Status.ACTIVE}, "Only an active subscription can be paused.")
        return _move(locked, Status.PAUSED, Action.SUBSCRIPTION_PAUSED, reason=reason, actor=actor, now=now)


def resume(subscription: Subscription, *, actor: Actor, now: datetime) -> Subscription:
    """Bill again, from the first period that starts today or later: the pause itself is not billed.

    Raises `Refused` unless it is paused.
    """
    with transaction.atomic():
        locked = _lock(subscription.pk, {Status.PAUSED}, "Only a paused subscription can be resumed.")
        today = local_date(now, current_tenant().zone)
        _skip_to(locked, today)
        locked.paused_reason = ""
        return _move(locked, Status.ACTIVE, Action.SUBSCRIPTION_RESUMED, reason="", actor=actor, now=now)


def reinstate(subscription_id: UUID, status: str, *, actor: Actor, now: datetime) -> None:
    """Let a cancelled subscription be as it was before: what was not billed meanwhile is not billed later.

    One that somebody has changed since stays as it is.
    """
    with transaction.atomic():
        try:
            locked = _lock(subscription_id, {Status.CANCELLED}, "This subscription is not cancelled.")
        except Refused:
            return
        _skip_to(locked, local_date(now, current_tenant().zone))
        _move(
            locked, Status(status), Action.SUBSCRIPTION_RESUMED,
            reason=locked.paused_reason, actor=actor, now=now,
        )  # fmt: skip


def _check(price: Price, quantity: int, started_on: date, now: datetime) -> None:
    cycle = Cycle(price.cycle)
    if not cycle.recurs:
        raise Refused("A one-time price is no subscription; put it on an invoice.")
    try:
        check_quantity(quantity)
    except PricingError as error:
        raise Refused(str(error)) from error
    today = local_date(now, current_tenant().zone)
    if started_on <= today and index_of(started_on, cycle, today) >= MAX_PERIODS:
        raise Refused(f"It would bill more than {MAX_PERIODS} periods at once. Let it start later.")


def _skip_to(subscription: Subscription, today: date) -> None:
    """Move the next period on to the first one that starts on or after `today`."""
    cycle = Cycle(subscription.price.cycle)
    index = subscription.next_index
    try:
        if period(subscription.anchored_on, cycle, index).start < today:
            index = index_of(subscription.anchored_on, cycle, today)
            if period(subscription.anchored_on, cycle, index).start < today:
                index += 1
    except PeriodError as error:
        raise Refused(str(error)) from error
    subscription.next_index = index
    subscription.next_due_on = period(subscription.anchored_on, cycle, index).start


def _lock(pk: UUID, allowed: set[Status], otherwise: str) -> Subscription:
    customer = Subscription.objects.values_list("customer_id", flat=True).get(pk=pk)
    Customer.objects.select_for_update(of=("self",), no_key=True).get(pk=customer)
    rows = Subscription.objects.select_related("price").select_for_update(of=("self",), no_key=True)
    locked = rows.get(pk=pk)
    if locked.status not in allowed:
        raise Refused(otherwise)
    return locked


def _move(
    locked: Subscription, status: Status, action: Action, *, reason: str, actor: Actor, now: datetime
) -> Subscription:
    before = locked.status
    locked.status = status
    if status == Status.PAUSED:
        locked.paused_reason = reason
    locked.save(update_fields=["status", "paused_reason", "next_index", "next_due_on"])
    planning.replan(now=now)
    details: dict[str, Any] = {"before": {"status": before}, "after": {"status": status.value}}
    if reason:
        details["reason"] = reason
    _note(action, locked, actor=actor, now=now, **details)
    return locked


def _note(action: Action, subscription: Subscription, *, actor: Actor, now: datetime, **details: Any) -> None:
    record(action, subject=("subscription", subscription.id), actor=actor, now=now, **details)
