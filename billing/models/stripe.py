"""The tenant's own Stripe account, and the inbox of its events."""

from django.db import models

from tenants.ids import new_id
from vault.fields import EncryptedTextField


class StripeConnection(models.Model):
    """How we reach the tenant's Stripe account. Secrets are sealed by `vault`; `reveal()` opens them.

    `swept_until`: up to which instant of Stripe's clock every event is known to be in the inbox.
    """

    class Kind(models.TextChoices):
        CONNECT = "connect", "Stripe Connect"
        RESTRICTED_KEY = "restricted", "Restricted key"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    kind = models.CharField(max_length=10, choices=Kind.choices)
    account_id = models.CharField(max_length=64)
    publishable_key = models.CharField(max_length=200)
    sealed_key = EncryptedTextField(null=True)
    webhook_endpoint = models.CharField(max_length=64, blank=True, default="")
    sealed_webhook_secret = EncryptedTextField(null=True)
    business_name = models.CharField(max_length=200, blank=True, default="")
    livemode = models.BooleanField(default=False)
    connected_at = models.DateTimeField()
    disconnected_at = models.DateTimeField(null=True)
    swept_until = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                models.Value(1),
                condition=models.Q(disconnected_at__isnull=True),
                name="one_stripe_connection",
            ),
            models.CheckConstraint(
                name="disconnected_keeps_no_secret",
                condition=models.Q(disconnected_at__isnull=True)
                | models.Q(sealed_key__isnull=True, sealed_webhook_secret__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return self.account_id

    @property
    def place(self) -> str:
        """Account and mode: what Stripe knows in one place is unknown in every other."""
        return f"{self.account_id}:{'live' if self.livemode else 'test'}"


class StripeEvent(models.Model):
    """An event that Stripe told us of: a hint to look, never the truth itself."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    external_id = models.CharField(max_length=64, unique=True)
    type = models.CharField(max_length=80)
    object_id = models.CharField(max_length=64)
    created_at = models.DateTimeField()
    received_at = models.DateTimeField()
    handled_at = models.DateTimeField(null=True)
    outcome = models.CharField(max_length=200, blank=True, default="")

    class Meta:
        indexes = [
            models.Index(
                fields=["received_at"], condition=models.Q(handled_at__isnull=True), name="event_unhandled"
            ),
            models.Index(fields=["-received_at"], name="event_by_age"),
        ]

    def __str__(self) -> str:
        return f"{self.type} {self.external_id}"
