"""A model of the tests' own, with sealed columns."""

import uuid
from typing import ClassVar

from django.db import models

from vault.fields import EncryptedTextField

TABLE = """
CREATE TABLE IF NOT EXISTS {schema}.vault_tests_note (
    id uuid PRIMARY KEY, title text NOT NULL, secret bytea NOT NULL, spare bytea);
GRANT SELECT, INSERT, UPDATE, DELETE ON {schema}.vault_tests_note TO {schema};
"""


class Note(models.Model):
    objects: ClassVar[models.Manager["Note"]] = models.Manager()

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    title = models.TextField(default="")
    secret = EncryptedTextField()
    spare = EncryptedTextField(null=True, blank=True)

    class Meta:
        app_label = "vault_tests"

    def __str__(self) -> str:
        return self.title


class Counted(models.Model):
    """One whose key the database counts: it cannot be sealed for."""

    id = models.BigAutoField(primary_key=True)
    secret = EncryptedTextField()

    class Meta:
        app_label = "vault_tests"
        managed = False

    def __str__(self) -> str:
        return "counted"
