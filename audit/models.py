"""The append-only record: one chain a schema."""

from django.db import models


class AuditEvent(models.Model):
    """One action that a person or the system took. Never changed, never deleted by the app.

    `hash` = SHA-256 over the previous event's hash and this event's canonical JSON (`audit.chain`).
    """

    id = models.UUIDField(primary_key=True, editable=False)
    seq = models.BigIntegerField(unique=True)
    at = models.DateTimeField()
    action = models.CharField(max_length=64)
    actor_kind = models.CharField(max_length=16)
    actor_id = models.CharField(max_length=64, blank=True, default="")
    actor_label = models.CharField(max_length=254, blank=True, default="")
    subject_kind = models.CharField(max_length=32)
    subject_id = models.CharField(max_length=64)
    details = models.JSONField(default=dict)
    ip = models.GenericIPAddressField(null=True)
    user_agent = models.CharField(max_length=400, blank=True, default="")
    behind_id = models.CharField(max_length=64, blank=True, default="", db_default="")
    behind_label = models.CharField(max_length=254, blank=True, default="", db_default="")
    prev_hash = models.BinaryField(max_length=32)
    hash = models.BinaryField(max_length=32)

    class Meta:
        ordering = ["-seq"]
        indexes = [
            models.Index(fields=["subject_kind", "subject_id", "seq"], name="audit_by_subject"),
            models.Index(fields=["action", "seq"], name="audit_by_action"),
        ]

    def __str__(self) -> str:
        return f"{self.seq} {self.action}"


class ChainHead(models.Model):
    """The last link of the schema's chain; its row lock puts writers in line."""

    id = models.SmallIntegerField(primary_key=True, default=1)
    seq = models.BigIntegerField(default=0)
    hash = models.BinaryField(max_length=32)

    class Meta:
        constraints = [models.CheckConstraint(name="one_chain_a_schema", condition=models.Q(id=1))]

    def __str__(self) -> str:
        return f"head at {self.seq}"
