"""The link that proves a request: mailed to the address on file, good once, for a day, by a form."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction

from audit.actions import Action
from audit.actors import Actor
from audit.recording import record
from privacy.errors import Refused
from privacy.finding import Found, address_on_file
from privacy.models import DataRequest, RequestSubject
from privacy.subjects import Subject
from tenants.jobs import enqueue

LIFETIME = timedelta(hours=24)
RANDOM_BYTES = 32
State = DataRequest.State


@dataclass(frozen=True, slots=True)
class Link:
    """A fresh link's token, and the address on file that it is for."""

    token: str
    to: str


def found_of(row: RequestSubject) -> Found:
    """Whom a row of a request names."""
    return Found(row.schema_name, Subject(row.subject_kind, row.subject_id))


def ask_for_link(request_id: UUID, *, actor: Actor, now: datetime) -> DataRequest:
    """Have the link mailed because somebody of the staff wants it; raises `Refused`. Locks the request.

    What came by letter, telephone or a mail that proves nothing gets none by itself. It goes to the address
    on file and nowhere else.
    """
    if not _address_of(DataRequest.objects.get(pk=request_id)):
        raise Refused(
            "Nobody has this address on file (any more), so there is nobody to mail a link to. Make sure in "
            "another way that it is them, or write to them."
        )
    with transaction.atomic():
        locked = DataRequest.objects.select_for_update(of=("self",)).get(pk=request_id)
        if locked.state not in {State.NEW, State.LINKED}:
            raise Refused("This request is confirmed or closed: it needs no link.")
        record(Action.REQUEST_LINK_ASKED, subject=("data request", locked.pk), actor=actor, now=now)
        enqueue("privacy.mail_link", request_id=str(locked.pk))
    return locked


def make_link(request_id: UUID, *, actor: Actor, now: datetime) -> Link | None:
    """Make a link for a request that waits for one; an earlier one is void. None: there is nobody to mail.

    The address is read from what is on file at this moment, never from the message; were it another one than
    the request came from, nothing is sent. The platform's schema is entered. Locks the request.
    """
    request = DataRequest.objects.get(pk=request_id)
    to = _address_of(request)
    if not to:
        return None
    token = secrets.token_urlsafe(RANDOM_BYTES)
    with transaction.atomic():
        locked = DataRequest.objects.select_for_update(of=("self",)).get(pk=request.pk)
        if locked.state not in {State.NEW, State.LINKED}:
            return None
        locked.state, locked.link_mark = State.LINKED, _mark(token)
        locked.link_mailed_at, locked.link_expires_at = now, now + LIFETIME
        locked.save(update_fields=["state", "link_mark", "link_mailed_at", "link_expires_at"])
        record(Action.REQUEST_LINK_MADE, subject=("data request", locked.pk), actor=actor, now=now)
    return Link(token, to)


def open_request(token: str, *, now: datetime) -> DataRequest:
    """Return the request of a link that stands; raises `Refused`. The platform's schema is entered."""
    request = DataRequest.objects.filter(link_mark=_mark(token)).first()
    if request is None or not _stands(request, now):
        raise Refused(
            "This link was used already, or it is older than a day. Write to us again for a new one."
        )
    return request


def confirm(token: str, *, actor: Actor, now: datetime) -> DataRequest:
    """Take the request as that of the person on file; the link is used up. Raises `Refused`.

    It tells and erases nothing: a person goes on from here.
    """
    request = open_request(token, now=now)
    with transaction.atomic():
        locked = DataRequest.objects.select_for_update(of=("self",)).get(pk=request.pk)
        if locked.link_mark != _mark(token) or not _stands(locked, now):
            raise Refused("This link was used already.")
        locked.state, locked.confirmed_at = State.CONFIRMED, now
        locked.link_mark, locked.link_expires_at = None, None
        locked.save(update_fields=["state", "confirmed_at", "link_mark", "link_expires_at"])
        record(Action.REQUEST_CONFIRMED, subject=("data request", locked.pk), actor=actor, now=now)
    return locked


def _address_of(request: DataRequest) -> str:
    """The address on file now, if it is the one that the request came from; else empty."""
    addresses = {address_on_file(found_of(row)) for row in request.subjects.all()}
    return next(iter(sorted(each for each in addresses if each.lower() == request.address.lower())), "")


def _stands(request: DataRequest, now: datetime) -> bool:
    return (
        request.state == State.LINKED
        and request.link_expires_at is not None
        and now < request.link_expires_at
    )


def _mark(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
