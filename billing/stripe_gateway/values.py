"""What Stripe tells us, as plain values, and what a gateway can be asked."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from billing.money import Money

API_VERSION = "2026-10-28.endive"


class IntentStatus(StrEnum):
    NEEDS_CARD = "requires_payment_method"
    NEEDS_CONFIRMATION = "requires_confirmation"
    NEEDS_ACTION = "requires_action"
    NEEDS_CAPTURE = "requires_capture"
    PROCESSING = "processing"
    SUCCEEDED = "succeeded"
    CANCELED = "canceled"


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a card was not charged. `reason` is the decline code where the bank gave one, else `code`."""

    code: str
    reason: str
    message: str


@dataclass(frozen=True, slots=True)
class Fee:
    """What Stripe kept of a payment, in the currency in which it settled."""

    amount: Money
    transaction: str


@dataclass(frozen=True, slots=True)
class Card:
    """A payment method. `customer` is None when it belongs to nobody, or no longer does."""

    id: str
    customer: str | None
    brand: str
    last4: str
    exp_month: int | None
    exp_year: int | None


@dataclass(frozen=True, slots=True)
class Intent:
    """A payment intent as it stands now."""

    id: str
    status: IntentStatus
    amount: Money
    received: int
    client_secret: str = field(repr=False)
    customer: str | None
    keeps_card: bool
    metadata: Mapping[str, str]
    failure: Failure | None
    card: Card | None
    fee: Fee | None
    charge: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class IntentRequest:
    """What to ask for. With `card` it is charged at once, off-session; without, the payer confirms it."""

    amount: Money
    customer: str
    description: str
    metadata: Mapping[str, str]
    card: str | None = None
    keep_card: bool = False


@dataclass(frozen=True, slots=True)
class Setup:
    """A setup intent: a card to be saved without a payment."""

    id: str
    status: IntentStatus
    client_secret: str = field(repr=False)
    customer: str | None
    metadata: Mapping[str, str]
    card: Card | None


@dataclass(frozen=True, slots=True)
class Charge:
    """A charge; `intent` is the payment intent that it belongs to."""

    id: str
    intent: str | None
    amount: Money
    refunded: int


@dataclass(frozen=True, slots=True)
class RefundInfo:
    """A refund as it stands; only one that `succeeded` has moved money, one that `failed` gave it back."""

    id: str
    amount: Money
    status: str
    created: datetime
    charge: str | None


@dataclass(frozen=True, slots=True)
class Movement:
    """What a dispute took from the balance (negative) or gave back, and Stripe's fee for it."""

    id: str
    amount: Money
    fee: Money


@dataclass(frozen=True, slots=True)
class DisputeInfo:
    """A dispute as it stands, with the movements that it has caused so far."""

    id: str
    intent: str | None
    status: str
    reason: str
    amount: Money
    opened: datetime
    movements: Sequence[Movement]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A webhook endpoint of ours in the tenant's account; its secret is told once."""

    id: str
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class AccountInfo:
    """Whose account a key opens."""

    id: str
    name: str
    charges_enabled: bool


@dataclass(frozen=True, slots=True)
class Grant:
    """What a business gave us by Connect."""

    account: str
    publishable_key: str
    livemode: bool


@dataclass(frozen=True, slots=True)
class EventInfo:
    """An event in Stripe's list: what happened to which object."""

    id: str
    type: str
    object_id: str
    created: datetime
    subject: str = ""


class Gateway(Protocol):
    """One Stripe account. Every method may raise the errors of `billing.stripe_gateway.errors`."""

    def account(self) -> AccountInfo: ...
    def create_customer(self, *, name: str, email: str, metadata: Mapping[str, str], key: str) -> str: ...
    def forget_customer(self, customer_id: str) -> None: ...
    def create_intent(self, wanted: IntentRequest, *, key: str) -> Intent: ...
    def intent(self, intent_id: str) -> Intent: ...
    def find_intent(self, customer: str, *, payment_id: str) -> Intent | None: ...
    def find_intent_of_anybody(self, *, payment_id: str, since: datetime | None) -> Intent | None: ...
    def cancel_intent(self, intent_id: str) -> Intent: ...
    def create_setup(self, customer: str, *, metadata: Mapping[str, str], key: str) -> Setup: ...
    def setup(self, setup_id: str) -> Setup: ...
    def charge(self, charge_id: str) -> Charge: ...
    def refund(self, refund_id: str) -> RefundInfo: ...
    def refunds(self, charge_id: str) -> Sequence[RefundInfo]: ...
    def dispute(self, dispute_id: str) -> DisputeInfo: ...
    def card(self, card_id: str) -> Card: ...
    def attach_card(self, card_id: str, customer: str, *, key: str) -> Card: ...
    def detach_card(self, card_id: str) -> Card: ...
    def events(self, types: Sequence[str], *, since: datetime | None) -> Iterator[EventInfo]: ...
    def register_endpoint(self, url: str, types: Sequence[str], *, key: str) -> Endpoint: ...
    def endpoints_at(self, url: str) -> Sequence[str]: ...
    def remove_endpoint(self, endpoint_id: str) -> None: ...
