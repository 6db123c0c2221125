"""A gateway on stripe-python: one client a connection, our own retries, bounded waits, a pinned version."""

import threading
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import stripe
from django.conf import settings

from billing.models import StripeConnection
from billing.stripe_gateway import reading, units
from billing.stripe_gateway.failing import translated
from billing.stripe_gateway.values import (
    API_VERSION,
    AccountInfo,
    Card,
    Charge,
    DisputeInfo,
    Endpoint,
    EventInfo,
    Gateway,
    Intent,
    IntentRequest,
    RefundInfo,
    Setup,
)
from tenants.context import current_tenant

CONNECT_SECONDS = 3
READ_SECONDS = 10
PAGE = 100
SKEW = 300  # seconds by which Stripe's clock may differ from ours
POSTED_FOR = 25 * 3600  # seconds after the first post within which the last one was made
# An account's cards and fee come with the intent, so that settling needs one request only.
EXPANDED = ["latest_charge.balance_transaction", "payment_method"]

_held: dict[tuple[str, UUID], Gateway] = {}
_lock = threading.Lock()


def gateway_for(connection: StripeConnection) -> Gateway:
    """Return the gateway to the account; held in this process, for a key never changes in its row."""
    tenant = current_tenant()
    place = (tenant.schema_name, connection.id)
    held = _held.get(place)
    if held is None:
        if connection.kind == StripeConnection.Kind.CONNECT:
            held = LiveGateway(settings.STRIPE_SECRET_KEY, account=connection.account_id)
        else:
            assert connection.sealed_key is not None
            held = gateway_of_key(connection.sealed_key.reveal())
        with _lock:
            for old in [each for each in _held if each[0] == tenant.schema_name]:
                del _held[old]
            _held[place] = held
    return held


def gateway_of_key(secret_key: str, *, account: str | None = None) -> Gateway:
    """Return a gateway to the account of this key, or with `account` to one that is connected to it."""
    return LiveGateway(secret_key, account=account)


def api_base() -> str:
    """The address of Stripe's API; for a tenant in rehearsal, of the stand-in."""
    if current_tenant().is_rehearsal:
        return settings.STRIPE_REHEARSAL_BASE or "http://rehearsal.invalid"
    return settings.STRIPE_API_BASE


def sdk_client(secret_key: str, *, account: str | None = None) -> stripe.StripeClient:
    return stripe.StripeClient(
        secret_key,
        stripe_account=account,
        stripe_version=API_VERSION,
        base_addresses={"api": api_base(), "connect": settings.STRIPE_CONNECT_BASE},
        max_network_retries=0,
        client_id=settings.STRIPE_CLIENT_ID or None,
        # Its sessions keep connections open, one a thread.
        http_client=_Client(timeout=(CONNECT_SECONDS, READ_SECONDS)),
    )


class _Client(stripe.RequestsClient):
    """Follows no redirect: Stripe sends none, and our keys go to no address that an answer names."""

    def request(self, *args: Any, **kwargs: Any) -> Any:
        if getattr(self._thread_local, "session", None) is None:
            self._thread_local.session = self.requests.Session()
            self._thread_local.session.max_redirects = 0
        return super().request(*args, **kwargs)


class LiveGateway:
    """See `Gateway` for what it does."""

    def __init__(self, secret_key: str, *, account: str | None = None) -> None:
        self._client = sdk_client(secret_key, account=account)

    def _ask(self, method: str, path: str, *, key: str | None = None, **params: Any) -> dict[str, Any]:
        options = {"idempotency_key": key} if key else {}
        given = {name: value for name, value in params.items() if value is not None}
        with translated():
            answer = self._client.raw_request(method, f"/v1/{path}", **given, **options)
        data: dict[str, Any] = answer.data
        return data

    def _pages(self, path: str, **params: Any) -> Iterator[dict[str, Any]]:
        after = None
        while True:
            page = self._ask("get", path, limit=PAGE, starting_after=after, **params)
            yield from page["data"]
            if not page["has_more"]:
                return
            after = page["data"][-1]["id"]

    def account(self) -> AccountInfo:
        row = self._ask("get", "account")
        profile = row.get("business_profile") or {}
        dashboard = (row.get("settings") or {}).get("dashboard") or {}
        name = profile.get("name") or dashboard.get("display_name") or ""
        return AccountInfo(row["id"], str(name)[:200], bool(row.get("charges_enabled")))

    def create_customer(self, *, name: str, email: str, metadata: Mapping[str, str], key: str) -> str:
        row = self._ask("post", "customers", name=name, email=email, metadata=dict(metadata), key=key)
        return str(row["id"])

    def forget_customer(self, customer_id: str) -> None:
        blank = dict.fromkeys(("name", "email", "phone", "description", "address", "shipping"), "")
        self._ask("post", f"customers/{customer_id}", **blank)
        self._ask("delete", f"customers/{customer_id}")

    def create_intent(self, wanted: IntentRequest, *, key: str) -> Intent:
        at_once = {"payment_method": wanted.card, "off_session": True, "confirm": True} if wanted.card else {}
        row = self._ask(
            "post",
            "payment_intents",
            key=key,
            amount=units.to_stripe(wanted.amount),
            currency=wanted.amount.currency.lower(),
            customer=wanted.customer,
            description=wanted.description,
            metadata=dict(wanted.metadata),
            automatic_payment_methods={"enabled": True, "allow_redirects": "never"},
            setup_future_usage="off_session" if wanted.keep_card else None,
            expand=EXPANDED,
            **at_once,
        )
        return reading.intent(row)

    def intent(self, intent_id: str) -> Intent:
        return reading.intent(self._ask("get", f"payment_intents/{intent_id}", expand=EXPANDED))

    def find_intent(self, customer: str, *, payment_id: str) -> Intent | None:
        return self._found(self._pages("payment_intents", customer=customer), payment_id)

    def find_intent_of_anybody(self, *, payment_id: str, since: datetime | None) -> Intent | None:
        """Look through all intents of the account, made in the day after `since` if that is given."""
        created: dict[str, Any] = {}
        if since is not None:
            begin = int(since.timestamp())
            created = {"created": {"gte": begin - SKEW, "lte": begin + POSTED_FOR}}
        return self._found(self._pages("payment_intents", **created), payment_id)

    def _found(self, rows: Iterator[dict[str, Any]], payment_id: str) -> Intent | None:
        for row in rows:
            if (row.get("metadata") or {}).get("payment_id") == payment_id:
                return self.intent(row["id"])
        return None

    def cancel_intent(self, intent_id: str) -> Intent:
        path = f"payment_intents/{intent_id}/cancel"
        return reading.intent(self._ask("post", path, cancellation_reason="abandoned", expand=EXPANDED))

    def create_setup(self, customer: str, *, metadata: Mapping[str, str], key: str) -> Setup:
        row = self._ask(
            "post",
            "setup_intents",
            key=key,
            customer=customer,
            usage="off_session",
            metadata=dict(metadata),
            automatic_payment_methods={"enabled": True, "allow_redirects": "never"},
        )
        return reading.setup(row)

    def setup(self, setup_id: str) -> Setup:
        return reading.setup(self._ask("get", f"setup_intents/{setup_id}", expand=["payment_method"]))

    def charge(self, charge_id: str) -> Charge:
        return reading.charge(self._ask("get", f"charges/{charge_id}"))

    def refund(self, refund_id: str) -> RefundInfo:
        return reading.refund(self._ask("get", f"refunds/{refund_id}"))

    def refunds(self, charge_id: str) -> Sequence[RefundInfo]:
        return [reading.refund(row) for row in self._pages("refunds", charge=charge_id)]

    def dispute(self, dispute_id: str) -> DisputeInfo:
        return reading.dispute(self._ask("get", f"disputes/{dispute_id}"))

    def card(self, card_id: str) -> Card:
        return _card(self._ask("get", f"payment_methods/{card_id}"))

    def attach_card(self, card_id: str, customer: str, *, key: str) -> Card:
        return _card(self._ask("post", f"payment_methods/{card_id}/attach", key=key, customer=customer))

    def detach_card(self, card_id: str) -> Card:
        return _card(self._ask("post", f"payment_methods/{card_id}/detach"))

    def events(self, types: Sequence[str], *, since: datetime | None) -> Iterator[EventInfo]:
        """Newest first."""
        created = {"gte": int(since.timestamp())} if since else None
        return map(reading.event, self._pages("events", types=list(types), created=created))

    def register_endpoint(self, url: str, types: Sequence[str], *, key: str) -> Endpoint:
        row = self._ask(
            "post",
            "webhook_endpoints",
            key=key,
            url=url,
            enabled_events=list(types),
            api_version=API_VERSION,
            description="ProEcommerce",
        )
        return Endpoint(row["id"], row["secret"])

    def endpoints_at(self, url: str) -> Sequence[str]:
        return [row["id"] for row in self._pages("webhook_endpoints") if row["url"] == url]

    def remove_endpoint(self, endpoint_id: str) -> None:
        self._ask("delete", f"webhook_endpoints/{endpoint_id}")


def _card(row: dict[str, Any]) -> Card:
    found = reading.card(row)
    assert found is not None
    return found
