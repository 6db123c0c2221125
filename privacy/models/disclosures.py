"""What an authority was told, and a report that somebody is a child. In the platform's schema only."""

from django.db import models
from django.db.models import Q

from privacy.models.requests import DataRequest
from privacy.models.subjects import OfSubject
from tenants.ids import new_id
from vault.fields import EncryptedTextField


class Disclosure(models.Model):
    """A lawful request, and exactly what was handed out for it. The database lets no row be changed."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    authority = models.CharField(max_length=200)
    reference = models.CharField(max_length=100)
    basis = models.CharField(max_length=500)
    received_on = models.DateField()
    about = models.CharField(max_length=500)
    disclosed = models.TextField()
    file_name = models.CharField(max_length=200)
    file_sha256 = models.CharField(max_length=64)
    decided_id = models.CharField(max_length=64)
    decided_by = models.CharField(max_length=254)
    disclosed_at = models.DateTimeField()

    class Meta:
        verbose_name = "disclosure to an authority"
        verbose_name_plural = "disclosures to authorities"
        constraints = [
            models.CheckConstraint(
                name="disclosure_says_who_and_why",
                condition=~Q(authority="")
                & ~Q(reference="")
                & ~Q(basis="")
                & ~Q(disclosed="")
                & ~Q(about=""),
            ),
            models.CheckConstraint(
                name="disclosure_names_its_file", condition=Q(file_sha256__regex=r"^[0-9a-f]{64}$")
            ),
        ]

    def __str__(self) -> str:
        return f"{self.authority}, {self.reference}"


class UnderageReport(OfSubject):
    """Somebody is said to be under 16: frozen at once, then erased or set free by a person's decision."""

    class Decision(models.TextChoices):
        ERASE = "erase", "Erase"
        FREE = "free", "Not a child: let go on"

    schema_name = models.CharField(max_length=63)
    request = models.ForeignKey(
        DataRequest, on_delete=models.SET_NULL, null=True, blank=True, related_name="reports"
    )
    ground = EncryptedTextField()
    reported_by = models.CharField(max_length=254)
    reported_at = models.DateTimeField()
    decision = models.CharField(max_length=5, choices=Decision.choices, blank=True, default="")
    decided_by = models.CharField(max_length=254, blank=True, default="")
    decided_at = models.DateTimeField(null=True, blank=True)
    decided_because = models.CharField(max_length=500, blank=True, default="")
    erased_at = models.DateTimeField(null=True, blank=True)
    # Whom the freeze shut out: the ids of log-ins, so that letting go lets in those and nobody else.
    shut_out = models.JSONField(default=list, blank=True)
    # What is nobody else's and was frozen too: kind and id of each.
    along = models.JSONField(default=list, blank=True, db_default=models.Value([], models.JSONField()))

    class Meta:
        verbose_name = "report of a child"
        verbose_name_plural = "reports of children"
        constraints = [
            models.UniqueConstraint(
                fields=["schema_name", "subject_kind", "subject_id"],
                condition=Q(decided_at__isnull=True),
                name="underage_one_open",
            ),
            models.CheckConstraint(
                name="underage_decided_by_somebody",
                condition=Q(decision="", decided_at__isnull=True, decided_by="", erased_at__isnull=True)
                | (Q(decided_at__isnull=False) & ~Q(decision="") & ~Q(decided_by="")),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.subject_kind} {self.subject_id} of {self.schema_name}"
