"""The contact form: a message is kept and answered by a person; the answer is kept with it (C7)."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction

from audit.actions import Action
from audit.actors import Actor
from audit.recording import record
from privacy.models import ContactMessage, ContactReply
from tenants.jobs import enqueue


@dataclass(frozen=True, slots=True)
class Writing:
    """What a prospect wrote."""

    name: str
    email: str
    business: str
    text: str


class ReplyRefused(ValueError):
    """The answer cannot be sent so; the message says why."""


@transaction.atomic
def receive(writing: Writing, *, actor: Actor, now: datetime) -> ContactMessage:
    """Keep the message and tell ourselves of it. In the shared schema."""
    message = ContactMessage.objects.create(
        name=writing.name,
        email=writing.email,
        business=writing.business,
        text=writing.text,
        received_at=now,
        last_word_at=now,
    )
    record(Action.MESSAGE_RECEIVED, subject=("message", message.pk), actor=actor, now=now)
    enqueue("privacy.mail_message", message_id=str(message.pk))
    return message


@transaction.atomic
def answer(message_id: UUID, text: str, *, actor: Actor, now: datetime) -> ContactReply:
    """Keep what a person answers, and send it. In the shared schema. Raises `ReplyRefused`."""
    if not text.strip():
        raise ReplyRefused("Write an answer first.")
    message = ContactMessage.objects.select_for_update(no_key=True).get(pk=message_id)
    reply = ContactReply.objects.create(
        message=message, text=text.strip(), written_at=now, written_by=actor.label[:254]
    )
    message.last_word_at = now
    message.save(update_fields=["last_word_at"])
    record(Action.MESSAGE_ANSWERED, subject=("message", message.pk), actor=actor, now=now)
    enqueue("privacy.mail_message_reply", reply_id=str(reply.pk))
    return reply


def mark_sent(reply_id: UUID, *, now: datetime) -> None:
    """Note that the answer has left."""
    ContactReply.objects.filter(pk=reply_id, sent_at__isnull=True).update(sent_at=now)
