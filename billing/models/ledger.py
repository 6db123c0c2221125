"""Double entry, append-only: the truth about money."""

from django.db import models

from tenants.ids import new_id


class Account(models.TextChoices):
    """Where money is. Debits are positive, credits negative; every entry sums to zero per currency."""

    RECEIVABLE = "receivable", "Receivable from customers"
    REVENUE = "revenue", "Revenue"
    TAX = "tax", "Tax owed"
    STRIPE = "stripe", "Balance at Stripe"
    BANK = "bank", "Bank and other manual payments"
    FEES = "fees", "Payment fees"
    REFUNDS = "refunds", "Refunded to customers"
    DISPUTES = "disputes", "Held in disputes"
    CREDIT = "credit", "Customers' credit"


class JournalEntry(models.Model):
    """One booking. `key` says what it books and makes it happen once, e.g. `payment:<id>:succeeded`.

    `customer` and `invoice` say whose money and for what: every receivable posting belongs to one of each.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    key = models.CharField(max_length=120, unique=True)
    audit_event = models.ForeignKey("audit.AuditEvent", on_delete=models.PROTECT, related_name="+")
    customer = models.ForeignKey("accounts.Customer", on_delete=models.PROTECT, null=True, related_name="+")
    invoice = models.ForeignKey("billing.Invoice", on_delete=models.PROTECT, null=True, related_name="+")
    booked_at = models.DateTimeField()
    booked_on = models.DateField()

    class Meta:
        indexes = [models.Index(fields=["booked_on"], name="entry_by_day")]

    def __str__(self) -> str:
        return self.key


class Posting(models.Model):
    """One side of an entry: a signed amount in minor units on one account."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    entry = models.ForeignKey(JournalEntry, on_delete=models.PROTECT, related_name="postings")
    account = models.CharField(max_length=12, choices=Account.choices)
    currency = models.CharField(max_length=3)
    amount = models.BigIntegerField()

    class Meta:
        constraints = [
            models.CheckConstraint(name="posting_not_zero", condition=~models.Q(amount=0)),
            models.CheckConstraint(
                name="posting_account_known", condition=models.Q(account__in=Account.values)
            ),
        ]
        indexes = [
            models.Index(fields=["account", "currency"], name="posting_by_account"),
        ]

    def __str__(self) -> str:
        return f"{self.account} {self.amount} {self.currency}"
