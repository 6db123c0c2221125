"""Reminders of what waits: at half and four fifths of the time, each day once it is over, of reviews due."""

from datetime import date, datetime, timedelta

from django.db import transaction

from privacy import deadlines
from privacy.deadlines import Level
from privacy.holding import in_force
from privacy.models import DataRequest
from privacy.staffing import Colleague, staff
from tenants.context import enter_public
from tenants.jobs import enqueue

ACKNOWLEDGE = "acknowledge"
ACKNOWLEDGE_SOON = timedelta(days=3)
REVIEW_SOON = timedelta(days=7)


def overdue(now: datetime) -> int:
    """How many requests are open beyond their time. In the platform's schema."""
    return sum(request.due < now.date() for request in _open())


def remind(*, now: datetime) -> int:
    """Ask for every reminder that is due and was not sent; returns of how many requests. Once a day each."""
    reminded, colleagues = 0, staff()
    with enter_public():
        for open_request in _open():
            with transaction.atomic():
                request = DataRequest.objects.select_for_update(of=("self",)).get(pk=open_request.pk)
                word = due_word(request, now.date())
                if not request.is_open or word in {"", request.reminded}:
                    continue
                request.reminded = word
                request.save(update_fields=["reminded"])
                for colleague in _whom(request, word, colleagues):
                    enqueue("privacy.mail_reminder", request_id=str(request.pk), staff_id=colleague.id)
            reminded += 1
    return reminded


def due_word(request: DataRequest, today: date) -> str:
    """Which reminder is due today, if any: one for each level, and one for each day beyond the end."""
    level = deadlines.level(deadlines.receipt_day(request.received_at), request.due, today)
    if level is Level.OVERDUE:
        return f"{level} {today}"
    if level is Level.EARLY and _must_be_acknowledged(request, today):
        return ACKNOWLEDGE
    return str(level)


def remind_of_reviews(*, now: datetime) -> int:
    """Mail the staff the legal holds whose review is near or past; returns how many there are."""
    near = [each for each in in_force() if each.hold.review_on <= now.date() + REVIEW_SOON]
    if near:
        with enter_public(), transaction.atomic():
            for colleague in staff():
                enqueue("privacy.mail_reviews", staff_id=colleague.id, count=len(near))
    return len(near)


def _open() -> list[DataRequest]:
    return list(DataRequest.objects.filter(state__in=DataRequest.OPEN).order_by("due_on"))


def _must_be_acknowledged(request: DataRequest, today: date) -> bool:
    by = request.acknowledge_by
    return by is not None and request.acknowledged_at is None and today >= by - ACKNOWLEDGE_SOON


def _whom(request: DataRequest, word: str, colleagues: list[Colleague]) -> list[Colleague]:
    """Who has it; all where nobody has it or still works here, and all once it is overdue."""
    mine = [each for each in colleagues if each.id == request.assigned_id]
    return colleagues if word.startswith(Level.OVERDUE) or not mine else mine
