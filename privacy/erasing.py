"""Erasing a person: planned, confirmed, then carried out step by step, each of them once.

First what lies outside the database (apps above register it with `also`), the mail that says what is kept,
and what waits in queues; in the end, in one transaction, the rows, the fields and the keys. Killed anywhere,
it is taken up after the last step that was done. What it did is kept without a value that it erased.
"""

import logging
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.db import transaction

from audit.actions import Action
from audit.actors import Actor
from audit.recording import record
from privacy import closing, holds, inventory, planning
from privacy.errors import Refused
from privacy.inventory import Erasure as Treatment
from privacy.inventory import Holding
from privacy.models import Erasure
from privacy.planning import rows_of, with_included
from privacy.subjects import Subject
from tenants.jobs import enqueue
from vault import subject_keys
from vault.models import SubjectKey

log = logging.getLogger(__name__)

Because = Erasure.Because
Obstacle = Callable[[Subject, Because], list[str]]
Step = Callable[[Sequence[Subject], datetime], int]
NOBODY = timedelta()
HELD: Final = "This data is needed in a legal matter and must not be deleted until that is over."

_steps: dict[str, Step] = {}
_within: list[Callable[[Sequence[Subject], datetime], dict[str, int]]] = []
_obstacles: list[Obstacle] = []


def also(name: str) -> Callable[[Step], Step]:
    """Register a step that reaches outside of the database: it may be done twice and returns how much it did.

    No transaction is open around it. Steps are done in the order in which they were registered.
    """

    def register(step: Step) -> Step:
        _steps[name] = step
        return step

    return register


def within(
    clean: Callable[[Sequence[Subject], datetime], dict[str, int]],
) -> Callable[[Sequence[Subject], datetime], dict[str, int]]:
    """Register what is found by a person's values, before these go; called in that transaction."""
    _within.append(clean)
    return clean


def obstacle(find: Obstacle) -> Obstacle:
    """Register what stands in the way of erasing a subject for this cause: sentences for whoever asks."""
    _obstacles.append(find)
    return find


def in_the_way(subject: Subject, because: Because = Because.ASKED) -> list[str]:
    """Return why the subject cannot be erased now; nothing when it can."""
    if _is_held(with_included(subject)):
        return [HELD]
    return [text for find in _obstacles for text in find(subject, because)]


def begin(subject: Subject, *, because: Because, actor: Actor, now: datetime) -> Erasure:
    """Write the plan down and have it carried out; a customer's account is closed with it.

    One that is under way already is returned as it is. Raises `Refused` while something stands in the way.
    """
    with transaction.atomic():
        running = _open(subject)
        if running is not None:
            return running
        for reason in in_the_way(subject, because):
            raise Refused(reason)
        if subject.kind == closing.CUSTOMER and closing.closing_of(subject) is None:
            closing.close(subject, actor=actor, now=now, grace=NOBODY)
        erasure = Erasure.objects.create(
            subject_kind=subject.kind,
            subject_id=subject.id,
            because=because,
            asked_at=now,
            plan=planning.plan(subject, now=now).as_json,
        )
        subject_of = (subject.kind, subject.id)
        record(Action.ERASURE_ASKED, subject=subject_of, actor=actor, now=now, because=because.value)
        enqueue("privacy.erase", erasure_id=str(erasure.pk))
    return erasure


def carry_out(erasure_id: UUID, *, actor: Actor, now: datetime) -> bool:
    """Do what is left of the erasure; returns whether it is done. It waits while something is in the way."""
    erasure = Erasure.objects.get(pk=erasure_id)
    if erasure.done_at is not None:
        return True
    subject = Subject(erasure.subject_kind, erasure.subject_id)
    waiting = in_the_way(subject, Because(erasure.because))
    if waiting:
        log.warning("erasure %s waits: something stands in the way", erasure.pk)
        return False
    subjects = with_included(subject)
    for name, step in _steps.items():
        if name not in erasure.steps:
            _do(erasure, name, step(subjects, now))
    with transaction.atomic():
        locked = Erasure.objects.select_for_update().get(pk=erasure.pk)
        if locked.done_at is None:
            _finish(locked, subject, actor=actor, now=now)
    return True


def pending() -> list[UUID]:
    """Return the erasures that are not done, in the schema entered."""
    return list(
        Erasure.objects.filter(done_at__isnull=True).order_by("asked_at").values_list("pk", flat=True)
    )


def subjects_under_way() -> set[Subject]:
    """Return who is being erased in the schema entered."""
    rows = Erasure.objects.filter(done_at__isnull=True)
    return {Subject(*pair) for pair in rows.values_list("subject_kind", "subject_id")}


def is_erased(subject: Subject) -> bool:
    """Tell whether the subject has been erased, by itself or with another, in the schema entered."""
    rows = Erasure.objects.filter(subject_kind=subject.kind, subject_id=subject.id, done_at__isnull=False)
    return rows.exists() or subject_keys.is_destroyed(subject.kind, subject.id)


def is_under_way(subject: Subject) -> bool:
    """Tell whether the subject is being erased."""
    return _open(subject) is not None


def _is_held(subjects: Sequence[Subject]) -> bool:
    """Whether a hold stands on them, on their workspace, or on somebody whom rows that would go are about."""
    if holds.is_workspace_held():
        return True
    if not holds.any_stands():
        return False
    if any(holds.is_held(each) for each in subjects):
        return True
    going = (rows_of(each, subjects) for each in _that(Treatment.ROW, Treatment.BLANK))
    return any(holds.any_held(rows) for rows in going if rows is not None)


def _open(subject: Subject) -> Erasure | None:
    rows = Erasure.objects.filter(subject_kind=subject.kind, subject_id=subject.id, done_at__isnull=True)
    return rows.first()


def _do(erasure: Erasure, name: str, count: int) -> None:
    erasure.steps = [*erasure.steps, name]
    erasure.report = {**erasure.report, name: count}
    erasure.save(update_fields=["steps", "report"])


def _finish(erasure: Erasure, subject: Subject, *, actor: Actor, now: datetime) -> None:
    """Let rows, fields and keys go, all or nothing, and say so in the record and in the log of erasures."""
    subjects, report = with_included(subject), dict(erasure.report)
    for reason in in_the_way(subject, Because(erasure.because)):
        raise Refused(reason)
    for clean in _within:
        report |= clean(subjects, now)
    keys = _keys_of(subjects)
    report |= _empty_fields(subjects)
    report |= _delete_rows(subjects)
    for kind, subject_id in keys:
        subject_keys.destroy(kind, subject_id, now=now)
    report["keys"] = len(keys)
    if subject.kind == closing.CUSTOMER:
        closing.conclude(subject, actor=actor, now=now)
    erasure.report, erasure.done_at = report, now
    erasure.save(update_fields=["report", "done_at"])
    gone: dict[str, Any] = {"also": [f"{each.kind} {each.id}" for each in subjects[1:]]}
    record(Action.ERASURE_DONE, subject=(subject.kind, subject.id), actor=actor, now=now, **gone)
    for each in subjects:
        enqueue("privacy.log_erasure", kind=each.kind, subject_id=each.id, at=now.isoformat())


def _keys_of(subjects: Sequence[Subject]) -> list[tuple[str, str]]:
    """Return the keys to destroy: these people's, and those of rows about them, such as their invitations."""
    ids = planning.ids_about(subjects)
    theirs = SubjectKey.objects.filter(subject_id__in=ids, destroyed_at__isnull=True)
    found = set(theirs.values_list("kind", "subject_id"))
    return sorted(found | {(each.kind, each.id) for each in subjects})


def _delete_rows(subjects: Sequence[Subject]) -> dict[str, int]:
    """Delete the rows that go whole, those that point at others first."""
    gone: dict[str, int] = {}
    for holding in _pointing_first(_that(Treatment.ROW)):
        rows = rows_of(holding, subjects)
        if rows is not None:
            count, _ = rows.delete()
            gone[holding.model._meta.db_table] = count
    return gone


def _empty_fields(subjects: Sequence[Subject]) -> dict[str, int]:
    """Empty the fields that go, row by row: what stands there instead may name its row."""
    emptied: dict[str, int] = {}
    for holding in _that(Treatment.BLANK):
        names = [name for name, data in holding.personal.items() if data.erasure is Treatment.BLANK]
        rows = rows_of(holding, subjects)
        for row in rows.iterator() if rows is not None else ():
            for name in names:
                setattr(row, name, _instead(holding, name, row))
            row.save(update_fields=names)
            table = holding.model._meta.db_table
            emptied[table] = emptied.get(table, 0) + 1
    return emptied


def _instead(holding: Holding, name: str, row: Any) -> Any:
    if name in holding.instead:
        return holding.instead[name](row)
    field = holding.model._meta.get_field(name)
    return None if field.null else field.get_default() if field.has_default() else ""  # type: ignore[union-attr]


def _that(*treatments: Treatment) -> list[Holding]:
    return [
        each
        for each in inventory.holdings()
        if any(data.erasure in treatments for data in each.personal.values())
    ]


def _pointing_first(several: list[Holding]) -> list[Holding]:
    """Return the tables so that each comes before those that its foreign keys point at."""
    waiting, ordered = {each.model: each for each in several}, []
    while waiting:
        targets = {
            field.related_model
            for model in waiting
            for field in model._meta.concrete_fields
            if field.remote_field and field.related_model is not model
        }
        free = [model for model in waiting if model not in targets] or list(waiting)
        ordered += [waiting.pop(model) for model in free]
    return ordered
