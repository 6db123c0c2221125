"""Where people are logged in, and the devices that they are known to use."""

from django.db import models

from tenants.ids import new_id


class Session(models.Model):
    """One log-in of one browser. A request counts as its user's only while this row lives.

    `key_hash` stands for the key in the browser's cookie, which is stored nowhere (`accounts.session_store`).
    `operator_label` names who acts in the user's name, where it is not the user; `ends_at` ends such a
    session, or any other, earlier than its user's role would.
    """

    class Ended(models.TextChoices):
        LOGGED_OUT = "logged_out", "Logged out"
        REPLACED = "replaced", "Replaced by the next log-in"
        ENDED = "ended", "Ended from another session"
        IDLE = "idle", "Not used for too long"
        EXPIRED = "expired", "Lasted its longest"
        CREDENTIALS = "credentials", "The password or the rights changed"
        EMAIL_UNDONE = "email_undone", "A change of address was undone"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    user = models.ForeignKey("accounts.User", on_delete=models.CASCADE, related_name="sessions")
    key_hash = models.CharField(max_length=40, unique=True)
    host = models.CharField(max_length=253)
    methods = models.JSONField(default=list)
    begun_at = models.DateTimeField()
    last_seen_at = models.DateTimeField()
    ends_at = models.DateTimeField(null=True, blank=True)
    ip = models.GenericIPAddressField(null=True)
    user_agent = models.CharField(max_length=400, blank=True, default="")
    device = models.CharField(max_length=80)
    operator_id = models.CharField(max_length=64, blank=True, default="")
    operator_label = models.CharField(max_length=254, blank=True, default="")
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_because = models.CharField(max_length=12, choices=Ended.choices, blank=True, default="")

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="session_ended_for_a_reason",
                condition=models.Q(ended_at__isnull=True, ended_because="")
                | (models.Q(ended_at__isnull=False) & ~models.Q(ended_because="")),
            )
        ]
        indexes = [
            models.Index(fields=["user"], condition=models.Q(ended_at__isnull=True), name="session_living"),
            models.Index(fields=["begun_at"], name="session_by_age"),
        ]

    def __str__(self) -> str:
        return f"{self.device} since {self.begun_at:%Y-%m-%d %H:%M}"


class KnownDevice(models.Model):
    """A device and network that a user has logged in from, as a keyed hash: it holds no address."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    user = models.ForeignKey("accounts.User", on_delete=models.CASCADE, related_name="known_devices")
    mark = models.CharField(max_length=64)
    last_seen_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "mark"], name="device_once")]
        indexes = [models.Index(fields=["last_seen_at"], name="device_by_age")]

    def __str__(self) -> str:
        return f"device of {self.user_id}"
