"""Hostnames that tenants want to be reached by, until they have shown that these are theirs."""

from django.db import models

from tenants.ids import new_id
from tenants.models.tenants import Tenant


class HostProof(models.Model):
    """A tenant's claim to a hostname: `token` is what its DNS or its present web server has to show.

    Several tenants may claim the same name; the first to prove it has the `Host`, and the name is closed to
    the others while that stands. `idle` claims are not looked for any more until the owner asks again. A
    proven one is looked at daily: `missing_since` says since when in vain, `told_at` that its owners know.
    """

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting"
        IDLE = "idle", "Not found"
        PROVEN = "proven", "Proven"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    hostname = models.CharField(max_length=253)
    tenant = models.ForeignKey(Tenant, on_delete=models.PROTECT, related_name="proofs")
    schema_name = models.CharField(max_length=63, editable=False)
    token = models.CharField(max_length=64, editable=False)
    state = models.CharField(max_length=8, choices=State.choices, default=State.WAITING)
    method = models.CharField(max_length=4, blank=True, default="")
    looks = models.PositiveSmallIntegerField(default=0)
    problem = models.CharField(max_length=300, blank=True, default="")
    created_at = models.DateTimeField()
    asked_at = models.DateTimeField()
    looked_at = models.DateTimeField(null=True, blank=True)
    proven_at = models.DateTimeField(null=True, blank=True)
    missing_since = models.DateTimeField(null=True, blank=True)
    told_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "hostname"], name="host_proof_once_a_tenant"),
            models.UniqueConstraint(
                fields=["hostname"], condition=models.Q(state="proven"), name="host_proven_by_one_tenant"
            ),
            models.CheckConstraint(
                name="host_proof_is_a_lower_case_hostname",
                condition=models.Q(hostname__regex=r"^[a-z0-9.-]+$"),
            ),
            models.CheckConstraint(
                name="host_proof_dated_iff_proven",
                condition=models.Q(state="proven", proven_at__isnull=False)
                | (~models.Q(state="proven") & models.Q(proven_at__isnull=True)),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.hostname} ({self.state})"
