"""What a request tells, by its way: page, header, PDF, ZIP, and the mails that its jobs send."""

import email
import email.policy
import io
from collections.abc import Iterator
from typing import Any
from uuid import UUID
from zipfile import ZipFile

from django.core import mail
from django.db import transaction

from tenants import clock
from tenants.context import enter_public
from tenants.models import Job
from tenants.working import work_off
from tests.billing.documents.samples import reader, text_of

# Jobs that are not done for a canary's sake, and why; all others are.
NOT_DONE = {
    "privacy.make_export": "reads one moment of the database, in a transaction of its own",
    "privacy.expire_export": "deletes in the bucket, where nothing is undone, what is fetched next",
}
ROUNDS = 3  # jobs ask for jobs


def told(answer: Any) -> Iterator[tuple[str, str]]:
    """The ways of an answer, and of the mails that left meanwhile, with their words in lower case."""
    yield "header", f"{answer.headers}{answer.cookies.output()}".lower()
    yield from _file("page", answer.whole)
    sent, mail.outbox = mail.outbox, []
    for each in sent:
        yield from _mail(each.message().as_bytes())


def _mail(raw: bytes) -> Iterator[tuple[str, str]]:
    message = email.message_from_bytes(raw, policy=email.policy.default)
    yield "mail", str(message.items()).lower()
    for part in message.walk():
        if not part.is_multipart():
            content = part.get_content()
            yield from _file("mail", content if isinstance(content, bytes) else content.encode())


def _file(way: str, data: bytes) -> Iterator[tuple[str, str]]:
    """The bytes as they are, and what is packed in them."""
    yield way, data.decode(errors="replace").lower()
    if data.startswith(b"%PDF-"):
        found = reader(data)
        yield "PDF", f"{text_of(data)}{found.metadata}".lower()
        for pieces in found.attachments.values():
            for piece in pieces:
                yield "PDF", piece.decode(errors="replace").lower()
    elif data.startswith(b"PK"):
        with ZipFile(io.BytesIO(data)) as archive:
            for name in archive.namelist():
                yield "zip", f"{name}\n{archive.read(name).decode(errors='replace')}".lower()


def waiting(schemas: list[str]) -> set[UUID]:
    """The jobs of these schemas that wait, whenever they are due."""
    with enter_public():
        found = Job.objects.filter(schema_name__in=schemas, state=Job.State.WAITING)
        return set(found.exclude(name__in=NOT_DONE).values_list("pk", flat=True))


def work(schemas: list[str], known: set[UUID]) -> Iterator[str]:
    """Do what the request just made has asked for, today or later; the names of those that failed."""
    done: set[UUID] = set()
    for _ in range(ROUNDS):
        new = waiting(schemas) - known - done
        if not new:
            return
        done |= new
        with enter_public():
            Job.objects.filter(pk__in=new).update(run_at=clock.now())
        for each in new:
            with transaction.atomic():
                work_off([each], now=clock.now())
        with enter_public():
            yield from (
                Job.objects.filter(pk__in=new).exclude(state=Job.State.DONE).values_list("name", flat=True)
            )
