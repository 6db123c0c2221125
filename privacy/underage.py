"""Nobody under 16: who is said to be one is frozen at once, then erased or set free by a person's decision.

A message alone freezes nobody, or anybody could shut out anybody: staff do, in the admin, at once.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from audit.actions import Action
from audit.actors import Actor
from audit.recording import record
from privacy import erasing, freezing, restricting
from privacy.errors import Refused
from privacy.finding import Found, inside
from privacy.models import DataRequest, Erasure, UnderageReport
from privacy.subjects import Subject, known
from tenants.context import enter_public
from tenants.jobs import Asked, enqueue, enqueue_many

RESTRICTED_BECAUSE: Final = "Said to be under 16"
Decision = UnderageReport.Decision


@dataclass(frozen=True, slots=True)
class Report:
    """What it rests on: in words, and the request by which it came, if one."""

    ground: str
    request: DataRequest | None = None


def freeze(whom: Found, report: Report, *, actor: Actor, now: datetime) -> UnderageReport:
    """Stop everything at once: processing is restricted, log-ins are ended and closed. Raises `Refused`."""
    if not report.ground.strip():
        raise Refused("Say what the report rests on.")
    try:
        with enter_public(), transaction.atomic():
            made = UnderageReport.objects.create(
                schema_name=whom.schema_name,
                subject_kind=whom.subject.kind,
                subject_id=whom.subject.id,
                request=report.request,
                ground=report.ground.strip(),
                reported_by=actor.label[:254],
                reported_at=now,
            )
            _stop(made, actor=actor, now=now)
            made.save(update_fields=["shut_out", "along"])
            record(
                Action.UNDERAGE_REPORTED, subject=("underage report", made.pk), actor=actor, now=now,
                schema=whom.schema_name, kind=whom.subject.kind, of=whom.subject.id,
            )  # fmt: skip
    except IntegrityError:
        raise Refused("They are frozen already, and wait for a decision.") from None
    return made


def is_frozen(whom: Found) -> bool:
    """Tell whether a report stands that was not decided in their favour."""
    return freezing.is_frozen(whom.schema_name, whom.subject)


def decide(
    report_id: UUID, decision: UnderageReport.Decision, because: str, *, actor: Actor, now: datetime
) -> UnderageReport:
    """Have them erased, or let them go on. Raises `Refused`. Locks the report."""
    if not because.strip():
        raise Refused("Give the reason for the decision.")
    with enter_public(), transaction.atomic():
        report = UnderageReport.objects.select_for_update(of=("self",)).get(pk=report_id)
        if report.decided_at is not None:
            raise Refused("This was decided already.")
        report.decision, report.decided_at = decision, now
        report.decided_by, report.decided_because = actor.label[:254], because.strip()[:500]
        report.save(update_fields=["decision", "decided_at", "decided_by", "decided_because"])
        if decision == Decision.ERASE:
            whom = found_of(report)
            with inside(whom.schema_name):
                _check_can_be_erased(whom.subject)
            enqueue("privacy.erase_child", report_id=str(report.pk))
        else:
            _release(report, actor=actor, now=now)
        record(
            Action.UNDERAGE_DECIDED, subject=("underage report", report.pk), actor=actor, now=now,
            decision=decision, because=report.decided_because,
        )  # fmt: skip
    return report


def erase(report_id: UUID, *, now: datetime) -> None:
    """Erase whom a person's decision names, and what is nobody else's; once. Talks to the world.

    Raises `Refused` while something stands in the way: they stay frozen, and it is tried again each day.
    """
    with enter_public():
        report = UnderageReport.objects.get(pk=report_id)
    if report.decision != Decision.ERASE or report.erased_at is not None:
        return
    actor = Actor.system("under 16")
    whom = found_of(report)
    with inside(whom.schema_name):
        _check_can_be_erased(whom.subject)
        for each in _whole(whom.subject):
            if not erasing.is_erased(each):
                erasure = erasing.begin(each, because=Erasure.Because.CHILD, actor=actor, now=now)
                if not erasing.carry_out(erasure.pk, actor=actor, now=now):
                    raise Refused("Something stands in the way of erasing them.")
    with enter_public(), transaction.atomic():
        report.erased_at = now
        report.save(update_fields=["erased_at"])
        _release(report, actor=actor, now=now)
        record(Action.UNDERAGE_ERASED, subject=("underage report", report.pk), actor=actor, now=now)


def not_yet_erased(before: datetime) -> "QuerySet[UnderageReport]":
    """Return what was decided before this instant, and is not carried out. In the platform's schema."""
    decided = UnderageReport.objects.filter(decision=Decision.ERASE, erased_at__isnull=True)
    return decided.filter(decided_at__lt=before)


def take_up(*, now: datetime) -> int:
    """Try again to erase whoever should be erased and is not; once a day each, returns how many."""
    with enter_public(), transaction.atomic():
        late = [str(pk) for pk in not_yet_erased(now).values_list("pk", flat=True)]
        enqueue_many(
            [Asked("privacy.erase_child", {"report_id": pk}, key=f"child:{pk}:{now.date()}") for pk in late]
        )
    return len(late)


def found_of(report: UnderageReport) -> Found:
    """Whom a report is about."""
    return Found(report.schema_name, Subject(report.subject_kind, report.subject_id))


def _stop(report: UnderageReport, *, actor: Actor, now: datetime) -> None:
    """Restrict and shut out; note in the report who was shut out, and what went along."""
    whom, shut_before = found_of(report), _shut_by_others(report)
    with inside(whom.schema_name):
        if known(whom.subject) is None:
            raise Refused("There is nobody of that kind with that id.")
        subjects = _whole(whom.subject)
        before = [each for each in subjects if restricting.in_force(each) is not None]
        for each in subjects:
            if each not in before:
                restricting.restrict(each, reason=RESTRICTED_BECAUSE, actor=actor, now=now)
        people = freezing.people_of(subjects)
        shut = freezing.shut(people, actor=actor, now=now)
        report.shut_out = [each for each in people if each in shut or each in shut_before]
        report.along = [[each.kind, each.id] for each in subjects[:-1]]
        record(
            Action.UNDERAGE_FROZEN, subject=(whom.subject.kind, whom.subject.id), actor=actor, now=now,
            shut_out=shut, restricted_before=whom.subject in before, along=report.along,
        )  # fmt: skip


def _release(report: UnderageReport, *, actor: Actor, now: datetime) -> None:
    """Undo what the freeze did, as far as nobody is erased or frozen by another report.

    A restriction that stood before it stays.
    """
    whom = found_of(report)
    with inside(whom.schema_name):
        for each in [*(Subject(*pair) for pair in report.along), whom.subject]:
            standing = restricting.in_force(each)
            if standing is None or standing.reason != RESTRICTED_BECAUSE:
                continue
            if freezing.is_frozen(report.schema_name, each):
                continue
            restricting.lift(each, because="Not under 16", actor=actor, now=now)
    staying = _shut_by_others(report)
    with inside(whom.schema_name):
        going = [each for each in report.shut_out if each not in staying]
        freezing.let_in(going, actor=actor, now=now)
        if report.decision == Decision.FREE:
            record(
                Action.UNDERAGE_SET_FREE, subject=(whom.subject.kind, whom.subject.id), actor=actor, now=now
            )


def _shut_by_others(report: UnderageReport) -> set[str]:
    """Return the log-ins that other reports hold shut. In the platform's schema."""
    others = UnderageReport.objects.filter(schema_name=report.schema_name, erased_at__isnull=True)
    lists = others.exclude(decision=Decision.FREE).exclude(pk=report.pk).values_list("shut_out", flat=True)
    return {each for ids in lists for each in ids}


def _whole(subject: Subject) -> list[Subject]:
    """What is nobody else's first: the log-in goes with it."""
    return [*freezing.along_with(subject), subject]


def _check_can_be_erased(subject: Subject) -> None:
    for each in _whole(subject):
        for reason in erasing.in_the_way(each, Erasure.Because.CHILD):
            raise Refused(f"{reason} Until then they stay frozen.")
