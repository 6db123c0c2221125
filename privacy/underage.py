"""Nobody under 16: who is said to be one is frozen at once, then erased or set free by a person's decision.

A message alone freezes nobody, or anybody could shut out anybody: staff do, in the admin, at once.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from django.db import IntegrityError, transaction

from audit.actions import Action
from audit.actors import Actor
from audit.recording import record
from privacy import erasing, freezing
from privacy.errors import Refused
from privacy.finding import Found, inside
from privacy.holds import is_held
from privacy.models import DataRequest, Erasure, Restriction, UnderageReport
from privacy.subjects import Subject, known
from tenants.context import enter_public
from tenants.jobs import enqueue

RESTRICTED_BECAUSE: Final = "Said to be under 16"
Decision = UnderageReport.Decision
Eraser = Callable[..., None]


@dataclass(frozen=True, slots=True)
class Report:
    """What it rests on: in words, and the request by which it came, if one."""

    ground: str
    request: DataRequest | None = None


def _erase(subject: Subject, *, actor: Actor, now: datetime) -> None:
    """Erase the subject of the schema entered, now. Talks to the world: no transaction may be open."""
    erasure = erasing.begin(subject, because=Erasure.Because.CHILD, actor=actor, now=now)
    if not erasing.carry_out(erasure.pk, actor=actor, now=now):
        raise Refused("Something stands in the way of erasing them. They stay frozen; it is tried again.")


_erasers: list[Eraser] = [_erase]


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
            made.shut_out = _stop(whom, actor=actor, now=now)
            made.save(update_fields=["shut_out"])
            record(
                Action.UNDERAGE_REPORTED, subject=("underage report", made.pk), actor=actor, now=now,
                schema=whom.schema_name, kind=whom.subject.kind, of=whom.subject.id,
            )  # fmt: skip
    except IntegrityError:
        raise Refused("They are frozen already, and wait for a decision.") from None
    return made


def is_frozen(whom: Found) -> bool:
    """Tell whether a report stands that was not decided in their favour."""
    with enter_public():
        reports = UnderageReport.objects.filter(
            schema_name=whom.schema_name, subject_kind=whom.subject.kind, subject_id=whom.subject.id
        )
        return reports.exclude(decision=Decision.FREE).exists()


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
            _check_can_be_erased(found_of(report))
            enqueue("privacy.erase_child", report_id=str(report.pk))
        else:
            _set_free(report, actor=actor, now=now)
        record(
            Action.UNDERAGE_DECIDED, subject=("underage report", report.pk), actor=actor, now=now,
            decision=decision, because=report.decided_because,
        )  # fmt: skip
    return report


def erase(report_id: UUID, *, now: datetime) -> None:
    """Erase whom a person's decision names; once."""
    with enter_public():
        report = UnderageReport.objects.get(pk=report_id)
    if report.decision != Decision.ERASE or report.erased_at is not None:
        return
    actor = Actor.system("under 16")
    whom = found_of(report)
    _check_can_be_erased(whom)
    with inside(whom.schema_name):
        _erasers[0](whom.subject, actor=actor, now=now)
    with enter_public(), transaction.atomic():
        report.erased_at = now
        report.save(update_fields=["erased_at"])
        record(Action.UNDERAGE_ERASED, subject=("underage report", report.pk), actor=actor, now=now)


def found_of(report: UnderageReport) -> Found:
    """Whom a report is about."""
    return Found(report.schema_name, Subject(report.subject_kind, report.subject_id))


def _stop(whom: Found, *, actor: Actor, now: datetime) -> list[str]:
    with inside(whom.schema_name):
        if known(whom.subject) is None:
            raise Refused("There is nobody of that kind with that id.")
        mine = {"subject_kind": whom.subject.kind, "subject_id": whom.subject.id}
        _, made = Restriction.objects.get_or_create(
            **mine, lifted_at=None, defaults={"reason": RESTRICTED_BECAUSE, "asked_at": now}
        )
        shut = freezing.shut(whom.subject.kind, whom.subject.id, actor=actor, now=now)
        record(
            Action.UNDERAGE_FROZEN, subject=(whom.subject.kind, whom.subject.id), actor=actor, now=now,
            shut_out=shut, restricted_before=not made,
        )  # fmt: skip
    return shut


def _set_free(report: UnderageReport, *, actor: Actor, now: datetime) -> None:
    """Undo what the freeze did; a restriction that stood before it stays."""
    with inside(report.schema_name):
        standing = Restriction.objects.filter(
            subject_kind=report.subject_kind,
            subject_id=report.subject_id,
            lifted_at__isnull=True,
            reason=RESTRICTED_BECAUSE,
        )
        standing.update(lifted_at=now, lifted_because="Not under 16")
        freezing.let_in(report.subject_kind, report.shut_out, actor=actor, now=now)
        record(
            Action.UNDERAGE_SET_FREE, subject=(report.subject_kind, report.subject_id), actor=actor, now=now
        )


def _check_can_be_erased(whom: Found) -> None:
    with inside(whom.schema_name):
        if is_held(whom.subject):
            raise Refused("A legal hold stands on them. Lift it first; until then they stay frozen.")
