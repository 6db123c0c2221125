"""Tenants and the hosts that lead to them."""

from zoneinfo import ZoneInfo

from django.db import models

from tenants.ids import new_id


class Tenant(models.Model):
    """A business that bills through us; one PostgreSQL schema and one role of the same name."""

    class Status(models.TextChoices):
        ACTIVE = "active", "Active"
        SUSPENDED = "suspended", "Suspended"
        CLOSED = "closed", "Closed"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    slug = models.CharField(max_length=40, unique=True)
    schema_name = models.CharField(max_length=63, unique=True, editable=False)
    name = models.CharField(max_length=200)
    status = models.CharField(max_length=12, choices=Status.choices, default=Status.ACTIVE)
    country = models.CharField(max_length=2)
    time_zone = models.CharField(max_length=64, default="UTC")
    currency = models.CharField(max_length=3)
    locale = models.CharField(max_length=10, default="en")
    next_run_at = models.DateTimeField(null=True, blank=True)
    is_rehearsal = models.BooleanField(default=False)
    rehearsal_now = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="tenant_slug_is_a_host_label",
                condition=models.Q(slug__regex=r"^[a-z0-9]([a-z0-9-]*[a-z0-9])?$"),
            ),
            models.CheckConstraint(
                name="tenant_clock_is_for_rehearsals",
                condition=models.Q(is_rehearsal=True) | models.Q(rehearsal_now__isnull=True),
            ),
        ]
        indexes = [models.Index(fields=["next_run_at"], name="tenant_next_run")]

    def __str__(self) -> str:
        return self.name

    @property
    def zone(self) -> ZoneInfo:
        """The zone in which the tenant's days begin."""
        return ZoneInfo(self.time_zone)

    @property
    def is_open(self) -> bool:
        return self.status == self.Status.ACTIVE


class Host(models.Model):
    """A hostname that leads to a tenant."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    hostname = models.CharField(max_length=253, unique=True)
    tenant = models.ForeignKey(Tenant, on_delete=models.PROTECT, related_name="hosts")
    schema_name = models.CharField(max_length=63, editable=False)
    is_primary = models.BooleanField(default=False)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tenant"], condition=models.Q(is_primary=True), name="host_one_primary_a_tenant"
            ),
            models.CheckConstraint(
                name="host_is_a_lower_case_hostname", condition=models.Q(hostname__regex=r"^[a-z0-9.-]+$")
            ),
        ]

    def __str__(self) -> str:
        return self.hostname
