"""The append-only record: one chain a schema, and what proves it: signed checkpoints and their anchors."""

from django.db import models


class AuditEvent(models.Model):
    """One action that a person or the system took. Never changed, never deleted by the app.

    `hash` = SHA-256 over the previous event's hash and this event's canonical JSON (`audit.chain`). What is
    personal in an event of format 2 stands in its `_sealed` columns only, under the key of whom it is about:
    the actor, whoever stands behind it, and the subject that `about` names. `audit.reading` opens them.
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
    format = models.SmallIntegerField(default=1, db_default=1)
    actor_sealed = models.BinaryField(null=True)
    behind_sealed = models.BinaryField(null=True)
    details_sealed = models.BinaryField(null=True)
    about = models.CharField(max_length=97, blank=True, default="", db_default="")

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
    purged = models.BigIntegerField(default=0, db_default=0)  # how many events are only links by now

    class Meta:
        constraints = [models.CheckConstraint(name="one_chain_a_schema", condition=models.Q(id=1))]

    def __str__(self) -> str:
        return f"head at {self.seq}"


class PurgedLink(models.Model):
    """What is left of an event that was purged: its place in the chain, and which event records the purge."""

    seq = models.BigIntegerField(primary_key=True)
    prev_hash = models.BinaryField(max_length=32)
    hash = models.BinaryField(max_length=32)
    record_id = models.UUIDField()

    def __str__(self) -> str:
        return f"{self.seq} purged"


class ChainCheck(models.Model):
    """How this schema's chain was found when it was last walked."""

    id = models.SmallIntegerField(primary_key=True, default=1)
    at = models.DateTimeField()
    seq = models.BigIntegerField()
    problem = models.TextField(blank=True, default="")
    told_at = models.DateTimeField(null=True)  # when people were told of the problem that stands

    class Meta:
        constraints = [models.CheckConstraint(name="one_check_a_schema", condition=models.Q(id=1))]

    def __str__(self) -> str:
        return f"checked up to {self.seq}"


class Checkpoint(models.Model):
    """The heads of all chains at one instant, signed. Of the platform only; kept in the outside store too.

    `document` is the exact text that `signature` signs and `hash` is of; it names the hash of the one before.
    """

    number = models.BigIntegerField(primary_key=True)
    at = models.DateTimeField()
    document = models.TextField()
    signature = models.BinaryField(max_length=64)
    hash = models.BinaryField(max_length=32)
    stored_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["number"]

    def __str__(self) -> str:
        return f"checkpoint {self.number}"


class Anchor(models.Model):
    """One chain's head in a checkpoint: what the checkpoint's document says, to be found by schema."""

    id = models.UUIDField(primary_key=True, editable=False)
    checkpoint = models.ForeignKey(Checkpoint, on_delete=models.PROTECT, related_name="anchors")
    at = models.DateTimeField()
    schema_name = models.CharField(max_length=63)
    seq = models.BigIntegerField()
    hash = models.BinaryField(max_length=32)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["schema_name", "checkpoint"], name="one_anchor_a_checkpoint")
        ]
        indexes = [models.Index(fields=["schema_name", "seq"], name="audit_anchor_place")]

    def __str__(self) -> str:
        return f"{self.schema_name} at {self.seq}"
