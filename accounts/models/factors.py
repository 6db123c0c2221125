"""What a person proves themselves by besides the password, and what a tenant demands of them."""

from django.db import models

from tenants.ids import new_id
from vault.fields import EncryptedTextField


class Totp(models.Model):
    """An authenticator app. Until its first code was entered it proves nothing."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    user = models.ForeignKey("accounts.User", on_delete=models.CASCADE, related_name="totps")
    secret = EncryptedTextField()
    last_step = models.BigIntegerField(default=0)
    created_at = models.DateTimeField()
    confirmed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["user"], condition=models.Q(confirmed_at__isnull=False), name="totp_one_a_user"
            ),
            models.UniqueConstraint(
                fields=["user"], condition=models.Q(confirmed_at__isnull=True), name="totp_one_begun"
            ),
        ]

    def __str__(self) -> str:
        return f"authenticator app of {self.user_id}"


class BackupCode(models.Model):
    """A code for the day on which the device is gone. `lookup` finds it, the hash proves it."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    user = models.ForeignKey("accounts.User", on_delete=models.CASCADE, related_name="backup_codes")
    lookup = models.CharField(max_length=2)
    hash = models.CharField(max_length=128)
    created_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "lookup"], name="backup_code_once")]

    def __str__(self) -> str:
        return f"backup code of {self.user_id}"


class Passkey(models.Model):
    """A WebAuthn credential, good on the one host at which it was made."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    user = models.ForeignKey("accounts.User", on_delete=models.CASCADE, related_name="passkeys")
    name = models.CharField(max_length=60)
    host = models.CharField(max_length=253)
    credential_id = models.BinaryField(max_length=1023, unique=True)
    public_key = models.BinaryField()
    sign_count = models.BigIntegerField(default=0)
    created_at = models.DateTimeField()
    last_used_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"passkey of {self.user_id}"


class PasskeyChallenge(models.Model):
    """What a passkey was asked to sign. Whoever deletes the row may use the answer: once."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    value = models.BinaryField()
    expires_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["expires_at"], name="passkey_challenge_end")]

    def __str__(self) -> str:
        return f"challenge {self.id}"


class FactorReset(models.Model):
    """The platform's promise to take a person's second factors away, unless they object in time."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    user = models.ForeignKey("accounts.User", on_delete=models.CASCADE, related_name="factor_resets")
    reason = models.CharField(max_length=300)
    asked_at = models.DateTimeField()
    due_at = models.DateTimeField()
    cancelled_at = models.DateTimeField(null=True, blank=True)
    done_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["user"],
                condition=models.Q(cancelled_at__isnull=True, done_at__isnull=True),
                name="factor_reset_one_open",
            ),
            models.CheckConstraint(
                condition=models.Q(cancelled_at__isnull=True) | models.Q(done_at__isnull=True),
                name="factor_reset_ends_once",
            ),
        ]

    def __str__(self) -> str:
        return f"reset for {self.user_id}"


class LogInPolicy(models.Model):
    """Of whom a second factor is demanded. One row at most; none means of nobody."""

    class Demand(models.TextChoices):
        NOBODY = "nobody", "Nobody: each person decides"
        STAFF = "staff", "Everyone who works here"
        EVERYONE = "everyone", "Everyone, customers too"

    id = models.SmallIntegerField(primary_key=True, default=1)
    demand = models.CharField(max_length=10, choices=Demand.choices, default=Demand.NOBODY)

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(id=1), name="one_log_in_policy")]

    def __str__(self) -> str:
        return self.demand
