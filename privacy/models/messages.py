"""What prospects write through the contact form, and what a person answers."""

from django.db import models
from django.db.models.functions import Upper

from tenants.ids import new_id


class ContactMessage(models.Model):
    """A prospect, known by what they wrote. `last_word_at` begins the time that it is kept for."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    name = models.CharField(max_length=200)
    email = models.EmailField(max_length=254)
    business = models.CharField(max_length=200, blank=True, default="")
    text = models.TextField()
    received_at = models.DateTimeField()
    last_word_at = models.DateTimeField()

    class Meta:
        indexes = [
            models.Index(Upper("email"), name="contact_message_by_email"),
            models.Index(fields=["last_word_at"], name="contact_message_by_age"),
        ]

    def __str__(self) -> str:
        return f"{self.name} on {self.received_at:%Y-%m-%d}"


class ContactReply(models.Model):
    """An answer, written by a person and mailed."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    message = models.ForeignKey(ContactMessage, on_delete=models.CASCADE, related_name="replies")
    text = models.TextField()
    written_at = models.DateTimeField()
    written_by = models.CharField(max_length=254)
    sent_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"reply of {self.written_at:%Y-%m-%d}"
