"""News and offers that a business mails to those who want them."""

from django.db import models

from tenants.ids import new_id


class News(models.Model):
    """One mailing: the same text to everyone who has agreed, at the moment it goes to them."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    title = models.CharField(max_length=150)
    text = models.TextField(max_length=20_000)
    asked_by = models.CharField(max_length=64)
    asked_at = models.DateTimeField()

    class Meta:
        ordering = ["-asked_at"]

    def __str__(self) -> str:
        return self.title
