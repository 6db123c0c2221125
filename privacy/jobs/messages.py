"""Jobs of the contact form: a word to ourselves, and the answer."""

from uuid import UUID

from django.conf import settings
from django.urls import reverse

from privacy import contacting, letters
from privacy.models import ContactMessage, ContactReply
from privacy.policy_text import CONTACT
from tenants import clock
from tenants.jobs import job
from tenants.mail import send


@job("privacy.mail_message", outside=True)
def mail_message(*, message_id: str) -> None:
    """Tell ourselves of a message, without saying what is in it."""
    if ContactMessage.objects.filter(pk=UUID(message_id)).exists():
        path = reverse("admin:answer_message", args=[message_id], urlconf=settings.PUBLIC_URLCONF)
        send(letters.message_letter(url=settings.SITE_URL.rstrip("/") + path), to=CONTACT)


@job("privacy.mail_message_reply", outside=True)
def mail_reply(*, reply_id: str) -> None:
    """Send an answer, once."""
    reply = ContactReply.objects.select_related("message").filter(pk=UUID(reply_id)).first()
    if reply is None or reply.sent_at is not None:
        return
    asked = reply.message
    letter = letters.reply_letter(
        name=asked.name, text=reply.text, asked=asked.text, day=f"{asked.received_at:%-d %B %Y}"
    )
    send(letter, to=asked.email, reply_to=CONTACT)
    contacting.mark_sent(reply.pk, now=clock.now())
