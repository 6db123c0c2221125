"""The policy's versions, and who was told of a substantial change before it took effect."""

from datetime import timedelta

from django.db import models
from django.db.models import F, Q

from privacy.models.subjects import OfSubject
from tenants.ids import new_id

NOTICE = timedelta(days=30)  # W4


class PolicyVersion(models.Model):
    """The policy as it is, was or will be: its text, and the facts of the inventory that it told of.

    The database refuses to change or delete a row; `announced_at` may be set once, and only when every
    notice of a substantial change was sent (`privacy/migrations/0003_policy.py`).
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    number = models.PositiveIntegerField(unique=True)
    text = models.TextField()
    sha256 = models.CharField(max_length=64)
    facts = models.JSONField()
    summary = models.CharField(max_length=1000)
    is_substantial = models.BooleanField()
    last_updated = models.DateField()
    published_at = models.DateTimeField()
    published_by = models.CharField(max_length=254)
    announced_at = models.DateTimeField(null=True, blank=True)
    effective_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="policy_substantial_30_days_after_all_were_told",
                condition=Q(announced_at__isnull=True) | Q(effective_at__gte=F("announced_at") + NOTICE),
            ),
            models.CheckConstraint(
                name="policy_only_substantial_is_announced",
                condition=Q(is_substantial=True) | Q(announced_at__isnull=True),
            ),
            models.CheckConstraint(
                name="policy_in_effect_after_published", condition=Q(effective_at__gte=F("published_at"))
            ),
        ]
        indexes = [models.Index(fields=["effective_at"], name="policy_by_effect")]

    def __str__(self) -> str:
        return f"version {self.number}"


class PolicyRound(models.Model):
    """How far one tenant's people are told of one version."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    version = models.ForeignKey(PolicyVersion, on_delete=models.PROTECT, related_name="rounds")
    schema_name = models.CharField(max_length=63)
    people = models.PositiveIntegerField(null=True, blank=True)
    told = models.PositiveIntegerField(default=0)
    failing = models.PositiveIntegerField(default=0)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["version", "schema_name"], name="policy_round_once"),
            models.CheckConstraint(
                name="policy_round_finished_when_all_are_told",
                condition=Q(finished_at__isnull=True)
                | (Q(people__isnull=False) & Q(told__gte=F("people")) & Q(failing=0)),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.schema_name}: {self.told} of {self.people}"


class PolicyNotice(OfSubject):
    """That one person was told of one version. The database refuses to lose a row or to change what is sent.

    `problem` says how the mail server refused, in its code alone. `given_up_because`: a person of the
    platform's decided that this one cannot be reached.
    """

    version_id = models.UUIDField()
    attempts = models.PositiveSmallIntegerField(default=0)
    next_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True, blank=True)
    problem = models.CharField(max_length=100, blank=True, default="")
    given_up_at = models.DateTimeField(null=True, blank=True)
    given_up_because = models.CharField(max_length=300, blank=True, default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["version_id", "subject_kind", "subject_id"], name="policy_notice_once"
            ),
            models.CheckConstraint(
                name="policy_notice_given_up_for_a_reason",
                condition=Q(given_up_at__isnull=True, given_up_because="")
                | (Q(given_up_at__isnull=False, sent_at__isnull=True) & ~Q(given_up_because="")),
            ),
        ]
        indexes = [
            models.Index(
                fields=["version_id", "next_at"],
                condition=Q(sent_at__isnull=True, given_up_at__isnull=True),
                name="policy_notice_open",
            )
        ]

    def __str__(self) -> str:
        return f"notice to {self.subject_kind} {self.subject_id}"
