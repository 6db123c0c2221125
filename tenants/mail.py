"""Sending mail: one message to one person, in the tenant's name, from the platform's address."""

from email.utils import formataddr
from typing import Any

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.core.mail.message import make_msgid

from tenants.context import current_tenant, in_public
from tenants.message import RenderedMail


class NoAddress(ValueError):
    """What a mail is for cannot be put on an envelope: trying again helps nobody."""


class MailHeld(RuntimeError):
    """A tenant in rehearsal writes to nobody."""


def send(
    mail: RenderedMail, *, to: str, from_name: str = "", reply_to: str = "", connection: Any = None
) -> str:
    """Hand the message to the mail server and return its Message-ID.

    `from_name` and `reply_to` stand in where the mail names none; several mails may share one `connection`
    (Django's). Raises OSError or SMTPException when the server does not take it, so that the job tries again;
    `NoAddress` when it was not even asked; `MailHeld` for a tenant in rehearsal.
    """
    if not in_public() and current_tenant().is_rehearsal:
        raise MailHeld("A tenant in rehearsal writes to nobody.")
    answer_to = mail.reply_to or reply_to
    message_id = make_msgid(domain=settings.DEFAULT_FROM_EMAIL.rpartition("@")[2])
    message = EmailMultiAlternatives(
        subject=mail.subject,
        body=mail.text,
        from_email=formataddr((mail.from_name or from_name, settings.DEFAULT_FROM_EMAIL)),
        to=[to],
        reply_to=[answer_to] if answer_to else None,
        connection=connection,
        headers={**mail.headers, "Message-ID": message_id, "Auto-Submitted": "auto-generated"},
    )
    if mail.html:
        message.attach_alternative(mail.html, "text/html")
    for attachment in mail.attachments:
        message.attach(attachment.name, attachment.data, attachment.mime)
    try:
        message.send()
    except OSError:  # the server; a certificate that does not hold is a ValueError too
        raise
    except ValueError as error:
        raise NoAddress("This is no address that a mail could be sent to.") from error
    return message_id
