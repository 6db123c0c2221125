"""Visits: the platform's staff inside a tenant, as one of its users, for a reason and a short while."""

from django.db import models

from tenants.ids import new_id


class Visit(models.Model):
    """One stay of somebody of the platform as a user of this tenant. Its link is signed, not stored."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    user = models.ForeignKey("accounts.User", on_delete=models.PROTECT, related_name="visits")
    staff_id = models.UUIDField()
    staff_label = models.CharField(max_length=254)
    reason = models.CharField(max_length=500)
    created_at = models.DateTimeField()
    begun_at = models.DateTimeField(null=True, blank=True)
    ends_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="visit_ends_when_it_begins_to",
                condition=models.Q(begun_at__isnull=True, ends_at__isnull=True)
                | models.Q(ends_at__gt=models.F("begun_at")),
            )
        ]

    def __str__(self) -> str:
        return f"{self.staff_label} as {self.user_id}"
