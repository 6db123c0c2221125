"""What stops processing (a restriction) and what stops deleting (a legal hold)."""

from django.db import models
from django.db.models import Q

from privacy.models.subjects import OfSubject


class Restriction(OfSubject):
    """Art. 18: while it stands, what is held is stored and nothing else is done with it."""

    reason = models.CharField(max_length=500)
    asked_at = models.DateTimeField()
    lifted_at = models.DateTimeField(null=True, blank=True)
    lifted_because = models.CharField(max_length=500, blank=True, default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["subject_kind", "subject_id"],
                condition=Q(lifted_at__isnull=True),
                name="restriction_one_in_force",
            )
        ]

    def __str__(self) -> str:
        return f"restriction of {self.subject_kind} {self.subject_id}"


class Hold(OfSubject):
    """A legal hold: while it stands nothing of the subject is purged or erased. Reviewed by `review_on`."""

    reason = models.CharField(max_length=500)
    placed_by = models.CharField(max_length=254)
    placed_at = models.DateTimeField()
    review_on = models.DateField()
    lifted_at = models.DateTimeField(null=True, blank=True)
    lifted_because = models.CharField(max_length=500, blank=True, default="")

    class Meta:
        indexes = [
            models.Index(
                fields=["subject_kind", "subject_id"],
                condition=Q(lifted_at__isnull=True),
                name="hold_in_force",
            )
        ]

    def __str__(self) -> str:
        return f"hold on {self.subject_kind} {self.subject_id}"
