"""Subject keys: one for each person whose data is sealed, destroyed when that person is erased."""

from django.db import models
from django.db.models.functions import Now

from vault.models.keys import new_key_id


class SubjectKey(models.Model):
    """The key of one person in this schema, wrapped like a data key; destroyed, its row stays as a mark."""

    id = models.UUIDField(primary_key=True, default=new_key_id, editable=False)
    kind = models.CharField(max_length=32, editable=False)
    subject_id = models.CharField(max_length=64, editable=False)
    kek_version = models.CharField(max_length=64, editable=False)
    wrapped = models.BinaryField(null=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    destroyed_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["kind", "subject_id"], name="one_key_a_subject"),
            models.CheckConstraint(
                name="destroyed_without_key",
                condition=models.Q(wrapped__isnull=True, destroyed_at__isnull=False)
                | models.Q(wrapped__isnull=False, destroyed_at__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return f"key of {self.kind} {self.subject_id}"
