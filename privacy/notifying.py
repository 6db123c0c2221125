"""Sending the notices of an incident: in batches, under what the mail provider takes an hour, each once.

A notice is marked before the next one leaves, over one connection a batch; a crash between sending and
marking may send one mail twice, and never loses one.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from smtplib import SMTPException
from typing import Any

from django.conf import settings
from django.core.mail import get_connection
from django.db import transaction

from privacy import subjects
from privacy.models import Incident, IncidentNotice
from privacy.subjects import Known, Subject
from tenants.context import enter, enter_public
from tenants.directory import tenant_of_schema
from tenants.mail import send
from tenants.message import RenderedMail

TRIES = 5
State = IncidentNotice.State


def a_minute() -> int:
    """How many notices may leave in a minute, by the provider's cap an hour (NOTICES_PER_HOUR)."""
    return max(1, settings.NOTICES_PER_HOUR // 60)


def hours_for(count: int) -> float:
    """How long so many notices take at that pace, in hours."""
    return count / (a_minute() * 60)


def due() -> list[Incident]:
    """The incidents that have notices to send."""
    with enter_public():
        waiting = IncidentNotice.objects.filter(state=State.WAITING)
        asked = Incident.objects.filter(notices_asked_at__isnull=False, closed_at__isnull=True)
        return list(asked.filter(pk__in=waiting.values("incident")))


def send_batch(incident: Incident, *, limit: int, clock: Any) -> int:
    """Send up to `limit` of the notices that wait; returns how many left. Locks each while it is sent.

    `clock` is called for the instant at which each was sent.
    """
    sent = 0
    with _mail_server() as server:
        for notice in _waiting(incident, limit):
            sent += _send_one(incident, notice.pk, server, clock())
    return sent


def _waiting(incident: Incident, limit: int) -> list[IncidentNotice]:
    with enter_public():
        return list(incident.notices.filter(state=State.WAITING).order_by("tries", "id")[:limit])


def _send_one(incident: Incident, pk: Any, server: Any, now: datetime) -> bool:
    with enter_public(), transaction.atomic():
        free = IncidentNotice.objects.select_for_update(of=("self",), skip_locked=True)
        notice = free.filter(pk=pk, state=State.WAITING).first()
        if notice is None:
            return False
        tenant = tenant_of_schema(notice.schema_name)
        with enter(tenant):
            person = subjects.known(Subject(notice.subject_kind, notice.subject_id))
        notice.tries += 1
        if person is None or not person.email:
            notice.state = State.GONE
        else:
            _hand_over(incident, notice, person, str(tenant), server, now)
        notice.save(update_fields=["state", "tries", "sent_at"])
    return notice.state == State.SENT


def _hand_over(
    incident: Incident, notice: IncidentNotice, person: Known, business: str, server: Any, now: datetime
) -> None:
    try:
        send(letter(incident, person, business), to=person.email, connection=server)
    except (OSError, SMTPException):
        if notice.tries >= TRIES:
            notice.state = State.FAILED
        return
    notice.state, notice.sent_at = State.SENT, now


def letter(incident: Incident, person: Known, business: str) -> RenderedMail:
    """The notice to one person: Art. 34(2) GDPR, in plain words."""
    drill = "[Exercise] " if incident.is_drill else ""
    parts = [
        f"Hello {person.name}," if person.name else "Hello,",
        "This is an exercise. Nothing has happened to your data." if incident.is_drill else "",
        f"You have an account with {business}, which bills through ProEcommerce.",
        incident.mail_text,
        f"What may follow from it\n{incident.consequences}",
        f"What we have done\n{incident.measures}",
        f"Questions? Write to {settings.DEFAULT_FROM_EMAIL}; a person answers. "
        f"Public notice: {settings.SITE_URL.rstrip('/')}/notices/",
    ]
    return RenderedMail(
        subject=f"{drill}{incident.mail_subject}",
        text="\n\n".join(part for part in parts if part) + "\n",
        html="",
        from_name="ProEcommerce",
        reply_to=settings.DEFAULT_FROM_EMAIL,
    )


@contextmanager
def _mail_server() -> Iterator[Any]:
    server = get_connection()
    try:
        yield server
    finally:
        server.close()
