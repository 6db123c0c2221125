"""Sending mail: one message to one person, in the tenant's name, from the platform's address."""

from email.utils import formataddr

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.core.mail.message import make_msgid

from tenants.message import RenderedMail


def send(mail: RenderedMail, *, to: str, from_name: str, reply_to: str = "") -> str:
    """Hand the message to the mail server and return its Message-ID.

    Raises OSError or smtplib.SMTPException when the server does not take it, so that the job tries again.
    """
    message_id = make_msgid(domain=settings.DEFAULT_FROM_EMAIL.rpartition("@")[2])
    message = EmailMultiAlternatives(
        subject=mail.subject,
        body=mail.text,
        from_email=formataddr((from_name, settings.DEFAULT_FROM_EMAIL)),
        to=[to],
        reply_to=[reply_to] if reply_to else None,
        headers={**mail.headers, "Message-ID": message_id, "Auto-Submitted": "auto-generated"},
    )
    if mail.html:
        message.attach_alternative(mail.html, "text/html")
    for attachment in mail.attachments:
        message.attach(attachment.name, attachment.data, attachment.mime)
    message.send()
    return message_id
