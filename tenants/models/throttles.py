"""Attempts that were counted while the cache was away."""

from django.contrib.postgres.fields import ArrayField
from django.db import models


class Throttle(models.Model):
    """The latest attempts of one caller at one thing, in microseconds since 1970.

    `key` is a keyed hash: neither addresses nor names stand here.
    """

    key = models.CharField(max_length=64, primary_key=True)
    hits = ArrayField(models.BigIntegerField(), default=list)
    expires_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["expires_at"], name="throttle_expiry")]

    def __str__(self) -> str:
        return f"{len(self.hits)} attempts"
