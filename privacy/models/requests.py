"""What people demand by mail or letter, and what a person answers. In the platform's schema only."""

from datetime import date

from django.db import models
from django.db.models import Q

from privacy.classifying import Right
from privacy.deadlines import Law
from privacy.models.subjects import OfSubject
from tenants.ids import new_id
from vault.fields import EncryptedTextField


class DataRequest(models.Model):
    """One request. A message is a trigger and never a proof: `confirmed_at` tells that the address was.

    The link that confirms is not stored, only its hash. `subjects` are whose address it is. It is answered by
    a person, by `due`; it belongs to the privacy queue and to nothing else.
    """

    class Channel(models.TextChoices):
        MAIL = "mail", "E-mail"
        LETTER = "letter", "Letter"
        PHONE = "phone", "Telephone"

    class State(models.TextChoices):
        NEW = "new", "New: look at it"
        LINKED = "linked", "Waits to be confirmed"
        CONFIRMED = "confirmed", "Confirmed by the person"
        ANSWERED = "answered", "Answered"
        DISMISSED = "dismissed", "No request"

    OPEN = (State.NEW, State.LINKED, State.CONFIRMED)
    LAWS = ((Law.GDPR.value, "GDPR"), (Law.CCPA.value, "CCPA"))
    RIGHTS = (
        (Right.ACCESS.value, "See what is held"),
        (Right.CORRECT.value, "Correct"),
        (Right.DELETE.value, "Delete"),
        (Right.PORT.value, "Take along"),
        (Right.OBJECT.value, "Object"),
        (Right.RESTRICT.value, "Restrict"),
        (Right.COMPLAIN.value, "Complain"),
        (Right.OPT_OUT.value, "Opt out of sale"),
        (Right.UNDER_16.value, "Under 16"),
        (Right.UNCLEAR.value, "Unclear"),
    )

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    received_at = models.DateTimeField()
    channel = models.CharField(max_length=10, choices=Channel.choices)
    law = models.CharField(max_length=4, choices=LAWS)
    right = models.CharField(max_length=10, choices=RIGHTS)
    address = models.CharField(max_length=320)
    is_authentic = models.BooleanField(default=False)
    verdict = models.CharField(max_length=300)
    message = EncryptedTextField()
    was_cut = models.BooleanField(default=False)
    note = models.CharField(max_length=500, blank=True, default="")
    due_on = models.DateField()
    acknowledge_by = models.DateField(null=True, blank=True)
    acknowledged_at = models.DateTimeField(null=True, blank=True)
    extended_until = models.DateField(null=True, blank=True)
    extended_because = models.CharField(max_length=500, blank=True, default="")
    link_mark = models.CharField(max_length=64, null=True, blank=True, unique=True)
    link_mailed_at = models.DateTimeField(null=True, blank=True)
    link_expires_at = models.DateTimeField(null=True, blank=True)
    confirmed_at = models.DateTimeField(null=True, blank=True)
    assigned_id = models.CharField(max_length=64, blank=True, default="")
    assigned_to = models.CharField(max_length=254, blank=True, default="")
    state = models.CharField(max_length=10, choices=State.choices)
    closed_at = models.DateTimeField(null=True, blank=True)
    closed_because = models.CharField(max_length=500, blank=True, default="")
    reminded = models.CharField(max_length=20, blank=True, default="")

    class Meta:
        verbose_name = "request about personal data"
        verbose_name_plural = "requests about personal data"
        constraints = [
            models.CheckConstraint(
                name="data_request_closed_when",
                condition=Q(state__in=["answered", "dismissed"], closed_at__isnull=False)
                | (~Q(state__in=["answered", "dismissed"]) & Q(closed_at__isnull=True)),
            ),
            models.CheckConstraint(
                name="data_request_extended_why",
                condition=Q(extended_until__isnull=True, extended_because="")
                | (Q(extended_until__gt=models.F("due_on")) & ~Q(extended_because="")),
            ),
        ]
        indexes = [
            models.Index(
                fields=["due_on"],
                condition=Q(state__in=["new", "linked", "confirmed"]),
                name="data_request_open",
            ),
            models.Index(fields=["address", "received_at"], name="data_request_by_address"),
        ]

    def __str__(self) -> str:
        return f"{self.get_right_display()} ({self.get_law_display()}) of {self.received_at:%-d %B %Y}"

    @property
    def reference(self) -> str:
        """What people call it in mails."""
        return f"R-{self.id.hex[-8:].upper()}"

    @property
    def due(self) -> date:
        """The last day, with an extension."""
        return self.extended_until or self.due_on

    @property
    def is_open(self) -> bool:
        return self.state in self.OPEN


class RequestSubject(OfSubject):
    """Somebody whose address on file the request came from: in which schema, and who."""

    request = models.ForeignKey(DataRequest, on_delete=models.CASCADE, related_name="subjects")
    schema_name = models.CharField(max_length=63)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["request", "schema_name", "subject_kind", "subject_id"], name="request_subject_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.subject_kind} {self.subject_id} of {self.schema_name}"


class Reply(models.Model):
    """What a person wrote back: the final answer, or a word before it."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    request = models.ForeignKey(DataRequest, on_delete=models.CASCADE, related_name="replies")
    text = EncryptedTextField()
    is_final = models.BooleanField()
    written_id = models.CharField(max_length=64)
    written_by = models.CharField(max_length=254)
    written_at = models.DateTimeField()
    sent_to = models.CharField(max_length=320)
    sent_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [models.Index(fields=["written_at"], name="reply_by_age")]

    def __str__(self) -> str:
        return f"reply of {self.written_at:%Y-%m-%d}"


class ReceivedMail(models.Model):
    """A message of the mailbox that was dealt with, known by its Message-ID's hash."""

    class Outcome(models.TextChoices):
        REQUEST = "request", "In the queue"
        AUTOMATIC = "automatic", "Written by a machine: not answered"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    uid_validity = models.BigIntegerField()
    uid = models.BigIntegerField()
    mark = models.CharField(max_length=64, unique=True)
    received_at = models.DateTimeField()
    sender = models.CharField(max_length=320, blank=True, default="")
    outcome = models.CharField(max_length=10, choices=Outcome.choices)
    why = models.CharField(max_length=200, blank=True, default="")
    request = models.OneToOneField(
        DataRequest, on_delete=models.CASCADE, null=True, blank=True, related_name="mail"
    )

    class Meta:
        verbose_name = "message in the mailbox"
        verbose_name_plural = "messages in the mailbox"
        indexes = [models.Index(fields=["uid_validity", "uid"], name="received_mail_by_place")]

    def __str__(self) -> str:
        return f"message of {self.received_at:%Y-%m-%d}"
