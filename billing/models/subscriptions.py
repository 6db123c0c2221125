"""Recurring agreements."""

from django.db import models

from tenants.ids import new_id


class Subscription(models.Model):
    """A customer's recurring agreement to a price.

    Period n starts at `anchored_on` plus n billing cycles; `next_index` is the n that is billed next and
    `next_due_on` its first day, kept for the run's index. Neither ever steps from the last date, so a
    subscription of the 31st stays one of the 31st.
    """

    class Status(models.TextChoices):
        PENDING = "pending", "Pending"
        ACTIVE = "active", "Active"
        PAUSED = "paused", "Paused"
        CANCELLED = "cancelled", "Cancelled"
        TERMINATED = "terminated", "Terminated"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    external_id = models.CharField(max_length=100, null=True, blank=True, unique=True)
    customer = models.ForeignKey("accounts.Customer", on_delete=models.PROTECT, related_name="subscriptions")
    price = models.ForeignKey("billing.Price", on_delete=models.PROTECT, related_name="subscriptions")
    quantity = models.PositiveIntegerField(default=1)
    description = models.CharField(max_length=200, blank=True, default="")
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.ACTIVE)
    started_on = models.DateField()
    anchored_on = models.DateField()
    next_index = models.PositiveIntegerField(default=0)
    next_due_on = models.DateField(null=True)
    setup_billed = models.BooleanField(default=False)
    paused_reason = models.CharField(max_length=200, blank=True, default="")
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="subscription_quantity",
                condition=models.Q(quantity__gte=1, quantity__lte=1_000_000),
            ),
            models.CheckConstraint(
                name="subscription_active_has_a_next_day",
                condition=~models.Q(status="active") | models.Q(next_due_on__isnull=False),
            ),
        ]
        indexes = [
            models.Index(
                fields=["next_due_on", "customer"],
                condition=models.Q(status="active"),
                name="subscription_due",
            ),
            models.Index(fields=["customer", "next_due_on"], name="subscription_by_customer"),
        ]

    def __str__(self) -> str:
        return self.description or str(self.id)
