"""Taking requests in. A message is a trigger, never a proof: it can cause a link to the address on file.

It is written down once, with its deadline, for a person to answer; whoever is the one on file confirms it by
the link. Nothing is told or erased for a message, and the sender does not learn whether we know them.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Max

from audit.actions import Action
from audit.actors import Actor
from audit.recording import record
from privacy import deadlines
from privacy.authenticity import Verdict, judge
from privacy.classifying import Right, Sorted, classify
from privacy.confirming import found_of
from privacy.deadlines import Law
from privacy.finding import Found, Moved, find_everywhere, moved_since
from privacy.incoming import Letter, read
from privacy.mailbox_gateway import Arrived, Mailbox
from privacy.models import DataRequest, ReceivedMail, RequestSubject
from privacy.staffing import staff
from tenants.context import enter_public
from tenants.jobs import enqueue

BY_MAIL = Actor.system("mailbox")
# An address that is new on file may be somebody else's doing.
SETTLED = timedelta(days=14)
# How far back the mailbox is searched for messages that somebody opened before they were taken in.
LOOK_BACK = timedelta(days=30)
LINKS_A_DAY = 3
State = DataRequest.State


@dataclass(frozen=True, slots=True)
class Written:
    """What somebody of the staff writes down that came by letter or telephone."""

    channel: str
    received_on: date
    law: Law
    right: Right
    address: str
    text: str


@dataclass(frozen=True, slots=True)
class _Case:
    """A message with all that was found out about it, before anything is written."""

    arrived: Arrived
    letter: Letter
    sorted: Sorted
    verdict: Verdict
    found: Sequence[Found]
    moved: Sequence[Moved]


def untaken(mailbox: Mailbox, *, now: datetime) -> list[int]:
    """Return the places of messages to be taken in, the oldest first, whether somebody opened them or not."""
    here = ReceivedMail.objects.filter(uid_validity=mailbox.uid_validity)
    with enter_public():
        last = here.aggregate(last=Max("uid"))["last"]
    listed = mailbox.listed(since=(now - LOOK_BACK).date(), after=last)
    with enter_public():
        known = set(here.filter(uid__in=listed.lately).values_list("uid", flat=True))
    return sorted(listed.unread | (listed.lately - known))


def take_in(arrived: Arrived, *, actor: Actor, now: datetime) -> ReceivedMail | None:
    """Write down one message of the mailbox; None if it was dealt with before. Not inside a transaction."""
    letter = read(arrived.raw)
    with enter_public():
        if ReceivedMail.objects.filter(mark=letter.mark).exists():
            _note_copy(arrived, letter, now=now)
            return None
    sorted_ = classify(letter.subject, letter.text)
    if _is_noise(letter, sorted_):
        return _note_noise(arrived, letter, now=now)
    verdict = judge(letter, authserv_id=settings.MAIL_AUTHSERV_ID, now=now)
    found = find_everywhere(letter.address)
    moves = [moved_since(each, now - SETTLED) for each in found]
    case = _Case(arrived, letter, sorted_, verdict, found, [each for each in moves if each is not None])
    try:
        with enter_public(), transaction.atomic():
            return _write(case, actor=actor, now=now)
    except IntegrityError:
        return None  # another worker has just written the same message down


def old_addresses(request: DataRequest) -> list[str]:
    """Return what the address on file of whom the request names was, where it had changed not long before."""
    since = request.received_at - SETTLED
    moves = [moved_since(found_of(each), since) for each in request.subjects.all()]
    return sorted({each.before for each in moves if each is not None} - {""})


def write_down(written: Written, *, actor: Actor, now: datetime) -> DataRequest:
    """Put what came by letter or telephone into the queue; its person is known when somebody confirms it."""
    found = find_everywhere(written.address)
    received = min(datetime.combine(written.received_on, now.timetz()), now)
    with enter_public(), transaction.atomic():
        request = _queue(
            DataRequest(
                received_at=received,
                channel=written.channel,
                address=written.address,
                verdict="It did not come by mail.",
                message=written.text,
                state=State.NEW,
            ),
            Sorted(written.law, written.right),
            received_on=written.received_on,
            found=found,
        )
        record(
            Action.REQUEST_RECEIVED, subject=("data request", request.pk), actor=actor, now=now,
            channel=written.channel, law=request.law, right=request.right, due_on=str(request.due_on),
        )  # fmt: skip
    return request


def acknowledged(request_id: UUID, *, actor: Actor, now: datetime) -> None:
    """Put on record that the sender was told of the receipt. The platform's schema is entered."""
    with transaction.atomic():
        request = DataRequest.objects.select_for_update(of=("self",)).get(pk=request_id)
        if request.acknowledged_at is None:
            request.acknowledged_at = now
            request.save(update_fields=["acknowledged_at"])
            record(Action.REQUEST_ACKNOWLEDGED, subject=("data request", request.pk), actor=actor, now=now)


def _is_noise(letter: Letter, sorted_: Sorted) -> bool:
    """Bounces, our own mail, and what machines write; but one that asks for something may be an agent's."""
    own = letter.address.lower() == settings.DEFAULT_FROM_EMAIL.lower()
    return bool(letter.bounce or own or (letter.machine and sorted_.right is Right.UNCLEAR))


def _note_noise(arrived: Arrived, letter: Letter, *, now: datetime) -> ReceivedMail | None:
    why = letter.bounce or letter.machine or "it is our own"
    with enter_public():
        noted, made = ReceivedMail.objects.get_or_create(
            mark=letter.mark,
            defaults=_place(arrived, letter, now) | {"outcome": ReceivedMail.Outcome.AUTOMATIC, "why": why},
        )
    return noted if made else None


def _note_copy(arrived: Arrived, letter: Letter, *, now: datetime) -> None:
    """Remember the place of what is here already, so that it is not fetched again and again."""
    place = {"uid_validity": arrived.uid_validity, "uid": arrived.uid}
    if not ReceivedMail.objects.filter(**place).exists():
        mark = hashlib.sha256(f"copy:{arrived.uid_validity}:{arrived.uid}".encode()).hexdigest()
        noted = {"outcome": ReceivedMail.Outcome.AUTOMATIC, "why": "it is a copy of one that is here"}
        ReceivedMail.objects.get_or_create(mark=mark, defaults=_place(arrived, letter, now) | noted)


def _place(arrived: Arrived, letter: Letter, now: datetime) -> dict[str, object]:
    return {
        "uid_validity": arrived.uid_validity,
        "uid": arrived.uid,
        "received_at": min(arrived.at, now),
        "sender": letter.shown_from,
    }


def _write(case: _Case, *, actor: Actor, now: datetime) -> ReceivedMail:
    letter, received = case.letter, min(case.arrived.at, now)
    request = _queue(
        DataRequest(
            received_at=received,
            channel=DataRequest.Channel.MAIL,
            address=letter.address or letter.shown_from,
            is_authentic=case.verdict.passes,
            verdict=case.verdict.why,
            message=f"{letter.subject}\n\n{letter.text}".strip() or "(nothing that can be read)",
            was_cut=case.arrived.was_cut,
            note=_note(case),
            state=State.NEW,
        ),
        case.sorted,
        received_on=deadlines.receipt_day(received),
        found=case.found,
    )
    mail = ReceivedMail.objects.create(
        mark=letter.mark,
        outcome=ReceivedMail.Outcome.REQUEST,
        request=request,
        **_place(case.arrived, letter, now),
    )
    record(
        Action.REQUEST_RECEIVED, subject=("data request", request.pk), actor=actor, now=now,
        channel=request.channel, law=request.law, right=request.right, due_on=str(request.due_on),
        authentic=request.is_authentic, known=len(case.found), moved=len(case.moved),
    )  # fmt: skip
    _react(case, request, now)
    return mail


def _queue(
    request: DataRequest, sorted_: Sorted, *, received_on: date, found: Sequence[Found]
) -> DataRequest:
    request.law, request.right = sorted_.law, sorted_.right
    request.due_on = deadlines.due_on(sorted_.law, received_on)
    request.acknowledge_by = deadlines.acknowledge_by(sorted_.law, received_on)
    request.save(force_insert=True)
    RequestSubject.objects.bulk_create(
        RequestSubject(
            request=request,
            schema_name=each.schema_name,
            subject_kind=each.subject.kind,
            subject_id=each.subject.id,
        )
        for each in found
    )
    return request


def _note(case: _Case) -> str:
    if case.moved:
        return (
            f"The address on file was changed less than {SETTLED.days} days ago: make sure that it is them. "
            "The old address was told."
        )
    if case.letter.machine:
        return f"Perhaps sent by a machine or an agent: {case.letter.machine}. No mail was sent back."
    return ""


def _react(case: _Case, request: DataRequest, now: datetime) -> None:
    """Ask for the mails that it may cause: to the address on file, or one that tells nothing.

    Word of a child goes to the staff at once: they freeze, for a message could be anybody's.
    """
    if request.right == Right.UNDER_16:
        for colleague in staff():
            enqueue("privacy.mail_child", request_id=str(request.pk), staff_id=colleague.id)
    if not case.verdict.passes or case.letter.machine:
        return
    day = DataRequest.objects.filter(
        address__iexact=request.address, is_authentic=True, received_at__gt=now - timedelta(days=1)
    ).exclude(pk=request.pk)
    if not day.exists():
        enqueue("privacy.mail_receipt", request_id=str(request.pk))
    if case.moved:
        enqueue("privacy.mail_old_address", request_id=str(request.pk))
    elif case.found and day.filter(link_mailed_at__isnull=False).count() < LINKS_A_DAY:
        enqueue("privacy.mail_link", request_id=str(request.pk))
