"""What is held back from being charged by itself: why, since when, may a person lift it. Reads only."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db.models import QuerySet

from accounts.models import Customer
from audit.actions import Action
from audit.models import AuditEvent
from billing.models import Dispute, Invoice, PaymentProfile, StripeConnection
from billing.money import Money

# Stripe's words for a dispute or an inquiry that nobody has decided yet.
UNDECIDED: Final = (
    "needs_response", "under_review", "warning_needs_response", "warning_under_review",
)  # fmt: skip
BY_DISPUTE: Final = "dispute "


@dataclass(frozen=True, slots=True)
class Cause:
    """A dispute behind a pause, in words."""

    dispute: str
    amount: Money
    status: str
    reason: str


@dataclass(frozen=True, slots=True)
class Pause:
    """A pause that stands: `causes` are the disputes behind it, `since` is the record's word for its begin.

    `undecided` tells that one of them is still open: until then the pause stays.
    """

    reason: str
    since: datetime | None
    causes: Sequence[Cause]
    undecided: bool


def of_customer(customer: Customer) -> Pause | None:
    """Why nothing is charged by itself to this customer; None when nothing stands against it."""
    profile = PaymentProfile.objects.filter(customer=customer).first()
    if profile is None or not profile.paused_reason:
        return None
    reason, disputes = profile.paused_reason, list(disputes_of_customer(customer))
    named = [each for each in disputes if reason == f"{BY_DISPUTE}{each.external_id}"]
    return _pause(reason, named or disputes, undecided=bool(undecided(disputes)))


def of_invoice(invoice: Invoice) -> Pause | None:
    """Why this invoice is not charged by itself; None when it is not held back."""
    if not invoice.collection_paused:
        return None
    disputes = list(disputes_of_invoice(invoice))
    reason = ", ".join(f"{BY_DISPUTE}{each.external_id}" for each in disputes)
    return _pause(reason, disputes, undecided=bool(undecided(disputes)))


def paused_invoices(customer: Customer) -> QuerySet[Invoice]:
    """The customer's invoices that are held back, each for itself."""
    return Invoice.objects.filter(customer=customer, collection_paused=True).order_by("-created_at")


def disputes_of_customer(customer: Customer) -> QuerySet[Dispute]:
    """All its disputes, whatever became of them, the oldest first."""
    rows = Dispute.objects.filter(payment__customer=customer.pk)
    return rows.select_related("payment").order_by("opened_at")


def disputes_of_invoice(invoice: Invoice) -> QuerySet[Dispute]:
    """All disputes about payments of the invoice, whatever became of them, the oldest first."""
    rows = Dispute.objects.filter(payment__invoice=invoice.pk)
    return rows.select_related("payment").order_by("opened_at")


def undecided(disputes: Iterable[Dispute]) -> list[Dispute]:
    """Those of them that are still open, and of an account that will tell us how they end."""
    open_yet = [each for each in disputes if each.status in UNDECIDED]
    connection = StripeConnection.objects.filter(disconnected_at__isnull=True).first() if open_yet else None
    account = connection.account_id if connection else ""
    return [each for each in open_yet if account and _account_of(each) == account]


def _account_of(dispute: Dispute) -> str:
    """The account that was connected when the disputed payment was made."""
    earlier = StripeConnection.objects.filter(connected_at__lte=dispute.payment.created_at)
    return earlier.order_by("-connected_at").values_list("account_id", flat=True).first() or ""


def _pause(reason: str, disputes: Sequence[Dispute], *, undecided: bool) -> Pause:
    opened = AuditEvent.objects.filter(
        action=Action.DISPUTE_OPENED,
        subject_kind="payment",
        subject_id__in=[str(each.payment_id) for each in disputes],
        details__dispute__in=[each.external_id for each in disputes],
    )
    since = opened.order_by("seq").values_list("at", flat=True).first()
    return Pause(reason, since, [_cause(each) for each in disputes], undecided)


def _cause(dispute: Dispute) -> Cause:
    amount = Money(dispute.amount, dispute.currency)
    status, reason = (word.replace("_", " ") for word in (dispute.status, dispute.reason))
    return Cause(dispute.external_id, amount, status, reason)
