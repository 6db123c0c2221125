"""Shutting somebody out, and letting them in again: higher apps tell how, for each kind of subject.

With a person the accounts are frozen that nobody else owns.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Protocol

from django.db.models import Q

from audit.actors import Actor
from privacy.models import UnderageReport
from privacy.subjects import Subject
from tenants.context import enter_public


class Shut(Protocol):
    """Ends these log-ins of the schema entered; returns the ids of those that were open."""

    def __call__(self, ids: Sequence[str], *, actor: Actor, now: datetime) -> list[str]: ...


class LetIn(Protocol):
    """Lets those log-ins in again, but for whoever is erased."""

    def __call__(self, ids: Sequence[str], *, actor: Actor, now: datetime) -> None: ...


People = Callable[[str], Sequence[str]]
Along = Callable[[str], Sequence[Subject]]
_people: dict[str, People] = {}
_along: dict[str, Along] = {}
_doors: list[tuple[Shut, LetIn]] = []


def doors(*, shut: Shut, let_in: LetIn) -> None:
    """Register how log-ins are shut and opened."""
    _doors.append((shut, let_in))


def kind_logs_in(kind: str, people: People, along: Along = lambda _: ()) -> None:
    """Register the log-ins of a kind of subject, by their ids, and which subjects are nobody else's."""
    _people[kind], _along[kind] = people, along


def people_of(subjects: Sequence[Subject]) -> list[str]:
    """Return the ids of the log-ins of these subjects; a kind that never logs in has none."""
    found = [_people[each.kind](each.id) for each in subjects if each.kind in _people]
    return sorted({each for ids in found for each in ids})


def along_with(subject: Subject) -> list[Subject]:
    """Return the subjects of the schema entered that are nobody else's: frozen and erased with this one."""
    return list(_along[subject.kind](subject.id)) if subject.kind in _along else []


def is_frozen(schema_name: str, subject: Subject) -> bool:
    """Tell whether a report stands that was not decided in their favour: on them, or on whose they are."""
    free = UnderageReport.Decision.FREE
    mine = Q(subject_kind=subject.kind, subject_id=subject.id)
    theirs = Q(along__contains=[[subject.kind, subject.id]], erased_at__isnull=True)
    with enter_public():
        reports = UnderageReport.objects.filter(mine | theirs, schema_name=schema_name)
        return reports.exclude(decision=free).exists()


def shut(ids: Sequence[str], *, actor: Actor, now: datetime) -> list[str]:
    """Shut these log-ins of the schema entered; returns those that were open."""
    return [each for shut_out, _ in _doors for each in shut_out(ids, actor=actor, now=now)]


def let_in(ids: Sequence[str], *, actor: Actor, now: datetime) -> None:
    """Let those in again whom `shut` returned."""
    for _, let in _doors:
        let(ids, actor=actor, now=now)
