"""Sending the notices of an incident: in batches, under what the mail provider takes an hour, each once.

A batch is claimed for a while, and each notice marked before the next one leaves; a crash between sending and
marking may send one mail twice, and never loses one. What the server refuses for good counts against the
address; a server that is away, or asks to come later, counts against nobody.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from smtplib import SMTPDataError, SMTPRecipientsRefused
from typing import Any

from django.conf import settings
from django.core.mail import get_connection
from django.db import transaction
from django.db.models import Q, QuerySet

from privacy import notice_budget, scoping, subjects
from privacy.models import Incident, IncidentNotice
from privacy.subjects import Known, Subject
from tenants.context import enter, enter_public
from tenants.directory import tenant_of_schema
from tenants.letters import hello
from tenants.mail import NoAddress, send
from tenants.message import RenderedMail
from tenants.models import Tenant
from tenants.postgresql.base import PUBLIC
from tenants.throttling import TooMany

TRIES = 3
EVERY = timedelta(minutes=1)
LEASE = timedelta(minutes=10)
PAUSE = timedelta(hours=1)
FOR_GOOD = 500  # codes of SMTP from here on: asking again does not help
State = IncidentNotice.State


def a_minute() -> int:
    """How many notices may leave in a minute, by the provider's cap an hour (NOTICES_PER_HOUR)."""
    return max(1, settings.NOTICES_PER_HOUR // 60)


def hours_for(count: int) -> float:
    """How long so many notices take at that pace, in hours."""
    return count / (a_minute() * 60)


def due(*, now: datetime) -> list[Incident]:
    """The incidents that have notices to send now."""
    with enter_public():
        waiting = _waiting(IncidentNotice.objects.all(), now)
        asked = Incident.objects.filter(notices_asked_at__isnull=False, closed_at__isnull=True)
        return list(asked.filter(pk__in=waiting.values("incident")))


def send_batch(incident: Incident, *, limit: int, clock: Any, capped: bool = True) -> int:
    """Send up to `limit` of the notices that wait; returns how many left. Talks to the mail server.

    `clock` is called for the instant at which each was sent. Without `capped`, as in an exercise, no
    NOTICES_PER_HOUR counts. Raises what the mail server raises when it takes nothing at all: nobody's
    notice counts as tried, and the incident says what the trouble is.
    """
    claimed, sent = _claim(incident, limit, clock()), 0
    with _mail_server() as server:
        for place, notice in enumerate(claimed):
            try:
                sent += _send_one(incident, notice, server, clock(), capped)
            except TooMany as full:
                _release(claimed[place:], clock() + timedelta(seconds=full.retry_after))
                break
            except OSError as error:  # the server, not the address
                _release(claimed[place:], None)
                _note_trouble(incident, f"{clock():%Y-%m-%d %H:%M} UTC: {type(error).__name__}")
                raise
    if sent:
        _note_trouble(incident, "")
    return sent


def _waiting(notices: QuerySet[IncidentNotice], now: datetime) -> QuerySet[IncidentNotice]:
    return notices.filter(Q(next_at__isnull=True) | Q(next_at__lte=now), state=State.WAITING)


def _claim(incident: Incident, limit: int, now: datetime) -> Sequence[IncidentNotice]:
    """Take some for this batch; whoever else sends leaves them alone until the lease is over."""
    with enter_public(), transaction.atomic():
        free = _waiting(incident.notices.all(), now).order_by("tries", "id")
        found = list(free.select_for_update(of=("self",), skip_locked=True, no_key=True)[:limit])
        incident.notices.filter(pk__in=[each.pk for each in found]).update(next_at=now + LEASE)
    return found


def _send_one(incident: Incident, notice: IncidentNotice, server: Any, now: datetime, capped: bool) -> bool:
    business, person = _known(notice)
    if person is None or not person.email:
        _mark(notice, state=State.GONE)
        return False
    if capped:
        notice_budget.spend(now)
    try:
        send(letter(incident, person, _why(notice, business)), to=person.email, connection=server)
    except (SMTPRecipientsRefused, SMTPDataError) as refused:
        _refused(notice, code_of(refused), now)
        return False
    except NoAddress:  # for a person to look at
        _mark(notice, state=State.FAILED, problem="not an address")
        return False
    _mark(notice, state=State.SENT, sent_at=now, problem="")
    return True


def _known(notice: IncidentNotice) -> tuple[str, Known | None]:
    """Of which business the person is, and how to reach them; None where either is not there any more."""
    who = Subject(notice.subject_kind, notice.subject_id)
    if notice.schema_name == PUBLIC:
        with enter_public():
            return "", subjects.known(who)
    try:
        tenant = tenant_of_schema(notice.schema_name)
    except Tenant.DoesNotExist:
        return "", None
    with enter(tenant):
        return str(tenant), subjects.known(who)


def code_of(refused: SMTPRecipientsRefused | SMTPDataError) -> int:
    """With which code the server refused; its words may name people and are not kept."""
    if isinstance(refused, SMTPDataError):
        return refused.smtp_code
    return max(code for code, _ in refused.recipients.values())


def _refused(notice: IncidentNotice, code: int, now: datetime) -> None:
    """Try this one again in an hour; after `TRIES` refusals for good a person has to look at it."""
    tries = notice.tries + (code >= FOR_GOOD)
    state = State.FAILED if tries >= TRIES else State.WAITING
    _mark(notice, state=state, tries=tries, problem=f"refused with {code}", next_at=now + PAUSE)


def _mark(notice: IncidentNotice, **values: Any) -> None:
    with enter_public():
        IncidentNotice.objects.filter(pk=notice.pk, state=State.WAITING).update(**values)


def _release(notices: Sequence[IncidentNotice], at: datetime | None) -> None:
    with enter_public():
        waiting = IncidentNotice.objects.filter(state=State.WAITING)
        waiting.filter(pk__in=[each.pk for each in notices]).update(next_at=at)


def _note_trouble(incident: Incident, trouble: str) -> None:
    with enter_public():
        Incident.objects.filter(pk=incident.pk).exclude(mail_trouble=trouble).update(mail_trouble=trouble)


def _why(notice: IncidentNotice, business: str) -> str:
    """Why the person is written to."""
    if notice.schema_name == PUBLIC and notice.subject_kind == "user":
        return "You are one of the staff of ProEcommerce."
    return scoping.kind_called(notice.subject_kind).why.format(business=business)


def letter(incident: Incident, person: Known, why: str) -> RenderedMail:
    """The notice to one person: Art. 34(2) GDPR, in plain words."""
    drill = "[Exercise] " if incident.is_drill else ""
    parts = [
        hello(person.name),
        "This is an exercise. Nothing has happened to your data." if incident.is_drill else "",
        why,
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
