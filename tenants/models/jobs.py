"""Work to be done after a commit, as rows."""

from django.db import models
from django.utils import timezone

from tenants.ids import new_id


class Job(models.Model):
    """One piece of work for one tenant; written with the change that asks for it, done at least once.

    A worker claims a row by moving it from `waiting` to `running` under a lease; the attempt number fences
    off a claimant whose lease ran out. `parked` jobs have failed for good and wait for a person.
    """

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting"
        RUNNING = "running", "Running"
        DONE = "done", "Done"
        PARKED = "parked", "Parked"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    schema_name = models.CharField(max_length=63)
    name = models.CharField(max_length=80)
    args = models.JSONField(default=dict)
    key = models.CharField(max_length=200, null=True, blank=True)
    state = models.CharField(max_length=8, choices=State.choices, default=State.WAITING)
    attempts = models.PositiveSmallIntegerField(default=0)
    run_at = models.DateTimeField(default=timezone.now)
    leased_until = models.DateTimeField(null=True, blank=True)
    published_at = models.DateTimeField(null=True, blank=True)
    last_error = models.TextField(blank=True, default="")
    created_at = models.DateTimeField(default=timezone.now)
    done_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["schema_name", "key"],
                condition=models.Q(key__isnull=False),
                name="job_once_a_key",
            ),
            models.CheckConstraint(
                name="job_lease_iff_running",
                condition=models.Q(state="running", leased_until__isnull=False)
                | (~models.Q(state="running") & models.Q(leased_until__isnull=True)),
            ),
        ]
        indexes = [
            models.Index(
                fields=["run_at"], condition=models.Q(state__in=["waiting", "running"]), name="job_open"
            ),
            models.Index(fields=["schema_name", "state"], name="job_by_tenant"),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.state})"
