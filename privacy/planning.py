"""What an erasure will do, before it does it: what goes, what is emptied, what stays, on which law, how long.

A reading of the inventory over the rows that there are. A plan names tables, fields and numbers, never a
value: it is kept after the erasure.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from django.db import DEFAULT_DB_ALIAS, router
from django.db.models import Model, Q, QuerySet

from privacy import closing, inventory, retention
from privacy.inventory import Data, Erasure, Holding, Retention
from privacy.periods import Period
from privacy.subjects import Subject

_included: dict[str, Callable[[Subject], Sequence[Subject]]] = {}


@dataclass(frozen=True, slots=True)
class Item:
    """Some fields of one table, all treated alike. `until` is the day on which what stays will go."""

    label: str
    what: str
    fields: tuple[str, ...]
    rows: int
    law: str = ""
    until: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """What becomes of all that is held about a subject and those that go with it."""

    goes: list[Item] = field(default_factory=list)
    emptied: list[Item] = field(default_factory=list)
    sealed: list[Item] = field(default_factory=list)
    stays: list[Item] = field(default_factory=list)
    # The platform's registers, which no workspace reads: what they hold of somebody stays, if they do.
    registers: list[Item] = field(default_factory=list)

    @property
    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @property
    def kept_fields(self) -> set[tuple[str, str]]:
        """Model and field of all that stays readable."""
        return {(item.label, name) for item in (*self.stays, *self.registers) for name in item.fields}


def includes(kind: str, find: Callable[[Subject], Sequence[Subject]]) -> None:
    """Register who is erased with a subject of this kind, such as the log-ins that act for it alone."""
    _included[kind] = find


def with_included(subject: Subject) -> list[Subject]:
    """Return the subject and those that are erased with it."""
    find = _included.get(subject.kind)
    return [subject, *(find(subject) if find else ())]


def rows_of(holding: Holding, subjects: Iterable[Subject]) -> "QuerySet[Any] | None":
    """Return the rows of this table about these subjects; None where none can be found here."""
    if not is_here(holding):
        return None
    wanted = Q()
    for subject in subjects:
        path = holding.path_of(subject.kind)
        if path is not None:
            wanted |= Q(**{path: subject.id})
    if not wanted:
        return None
    model: type[Model] = holding.model
    return model._base_manager.filter(wanted)


def ids_about(subjects: Sequence[Subject]) -> list[str]:
    """Return the ids of these people and of every row about them, those that stay too."""
    found = {subject.id for subject in subjects}
    for holding in inventory.holdings():
        rows = rows_of(holding, subjects)
        if rows is not None:
            found |= {str(pk) for pk in rows.values_list("pk", flat=True)}
    return sorted(found)


def is_here(holding: Holding) -> bool:
    """Tell whether the schema entered has this table."""
    meta = holding.model._meta
    return router.allow_migrate(DEFAULT_DB_ALIAS, meta.app_label, model_name=meta.model_name)


def plan(subject: Subject, *, now: datetime) -> Plan:
    """Return what erasing the subject now will do, in the schema entered."""
    subjects, made = with_included(subject), Plan(registers=registers(now=now))
    lists = {
        Erasure.ROW: made.goes, Erasure.BLANK: made.emptied, Erasure.SHREDDED: made.sealed,
        Erasure.KEPT: made.stays,
    }  # fmt: skip
    closed = closing.closing_of(subject) if subject.kind == closing.CUSTOMER else None
    since, periods = closed.closed_at if closed else now, retention.periods(now)
    for holding in inventory.holdings():
        rows = rows_of(holding, subjects)
        count = rows.count() if rows is not None else 0
        for treatment, law, rule, names in _alike(holding) if count else ():
            until = _until(periods[rule], rule, since=since, now=now) if treatment is Erasure.KEPT else ""
            fields = tuple(names)
            lists[treatment].append(Item(holding.label, holding.title, fields, count, law, until))
    return made


def registers(*, now: datetime) -> list[Item]:
    """Return what is kept where no workspace reads it: whether somebody is in there is not looked up."""
    periods = retention.periods(now)
    return [
        Item(
            holding.label, holding.title, tuple(names), 0, law,
            _until(periods[rule], rule, since=now, now=now),
        )
        for holding, law, rule, names in _registered()
    ]  # fmt: skip


def register_titles() -> list[str]:
    """Return what those registers are called."""
    return [*dict.fromkeys(holding.title for holding, *_ in _registered())]


def _registered() -> list[tuple[Holding, str, Retention, list[str]]]:
    return [
        (holding, law, rule, names)
        for holding in inventory.holdings()
        if holding.unfindable
        for treatment, law, rule, names in _alike(holding)
        if treatment is Erasure.KEPT
    ]


def in_words(item: dict[str, Any]) -> str:
    """Return the fields of an item of a kept plan, as people call them."""
    model = inventory.holding_of(item["label"]).model
    return ", ".join(str(model._meta.get_field(name).verbose_name) for name in item["fields"])  # type: ignore[union-attr]


def _alike(holding: Holding) -> Iterable[tuple[Erasure, str, Retention, list[str]]]:
    """Return the table's personal fields in groups that are treated alike."""
    groups: dict[tuple[Erasure, str, Retention], list[str]] = {}
    for name, data in holding.personal.items():
        groups.setdefault(_treatment(data), []).append(name)
    return [(*treatment, names) for treatment, names in groups.items()]


def _treatment(data: Data) -> tuple[Erasure, str, Retention]:
    if data.erasure is Erasure.KEPT:
        return data.erasure, data.law, data.retention
    return data.erasure, "", Retention.ACCOUNT


def _until(period: Period, rule: Retention, *, since: datetime, now: datetime) -> str:
    """Return the day on which what is kept by this rule goes, or in words when it does."""
    if period.days is None and period.years is None:
        return period.words
    began = since if rule in (Retention.BILLING, Retention.ACCOUNT) else now
    return period.over_at(began).date().isoformat()
