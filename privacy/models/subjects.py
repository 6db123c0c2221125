"""What all rows about one subject have in common."""

from django.db import models

from tenants.ids import new_id


class OfSubject(models.Model):
    """A row about one subject, known by kind and id (`privacy.subjects`)."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    subject_kind = models.CharField(max_length=20)
    subject_id = models.CharField(max_length=64)

    class Meta:
        abstract = True
