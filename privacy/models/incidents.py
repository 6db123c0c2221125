"""Incidents: what happened to people's data, who was affected, what was done about it and when."""

from datetime import datetime, timedelta
from typing import Final

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from tenants.ids import new_id

CLOCK: Final = timedelta(hours=72)  # W1; Art. 33(1) GDPR gives the authority no longer either


class Incident(models.Model):
    """One breach or suspected breach. The 72 hours run from `found_at`, when somebody of us first knew.

    Kept for ever: Art. 33(5) GDPR asks for a register of all of them. `is_drill` marks an exercise.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    title = models.CharField(max_length=200)
    nature = models.TextField()
    found_at = models.DateTimeField()
    declared_at = models.DateTimeField()
    declared_by = models.CharField(max_length=254)
    is_drill = models.BooleanField(default=False)
    consequences = models.TextField(blank=True, default="")
    measures = models.TextField(blank=True, default="")
    scoped_at = models.DateTimeField(null=True, blank=True)
    rotation_asked_at = models.DateTimeField(null=True, blank=True)
    mail_subject = models.CharField(max_length=200, blank=True, default="")
    mail_text = models.TextField(blank=True, default="")
    notices_asked_at = models.DateTimeField(null=True, blank=True)
    mail_trouble = models.CharField(max_length=200, blank=True, default="", db_default="")
    public_title = models.CharField(max_length=200, blank=True, default="")
    public_text = models.TextField(blank=True, default="")
    published_at = models.DateTimeField(null=True, blank=True)
    authority = models.CharField(max_length=200, blank=True, default="")
    authority_reference = models.CharField(max_length=200, blank=True, default="")
    authority_told_at = models.DateTimeField(null=True, blank=True)
    authority_not_told_because = models.TextField(blank=True, default="")
    reviewed_at = models.DateTimeField(null=True, blank=True)
    reviewed_by = models.CharField(max_length=254, blank=True, default="", db_default="")
    review_found = models.TextField(blank=True, default="", db_default="")
    closed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-declared_at"]
        constraints = [
            models.CheckConstraint(
                name="incident_reviewed_by_somebody",
                condition=Q(reviewed_at__isnull=True) | (~Q(reviewed_by="") & ~Q(review_found="")),
            ),
            models.CheckConstraint(
                name="incident_published_with_a_text",
                condition=Q(published_at__isnull=True) | (~Q(public_title="") & ~Q(public_text="")),
            ),
            models.CheckConstraint(
                name="incident_notified_with_a_text",
                condition=Q(notices_asked_at__isnull=True) | (~Q(mail_subject="") & ~Q(mail_text="")),
            ),
            models.CheckConstraint(
                name="incident_found_before_it_is_declared",
                condition=Q(declared_at__gte=models.F("found_at")),
            ),
        ]

    def __str__(self) -> str:
        return f"{'Drill: ' if self.is_drill else ''}{self.title}"

    @property
    def due_at(self) -> datetime:
        """When those affected must have heard, and the authority been told."""
        return self.found_at + CLOCK


class IncidentScope(models.Model):
    """How far it reached in one schema: whom, which categories of data, how many people and rows."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    incident = models.ForeignKey(Incident, on_delete=models.PROTECT, related_name="scopes")
    schema_name = models.CharField(max_length=63)
    subject_kind = models.CharField(max_length=20)
    categories = ArrayField(models.CharField(max_length=3))
    people = models.PositiveIntegerField()
    rows = models.PositiveIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["incident", "schema_name", "subject_kind"], name="incident_scope_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.people} of kind {self.subject_kind} in {self.schema_name}"


class IncidentRotation(models.Model):
    """One kind of credential to be replaced in one schema, and what came of it.

    `done_by` names who replaced it by hand; empty where a job did.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    incident = models.ForeignKey(Incident, on_delete=models.PROTECT, related_name="rotations")
    schema_name = models.CharField(max_length=63)
    name = models.CharField(max_length=40)
    done_at = models.DateTimeField(null=True, blank=True)
    done_by = models.CharField(max_length=254, blank=True, default="", db_default="")
    outcome = models.CharField(max_length=300, blank=True, default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["incident", "schema_name", "name"], name="incident_rotation_once")
        ]

    def __str__(self) -> str:
        return f"{self.name} in {self.schema_name}"


class IncidentNotice(models.Model):
    """That one affected person was told. The address is read when the mail leaves, and not kept here."""

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting"
        SENT = "sent", "Sent"
        FAILED = "failed", "Refused by the mail server"
        GIVEN_UP = "given_up", "Cannot be told by mail"
        GONE = "gone", "No address on file any more"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    incident = models.ForeignKey(Incident, on_delete=models.PROTECT, related_name="notices")
    schema_name = models.CharField(max_length=63)
    subject_kind = models.CharField(max_length=20)
    subject_id = models.CharField(max_length=64)
    state = models.CharField(max_length=8, choices=State.choices, default=State.WAITING)
    tries = models.PositiveSmallIntegerField(default=0)  # how often the address was refused for good
    next_at = models.DateTimeField(null=True, blank=True)  # not before then; None: at once
    problem = models.CharField(max_length=100, blank=True, default="", db_default="")
    given_up_because = models.CharField(max_length=300, blank=True, default="", db_default="")
    sent_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["incident", "schema_name", "subject_kind", "subject_id"], name="incident_notice_once"
            ),
            models.CheckConstraint(
                name="incident_notice_dated_iff_sent",
                condition=Q(state="sent", sent_at__isnull=False)
                | (~Q(state="sent") & Q(sent_at__isnull=True)),
            ),
            models.CheckConstraint(
                name="incident_notice_given_up_with_a_reason",
                condition=~Q(state="given_up") | ~Q(given_up_because=""),
            ),
        ]
        indexes = [
            models.Index(
                fields=["incident", "id"], condition=Q(state="waiting"), name="incident_notice_waiting"
            )
        ]

    def __str__(self) -> str:
        return f"notice to {self.subject_kind} {self.subject_id}"
