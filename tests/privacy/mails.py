"""Messages as our mail server hands them on, put into a real mailbox, and what comes of them."""

import imaplib
import os
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import format_datetime
from typing import Any
from urllib.parse import unquote, urlsplit
from uuid import uuid4

from django.conf import settings
from django.core import mail
from django.utils import timezone

from privacy.jobs import requests as request_jobs
from privacy.models import DataRequest
from tenants.context import enter_public
from tenants.jobs import handler_of
from tenants.models import Job

OURS = "mx.proe.example"


def results(domain: str, *, dmarc: str = "pass", dkim: str = "pass", spf: str = "pass", of: str = "") -> str:
    """What our own server writes of a message that says it is from `domain`."""
    signer = of or domain
    return (
        f"{OURS}; dmarc={dmarc} (p=reject) header.from={domain};\r\n"
        f" dkim={dkim} header.d={signer} header.s=s1; spf={spf} smtp.mailfrom=bounce@{signer}"
    )


def message(
    *,
    sender: str = "Ida Holm <ida@holm.example>",
    subject: str = "Auskunft nach Art. 15 DSGVO",
    text: str = "Bitte schicken Sie mir alles, was Sie haben.",
    checked: str | None = None,
    more: tuple[str, ...] = (),
    dated: datetime | None = None,
    message_id: str = "",
) -> bytes:
    """A message, header by header; `checked` is our server's result, by default that all is well."""
    checked = results("holm.example") if checked is None else checked
    lines = [
        *([f"Authentication-Results: {checked}"] if checked else []),
        "Received: from somewhere by mx.proe.example",
        f"From: {sender}",
        "To: billing@proecommerce.com",
        f"Subject: {subject}",
        f"Date: {format_datetime(dated or timezone.now())}",
        f"Message-ID: <{message_id or uuid4().hex}@holm.example>",
        "MIME-Version: 1.0",
        "Content-Type: text/plain; charset=utf-8",
        *more,
    ]
    return ("\r\n".join(lines) + "\r\n\r\n" + text + "\r\n").encode()


@dataclass
class Box:
    """A folder of its own on the stack's IMAP server."""

    folder: str = field(default_factory=lambda: f"T{uuid4().hex[:12]}")

    @property
    def url(self) -> str:
        return f"{os.environ['MAIL_IMAP_URL']}/{self.folder}"

    def client(self) -> imaplib.IMAP4:
        parts = urlsplit(os.environ["MAIL_IMAP_URL"])
        client = imaplib.IMAP4(parts.hostname or "", parts.port or 0)
        client.login(unquote(parts.username or ""), unquote(parts.password or ""))
        return client

    def make(self) -> None:
        client = self.client()
        client.create(self.folder)
        client.logout()

    def put(self, *raws: bytes, at: datetime, flags: str = "") -> None:
        client = self.client()
        for raw in raws:
            answer: Any = client.append(self.folder, flags, imaplib.Time2Internaldate(at), raw)
            assert answer[0] == "OK"
        client.logout()

    def unread(self) -> int:
        client = self.client()
        client.select(self.folder, readonly=True)
        _, found = client.uid("SEARCH", "UNSEEN")
        client.logout()
        return len(found[0].split())

    def read(self) -> list[DataRequest]:
        """Have the mailbox read as the worker does; returns the requests that are new."""
        with enter_public():
            before = set(DataRequest.objects.values_list("pk", flat=True))
            request_jobs.read_mailbox()
            return list(DataRequest.objects.exclude(pk__in=before).order_by("received_at", "pk"))


def run_jobs_of(**args: Any) -> list[str]:
    """Run the jobs of these arguments that wait, as a worker would; returns their names."""
    with enter_public():
        jobs = list(
            Job.objects.filter(args__contains=args, state="waiting", name__startswith="privacy.").order_by(
                "id"
            )
        )
        for job in jobs:
            handler_of(job.name).run(**job.args)
            Job.objects.filter(pk=job.pk).update(state="done")
    return [job.name for job in jobs]


def sent() -> list[tuple[str, str]]:
    """To whom, and what, in the order of sending."""
    return [(each.to[0], f"{each.subject}\n{each.body}") for each in mail.outbox]


def links_in(text: str) -> list[str]:
    """The paths of the links that confirm a request."""
    start = f"{settings.SITE_URL.rstrip('/')}/privacy/request/"
    return [
        word.removeprefix(settings.SITE_URL.rstrip("/")) for word in text.split() if word.startswith(start)
    ]
