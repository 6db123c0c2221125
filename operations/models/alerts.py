"""Alerts about abuse, raised from the log of requests."""

from django.db import models
from django.db.models import Q

from tenants.ids import new_id


class Alert(models.Model):
    """A pattern that was seen in the requests of one network, or at one account, until somebody has looked.

    `network` is an IPv4 address or an IPv6 /64; empty where one account was tried from many. `account_mark`
    is a keyed hash then. Like the log that it comes from, an alert is in no backup and gone within 30 days.
    """

    class Kind(models.TextChoices):
        BURST = "burst", "Burst of requests"
        SCAN = "scan", "Scan for weak spots"
        CROSS_SCAN = "cross_scan", "Scan for weak spots, said to be another site's doing"
        SPRAYING = "spraying", "Log-ins tried at many accounts"
        ONE_ACCOUNT = "one_account", "Log-ins tried at one account from many networks"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    kind = models.CharField(max_length=12, choices=Kind.choices)
    network = models.CharField(max_length=43, blank=True, default="")
    account_mark = models.CharField(max_length=32, blank=True, default="")
    schema_name = models.CharField("tenant", max_length=63, blank=True, default="")
    count = models.PositiveIntegerField()
    window_seconds = models.PositiveIntegerField("within seconds")
    first_seen = models.DateTimeField()
    last_seen = models.DateTimeField()
    raised_at = models.DateTimeField()
    mailed_at = models.DateTimeField(null=True, blank=True)
    acknowledged_at = models.DateTimeField(null=True, blank=True)
    acknowledged_by = models.CharField(max_length=254, blank=True, default="")
    note = models.CharField(max_length=500, blank=True, default="")

    class Meta:
        ordering = ["-raised_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "network", "account_mark"],
                condition=Q(acknowledged_at__isnull=True),
                name="alert_open_once",
            ),
            models.CheckConstraint(
                name="alert_acknowledged_by_somebody",
                condition=Q(acknowledged_at__isnull=True, acknowledged_by="", note="")
                | (Q(acknowledged_at__isnull=False) & ~Q(acknowledged_by="") & ~Q(note="")),
            ),
            models.CheckConstraint(
                name="alert_of_a_network_or_an_account",
                condition=~Q(network="") | ~Q(account_mark=""),
            ),
        ]
        indexes = [models.Index(fields=["last_seen"], name="alert_by_age")]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.network or 'one account'}"
