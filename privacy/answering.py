"""Working through the queue: a person takes a request, sorts, extends and answers it in their own words."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction

from audit.actions import Action
from audit.actors import Actor
from audit.recording import record
from privacy import checklists, deadlines, originality
from privacy.classifying import Right
from privacy.deadlines import Law
from privacy.errors import Refused
from privacy.incoming import is_plain_address
from privacy.models import DataRequest, Reply
from privacy.staffing import Colleague
from tenants.jobs import enqueue

State = DataRequest.State
# How many replies a new one is held against, the latest ones.
COMPARED = 1000
WORDS_AT_LEAST = 5


@dataclass(frozen=True, slots=True)
class Answer:
    """What a person wrote; `is_final` closes the request."""

    text: str
    is_final: bool


def claim(request_id: UUID, *, by: Colleague, actor: Actor, now: datetime) -> DataRequest:
    """Make the request the colleague's, also if it was another's. Locks the request."""
    with transaction.atomic():
        request = _open(request_id)
        before = request.assigned_to
        request.assigned_id, request.assigned_to = by.id, str(by)[:254]
        request.save(update_fields=["assigned_id", "assigned_to"])
        record(
            Action.REQUEST_CLAIMED, subject=("data request", request.pk), actor=actor, now=now,
            taken_over=bool(before),
        )  # fmt: skip
    return request


def sort_anew(request_id: UUID, law: Law, right: Right, *, actor: Actor, now: datetime) -> DataRequest:
    """Say by which law it is answered and what it asks for; the deadline follows. Locks the request."""
    with transaction.atomic():
        request = _open(request_id)
        before = {"law": request.law, "right": request.right}
        received = deadlines.receipt_day(request.received_at)
        if request.law != law and request.extended_until is not None:
            raise Refused("Its time was extended by the other law. It stays with that one.")
        request.law, request.right = law, right
        if before["law"] != law:
            request.due_on = deadlines.due_on(law, received)
            request.acknowledge_by = deadlines.acknowledge_by(law, received)
        request.save(update_fields=["law", "right", "due_on", "acknowledge_by"])
        record(
            Action.REQUEST_SORTED, subject=("data request", request.pk), actor=actor, now=now,
            before=before, after={"law": law, "right": right},
        )  # fmt: skip
    return request


def extend(request_id: UUID, *, because: str, actor: Actor, now: datetime) -> DataRequest:
    """Take the longer time that the law allows once; the person is told why by mail. Locks the request."""
    with transaction.atomic():
        request = _open(request_id)
        law, received = Law(request.law), deadlines.receipt_day(request.received_at)
        if not because.strip():
            raise Refused("Say why it takes longer: the person is told, in these words.")
        if request.extended_until is not None:
            raise Refused("It was extended before; that can be done once.")
        if not deadlines.may_be_extended(law, received, now.date()):
            raise Refused("It is too late: they had to be told of an extension before the time was over.")
        _check_can_be_written_to(request)
        request.extended_until = deadlines.extended_due_on(law, received)
        request.extended_because, request.reminded = because.strip()[:500], ""
        request.save(update_fields=["extended_until", "extended_because", "reminded"])
        record(
            Action.REQUEST_EXTENDED, subject=("data request", request.pk), actor=actor, now=now,
            until=str(request.extended_until),
        )  # fmt: skip
        enqueue("privacy.mail_extension", request_id=str(request.pk))
    return request


def reply(request_id: UUID, answer: Answer, *, by: Colleague, actor: Actor, now: datetime) -> Reply:
    """Write to the person in one's own words; raises `Refused` for a form letter. Locks the request."""
    with transaction.atomic():
        request = _open(request_id)
        _check_can_be_written_to(request)
        _check_own_words(answer.text, request)
        made = Reply.objects.create(
            request=request,
            text=answer.text.strip(),
            is_final=answer.is_final,
            written_id=by.id,
            written_by=str(by)[:254],
            written_at=now,
            sent_to=request.address,
        )
        request.acknowledged_at = request.acknowledged_at or now
        if not request.assigned_id:
            request.assigned_id, request.assigned_to = by.id, str(by)[:254]
        if answer.is_final:
            _close(request, State.ANSWERED, now)
        request.save()
        action = Action.REQUEST_ANSWERED if answer.is_final else Action.REQUEST_REPLIED
        record(action, subject=("data request", request.pk), actor=actor, now=now, reply=str(made.pk))
        enqueue("privacy.mail_reply", reply_id=str(made.pk))
    return made


def dismiss(request_id: UUID, *, because: str, actor: Actor, now: datetime) -> DataRequest:
    """Take out of the queue what asks for nothing about personal data. Locks the request."""
    if not because.strip():
        raise Refused("Say why this is no request about personal data.")
    with transaction.atomic():
        request = _open(request_id)
        if request.confirmed_at is not None:
            raise Refused("They confirmed it: it is a request, and needs an answer.")
        request.closed_because = because.strip()[:500]
        _close(request, State.DISMISSED, now)
        request.save()
        record(
            Action.REQUEST_DISMISSED, subject=("data request", request.pk), actor=actor, now=now,
            because=request.closed_because,
        )  # fmt: skip
    return request


def _close(request: DataRequest, state: DataRequest.State, now: datetime) -> None:
    request.state, request.closed_at = state, now
    request.link_mark, request.link_expires_at = None, None


def _open(request_id: UUID) -> DataRequest:
    request = DataRequest.objects.select_for_update(of=("self",)).get(pk=request_id)
    if not request.is_open:
        raise Refused("This request is closed.")
    return request


def _check_can_be_written_to(request: DataRequest) -> None:
    if not is_plain_address(request.address):
        raise Refused("There is no one address to write to. Reach them in another way and dismiss this.")


def _check_own_words(text: str, request: DataRequest) -> None:
    if len(originality.words_of(text)) < WORDS_AT_LEAST:
        raise Refused("Write an answer: this is empty, or nearly so.")
    if originality.first_alike(text, [checklists.as_text(Right(each)) for each, _ in DataRequest.RIGHTS]):
        raise Refused("This is the checklist. Write in your own words what was done for this person.")
    latest = Reply.objects.order_by("-written_at")[:COMPARED]
    if originality.first_alike(text, (each.text.reveal() for each in latest.iterator())):
        raise Refused(
            "Nearly the same was written to somebody before. No answer is a form letter: say what was done "
            "for this person."
        )
