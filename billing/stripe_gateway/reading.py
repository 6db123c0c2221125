"""From Stripe's JSON to our values: pure."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from billing.money import Money
from billing.stripe_gateway import units
from billing.stripe_gateway.values import (
    Card,
    Charge,
    DisputeInfo,
    EventInfo,
    Failure,
    Fee,
    Intent,
    IntentStatus,
    Movement,
    RefundInfo,
    Setup,
)

Row = Mapping[str, Any]


def money(amount: int, currency: str) -> Money:
    return units.from_stripe(amount, currency)


def instant(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def id_of(value: Any) -> str | None:
    """The id, whether the object was expanded or not."""
    found = value["id"] if isinstance(value, Mapping) else value
    return None if found is None else str(found)


def card(row: Any) -> Card | None:
    """A payment method, if it was expanded."""
    if not isinstance(row, Mapping):
        return None
    details = row.get("card") or {}
    return Card(
        id=row["id"],
        customer=id_of(row.get("customer")),
        brand=str(details.get("brand") or row.get("type") or "")[:20],
        last4=str(details.get("last4") or "")[:4],
        exp_month=details.get("exp_month"),
        exp_year=details.get("exp_year"),
    )


def failure(error: Any) -> Failure | None:
    if not error:
        return None
    code = error.get("code") or error.get("type") or "unknown"
    return Failure(code, error.get("decline_code") or code, (error.get("message") or "")[:400])


def fee(charge_row: Any) -> Fee | None:
    """What the balance transaction of an expanded charge says, once there is one."""
    entry = charge_row.get("balance_transaction") if isinstance(charge_row, Mapping) else None
    if not isinstance(entry, Mapping):
        return None
    return Fee(money(entry["fee"], entry["currency"]), entry["id"])


def intent(row: Row) -> Intent:
    return Intent(
        id=row["id"],
        status=IntentStatus(row["status"]),
        amount=money(row["amount"], row["currency"]),
        received=money(row.get("amount_received") or 0, row["currency"]).minor,
        client_secret=row.get("client_secret") or "",
        customer=id_of(row.get("customer")),
        keeps_card=row.get("setup_future_usage") == "off_session",
        metadata=dict(row.get("metadata") or {}),
        failure=failure(row.get("last_payment_error")),
        card=card(row.get("payment_method")),
        fee=fee(row.get("latest_charge")),
        charge=id_of(row.get("latest_charge")),
    )


def setup(row: Row) -> Setup:
    return Setup(
        id=row["id"],
        status=IntentStatus(row["status"]),
        client_secret=row.get("client_secret") or "",
        customer=id_of(row.get("customer")),
        metadata=dict(row.get("metadata") or {}),
        card=card(row.get("payment_method")),
    )


def charge(row: Row) -> Charge:
    return Charge(
        id=row["id"],
        intent=id_of(row.get("payment_intent")),
        amount=money(row["amount"], row["currency"]),
        refunded=money(row.get("amount_refunded") or 0, row["currency"]).minor,
    )


def refund(row: Row) -> RefundInfo:
    return RefundInfo(
        row["id"],
        money(row["amount"], row["currency"]),
        row.get("status") or "",
        instant(row["created"]),
        id_of(row.get("charge")),
    )


def dispute(row: Row) -> DisputeInfo:
    return DisputeInfo(
        id=row["id"],
        intent=id_of(row.get("payment_intent")),
        status=row["status"],
        reason=(row.get("reason") or "")[:60],
        amount=money(row["amount"], row["currency"]),
        opened=instant(row["created"]),
        movements=[
            Movement(
                entry["id"],
                money(entry["amount"], entry["currency"]),
                money(entry.get("fee") or 0, entry["currency"]),
            )
            for entry in row.get("balance_transactions") or []
        ],
    )


def event(row: Row) -> EventInfo:
    subject = row["data"]["object"]
    return EventInfo(
        id=row["id"],
        type=row["type"],
        object_id=str(subject.get("id") or ""),
        created=instant(row["created"]),
        subject=str(id_of(subject.get("payment_intent")) or subject.get("id") or ""),
    )
