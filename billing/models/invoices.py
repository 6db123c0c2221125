"""Invoices, immutable once issued; their lines; the series that number them; the runs that make them."""

from django.db import models

from billing.money import Money
from tenants.ids import new_id


class NumberSeries(models.Model):
    """A gapless counter; its row is locked by the transaction that issues.

    `purged`: how many of its numbers went with the books of accounts closed seven years ago.
    """

    key = models.CharField(primary_key=True, max_length=60)
    last = models.BigIntegerField(default=0)
    purged = models.BigIntegerField(default=0, db_default=0)

    def __str__(self) -> str:
        return f"{self.key} at {self.last}"


class Invoice(models.Model):
    """What a customer owes. A draft may change; from `open` on, only payment and voiding touch it.

    Amounts are minor units of `currency`; `seller` and `buyer` are both parties as they were at issue.
    `tax_summary`: a list of {name, rate_ppm, net, tax}.
    """

    class Status(models.TextChoices):
        DRAFT = "draft", "Draft"
        OPEN = "open", "Open"
        PAID = "paid", "Paid"
        VOID = "void", "Void"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    number = models.CharField(max_length=80, null=True, blank=True, unique=True)
    status = models.CharField(max_length=6, choices=Status.choices, default=Status.DRAFT)
    customer = models.ForeignKey("accounts.Customer", on_delete=models.PROTECT, related_name="invoices")
    currency = models.CharField(max_length=3)
    locale = models.CharField(max_length=10, default="en")
    subtotal = models.BigIntegerField(default=0)
    tax = models.BigIntegerField(default=0)
    total = models.BigIntegerField(default=0)
    amount_paid = models.BigIntegerField(default=0)
    tax_summary = models.JSONField(default=list)
    seller = models.JSONField(default=dict)
    buyer = models.JSONField(default=dict)
    note = models.TextField(blank=True, default="")
    issued_on = models.DateField(null=True)
    due_on = models.DateField()
    created_at = models.DateTimeField()
    issued_at = models.DateTimeField(null=True)
    paid_at = models.DateTimeField(null=True)
    voided_at = models.DateTimeField(null=True)
    sent_at = models.DateTimeField(null=True)
    collection_paused = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="invoice_sums_up",
                condition=models.Q(total=models.F("subtotal") + models.F("tax")),
            ),
            models.CheckConstraint(
                name="invoice_number_iff_issued",
                condition=models.Q(
                    status="draft", number__isnull=True, issued_on__isnull=True, issued_at__isnull=True
                )
                | (
                    ~models.Q(status="draft")
                    & models.Q(number__isnull=False, issued_on__isnull=False, issued_at__isnull=False)
                ),
            ),
            models.CheckConstraint(
                name="invoice_paid_within_total",
                condition=models.Q(amount_paid__gte=0, amount_paid__lte=models.F("total")),
            ),
            models.CheckConstraint(
                name="invoice_paid_iff_whole",
                condition=models.Q(status="paid", amount_paid=models.F("total"), paid_at__isnull=False)
                | ~models.Q(status="paid"),
            ),
            models.CheckConstraint(
                name="invoice_not_negative",
                condition=models.Q(subtotal__gte=0, tax__gte=0, total__gte=0),
            ),
        ]
        indexes = [
            models.Index(fields=["customer", "-created_at"], name="invoice_by_customer"),
            models.Index(fields=["-created_at", "-id"], name="invoice_by_age"),
            models.Index(fields=["due_on"], condition=models.Q(status="open"), name="invoice_open_by_due"),
            models.Index(fields=["issued_on", "currency"], name="invoice_by_issue"),
        ]

    def __str__(self) -> str:
        return self.number or "draft"

    @property
    def total_money(self) -> Money:
        return Money(self.total, self.currency)

    @property
    def amount_due(self) -> Money:
        """What is still to be paid; zero for a void one."""
        left = 0 if self.status == self.Status.VOID else self.total - self.amount_paid
        return Money(left, self.currency)


class InvoiceLine(models.Model):
    """One line of an invoice: `net + tax` of it is `gross`; `period_end` is the day after the period."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, related_name="lines")
    position = models.PositiveSmallIntegerField()
    subscription = models.ForeignKey(
        "billing.Subscription", on_delete=models.PROTECT, null=True, blank=True, related_name="lines"
    )
    kind = models.CharField(
        max_length=10,
        choices=[("recurring", "Recurring"), ("setup", "Setup fee"), ("item", "Item")],
        default="item",
    )
    description = models.CharField(max_length=300)
    period_start = models.DateField(null=True, blank=True)
    period_end = models.DateField(null=True, blank=True)
    quantity = models.PositiveIntegerField(default=1)
    unit_amount = models.BigIntegerField()
    tax_inclusive = models.BooleanField(default=False)
    tax_class = models.CharField(max_length=10, default="standard")
    tax_name = models.CharField(max_length=40, blank=True, default="")
    rate_ppm = models.PositiveIntegerField(default=0)
    net = models.BigIntegerField()
    tax = models.BigIntegerField()
    gross = models.BigIntegerField()

    class Meta:
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(fields=["invoice", "position"], name="line_position_once"),
            # The reason why no period is ever billed twice, whatever runs, and however often.
            models.UniqueConstraint(
                fields=["subscription", "period_start", "kind"],
                condition=models.Q(subscription__isnull=False),
                name="period_billed_once",
            ),
            models.CheckConstraint(
                name="line_sums_up", condition=models.Q(gross=models.F("net") + models.F("tax"))
            ),
            models.CheckConstraint(
                name="line_period_is_whole",
                condition=models.Q(period_start__isnull=True, period_end__isnull=True)
                | models.Q(period_end__gt=models.F("period_start")),
            ),
        ]

    def __str__(self) -> str:
        return self.description


class InvoiceRun(models.Model):
    """One invoice run and what came of it."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    run_for = models.DateField()
    invoices = models.PositiveIntegerField(default=0)
    lines = models.PositiveIntegerField(default=0)
    totals = models.JSONField(default=dict)
    skipped = models.PositiveIntegerField(default=0)
    error = models.TextField(blank=True, default="")

    class Meta:
        indexes = [models.Index(fields=["-started_at"], name="run_by_age")]

    def __str__(self) -> str:
        return f"run for {self.run_for}"
