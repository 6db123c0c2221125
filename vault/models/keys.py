"""Data keys: one current in each schema, stored only as wrapped by a key-encryption key."""

from uuid import UUID

import uuid_utils.compat
from django.db import models
from django.db.models.functions import Now


def new_key_id() -> UUID:
    """Return a fresh UUIDv7; no other key, in any schema or restored copy of one, has it."""
    value: UUID = uuid_utils.compat.uuid7()
    return value


class DataKey(models.Model):
    """A key that seals values of this schema. Losing one loses them: the database refuses to delete it."""

    id = models.UUIDField(primary_key=True, default=new_key_id, editable=False)
    version = models.PositiveIntegerField(unique=True, editable=False)
    kek_version = models.CharField(max_length=64, editable=False)
    wrapped = models.BinaryField()
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    retired_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        constraints = [
            models.CheckConstraint(name="datakey_version_counts", condition=models.Q(version__gte=1)),
        ]

    def __str__(self) -> str:
        return f"data key {self.version}"
