"""Copies to take along: who asked for whose data, and the sealed file until it goes."""

from django.db import models
from django.db.models import Q

from privacy.models.subjects import OfSubject
from vault.fields import EncryptedTextField


class ExportFile(OfSubject):
    """One copy. Its file is in S3, sealed by `key`; both go when it expires.

    The subject `tenant` is the whole workspace. `asked_by` is the id of the user who may download it.
    """

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting"
        RUNNING = "running", "Being made"
        READY = "ready", "Ready"
        FAILED = "failed", "Failed"
        EXPIRED = "expired", "Expired"

    UNDER_WAY = (State.WAITING, State.RUNNING)

    asked_by = models.CharField(max_length=64)
    asked_at = models.DateTimeField()
    state = models.CharField(max_length=10, choices=State.choices, default=State.WAITING)
    key = EncryptedTextField(null=True)
    tables = models.PositiveIntegerField(default=0)
    rows = models.PositiveBigIntegerField(default=0)
    size = models.PositiveBigIntegerField(default=0)
    ready_at = models.DateTimeField(null=True, blank=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    downloaded_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [models.Index(fields=["subject_id", "asked_at"], name="export_by_subject")]
        constraints = [
            models.UniqueConstraint(
                fields=["subject_kind", "subject_id"],
                condition=Q(state__in=["waiting", "running"]),
                name="export_one_under_way",
            ),
            models.CheckConstraint(
                condition=Q(ready_at__isnull=True, expires_at__isnull=True)
                | Q(ready_at__isnull=False, expires_at__isnull=False),
                name="export_that_is_ready_expires",
            ),
        ]

    def __str__(self) -> str:
        return f"copy of the data of {self.subject_kind} {self.subject_id}"

    @property
    def is_under_way(self) -> bool:
        return self.state in self.UNDER_WAY

    @property
    def is_ready(self) -> bool:
        return self.state == self.State.READY
