"""Consent: what was shown, to whom, when, how, and what they chose. Rows are only ever added."""

from django.db import models

from privacy.models.subjects import OfSubject
from tenants.ids import new_id


class ConsentText(models.Model):
    """A text as it was shown; known by the SHA-256 of what it says."""

    hash = models.CharField(max_length=64, primary_key=True)
    purpose = models.CharField(max_length=20)
    text = models.TextField()
    since = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.purpose} since {self.since:%Y-%m-%d}"


class Consent(OfSubject):
    """One choice for one purpose. The last one of a subject and purpose is in force.

    `sealed`: address, IP and user agent under the subject's key. Once that is destroyed, `address_mark` (a
    keyed hash of the address) still tells whoever knows the address that there was consent. The database
    refuses to change or delete a row.
    """

    class Purpose(models.TextChoices):
        MARKETING = "marketing", "News and offers by mail"

    purpose = models.CharField(max_length=20, choices=Purpose.choices)
    given = models.BooleanField()
    text = models.ForeignKey(ConsentText, on_delete=models.PROTECT, related_name="+")
    how = models.CharField(max_length=60)
    at = models.DateTimeField()
    address_mark = models.CharField(max_length=64)
    sealed = models.BinaryField()

    class Meta:
        indexes = [
            models.Index(fields=["subject_id", "purpose", "at"], name="consent_by_subject"),
            models.Index(fields=["address_mark"], name="consent_by_address"),
        ]

    def __str__(self) -> str:
        return f"{self.purpose}: {'yes' if self.given else 'no'}"


class KeptConsent(models.Model):
    """What stays of a choice when its tenant's schema is dropped (`drop_tenant`), in the platform's schema.

    No name and no address: whoever names the address can be looked up by its mark (see
    `consenting.kept_by_address`). Rows are only ever added.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    tenant_id = models.UUIDField()
    purpose = models.CharField(max_length=20)
    given = models.BooleanField()
    text = models.TextField()
    how = models.CharField(max_length=60)
    at = models.DateTimeField()
    address_mark = models.CharField(max_length=64)

    class Meta:
        indexes = [models.Index(fields=["address_mark"], name="kept_consent_by_address")]

    def __str__(self) -> str:
        return f"{self.purpose} in {self.tenant_id}: {'yes' if self.given else 'no'}"
