"""Accounts that are closed, and people who are erased. Both keep ids and numbers only, no names."""

from django.db import models
from django.db.models import Q

from privacy.models.subjects import OfSubject


class Closing(OfSubject):
    """The end of a customer's account, or of a whole tenant's: it can be undone until `final_at`.

    `closed_at` is the day from which the seven years of billing records count. The database takes only the
    present for it, and never changes it (migration `0006_erasures`). A tenant's stands in the public schema.
    """

    closed_at = models.DateTimeField()
    final_at = models.DateTimeField()
    reminded_at = models.DateTimeField(null=True, blank=True)
    undone_at = models.DateTimeField(null=True, blank=True)
    done_at = models.DateTimeField(null=True, blank=True)
    # What was ended with it and begins again if it is undone: ids, by the part that ended them.
    ended = models.JSONField(default=dict)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["subject_kind", "subject_id"],
                condition=Q(undone_at__isnull=True),
                name="closing_one_in_force",
            ),
            models.CheckConstraint(
                name="closing_ends_once", condition=Q(undone_at__isnull=True) | Q(done_at__isnull=True)
            ),
        ]

    def __str__(self) -> str:
        return f"closing of {self.subject_kind} {self.subject_id}"


class Erasure(OfSubject):
    """One person's wish to be erased, carried out: what was to go and to stay, and how far it has come.

    `plan` is what the person read and confirmed, `report` what came of it: tables, counts, laws and dates,
    never a value. `steps` names those that are done: whoever takes it up again goes on after the last.
    """

    class Because(models.TextChoices):
        ASKED = "asked", "The person asked"
        CLOSED = "closed", "The account was closed 30 days ago"
        CHILD = "child", "They are under 16"
        REPLAYED = "replayed", "Erased before; a restore had brought it back"

    because = models.CharField(max_length=8, choices=Because.choices)
    asked_at = models.DateTimeField()
    plan = models.JSONField(default=dict)
    steps = models.JSONField(default=list)
    report = models.JSONField(default=dict)
    done_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["subject_kind", "subject_id"],
                condition=Q(done_at__isnull=True),
                name="erasure_one_at_a_time",
            )
        ]
        indexes = [models.Index(fields=["subject_kind", "subject_id"], name="erasure_by_subject")]

    def __str__(self) -> str:
        return f"erasure of {self.subject_kind} {self.subject_id}"
