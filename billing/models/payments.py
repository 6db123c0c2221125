"""Attempts to collect, and what became of them."""

from django.db import models

from billing.money import Money
from tenants.ids import new_id


class PaymentProfile(models.Model):
    """How one customer pays: its Stripe customer, and whether its default card is charged by itself.

    `paused_reason`: why nothing is charged by itself for now, such as an open dispute.
    """

    customer = models.OneToOneField(
        "accounts.Customer", on_delete=models.PROTECT, primary_key=True, related_name="payment_profile"
    )
    stripe_customer = models.CharField(max_length=64, blank=True, default="")
    autopay = models.BooleanField(default=False)
    paused_reason = models.CharField(max_length=200, blank=True, default="")

    def __str__(self) -> str:
        return f"payment profile of {self.customer_id}"


class PaymentMethod(models.Model):
    """A saved card, by Stripe's reference; never a card number."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    customer = models.ForeignKey(
        "accounts.Customer", on_delete=models.PROTECT, related_name="payment_methods"
    )
    external_id = models.CharField(max_length=64, unique=True)
    brand = models.CharField(max_length=20, blank=True, default="")
    last4 = models.CharField(max_length=4, blank=True, default="")
    exp_month = models.PositiveSmallIntegerField(null=True)
    exp_year = models.PositiveSmallIntegerField(null=True)
    is_default = models.BooleanField(default=False)
    saved_at = models.DateTimeField()
    removed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["customer"],
                condition=models.Q(is_default=True, removed_at__isnull=True),
                name="one_default_card_a_customer",
            ),
            models.CheckConstraint(
                name="removed_card_is_not_default",
                condition=models.Q(removed_at__isnull=True) | models.Q(is_default=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.brand} {self.last4}"


class Payment(models.Model):
    """One attempt to collect one invoice. Its id is Stripe's idempotency key; the row comes before the call.

    created → sent → (needs_action | processing | unknown) → succeeded | failed | canceled | parked.
    `sent_at` is committed before the first call; past 23 h from it nothing is ever posted again.
    `unanswered_by`: the Stripe account that never told how a canceled payment ended; it is asked once it is
    connected again, before anything new is collected for the invoice.
    """

    class State(models.TextChoices):
        CREATED = "created", "Created"
        SENT = "sent", "Sent"
        NEEDS_ACTION = "needs_action", "Needs the payer"
        PROCESSING = "processing", "Processing"
        UNKNOWN = "unknown", "Outcome unknown"
        SUCCEEDED = "succeeded", "Succeeded"
        FAILED = "failed", "Failed"
        CANCELED = "canceled", "Canceled"
        PARKED = "parked", "Waits for a person"

    class Method(models.TextChoices):
        CARD = "card", "Card"
        AUTOPAY = "autopay", "Saved card"
        MANUAL = "manual", "Manual"

    IN_FLIGHT = (State.CREATED, State.SENT, State.NEEDS_ACTION, State.PROCESSING, State.UNKNOWN, State.PARKED)

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    invoice = models.ForeignKey("billing.Invoice", on_delete=models.PROTECT, related_name="payments")
    customer = models.ForeignKey("accounts.Customer", on_delete=models.PROTECT, related_name="payments")
    method = models.CharField(max_length=8, choices=Method.choices)
    state = models.CharField(max_length=12, choices=State.choices, default=State.CREATED)
    amount = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    external_id = models.CharField(max_length=64, null=True, blank=True, unique=True)
    payment_method = models.ForeignKey(PaymentMethod, on_delete=models.PROTECT, null=True, blank=True)
    save_card = models.BooleanField(default=False)
    failure_code = models.CharField(max_length=80, blank=True, default="")
    failure_message = models.CharField(max_length=400, blank=True, default="")
    note = models.CharField(max_length=200, blank=True, default="")
    created_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True)
    ask_at = models.DateTimeField(null=True)
    asked = models.PositiveSmallIntegerField(default=0)
    settled_at = models.DateTimeField(null=True)
    fee = models.BigIntegerField(null=True)
    unanswered_by = models.CharField(max_length=70, blank=True, default="", db_default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["invoice"],
                condition=models.Q(
                    state__in=["created", "sent", "needs_action", "processing", "unknown", "parked"]
                ),
                name="one_payment_in_flight_an_invoice",
            ),
            models.CheckConstraint(name="payment_amount_positive", condition=models.Q(amount__gt=0)),
        ]
        indexes = [
            models.Index(fields=["invoice", "-created_at"], name="payment_by_invoice"),
            models.Index(fields=["-created_at"], name="payment_by_age"),
            models.Index(fields=["ask_at"], condition=models.Q(ask_at__isnull=False), name="payment_to_ask"),
            models.Index(
                fields=["invoice"], condition=~models.Q(unanswered_by=""), name="payment_unanswered"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.method} {self.state}"

    @property
    def money(self) -> Money:
        return Money(self.amount, self.currency)


class Refund(models.Model):
    """Money that went back to a payer, as Stripe tells it. `failed_at`: when the bank refused it."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, related_name="refunds")
    external_id = models.CharField(max_length=64, unique=True)
    amount = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    created_at = models.DateTimeField()
    failed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.CheckConstraint(name="refund_positive", condition=models.Q(amount__gt=0))]

    def __str__(self) -> str:
        return self.external_id


class Dispute(models.Model):
    """A charge that its payer disputes: marks the invoice and pauses automation for the customer.

    `customer_resumed_at`, `invoice_resumed_at`: when a person lifted the pause of the one and of the other.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, related_name="disputes")
    external_id = models.CharField(max_length=64, unique=True)
    status = models.CharField(max_length=40)
    reason = models.CharField(max_length=60, blank=True, default="")
    amount = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    opened_at = models.DateTimeField()
    customer_resumed_at = models.DateTimeField(null=True)
    invoice_resumed_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return self.external_id
