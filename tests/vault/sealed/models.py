"""A model with two sealed columns."""

import uuid
from typing import ClassVar

from django.db import models

from vault.fields import EncryptedTextField


class Paper(models.Model):
    """Its texts begin with its own key, so that any mix-up shows."""

    objects: ClassVar[models.Manager["Paper"]] = models.Manager()

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    first = EncryptedTextField()
    second = EncryptedTextField(null=True)
    saves = models.IntegerField(default=0)

    class Meta:
        app_label = "sealed"

    def __str__(self) -> str:
        return str(self.pk)
