"""Who was affected by an incident: read from the inventory, narrowed by the audit log where that can tell.

Kinds of people are registered by whoever holds them: where they are, in which model, and at which address.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import DEFAULT_DB_ALIAS, router

from audit.models import AuditEvent
from privacy import inventory
from tenants.context import in_public


@dataclass(frozen=True, slots=True)
class Kind:
    """People that an incident can reach: rows of the model that the holding `label` declares.

    `addresses` gives them as rows of (pk, address); `why` tells them why they are written to.
    """

    name: str
    title: str
    label: str
    addresses: Callable[[], Any]
    why: str
    in_tenants: bool = True
    on_platform: bool = False


_kinds: dict[str, Kind] = {}


def reaches(kind: Kind) -> None:
    """Register a kind of people."""
    _kinds[kind.name] = kind


def kinds() -> Sequence[Kind]:
    """Return all of them; whoever is of several is told as the first."""
    return list(_kinds.values())


def kind_called(name: str) -> Kind:
    """Return the one of this name; raises KeyError."""
    return _kinds[name]


@dataclass(frozen=True, slots=True)
class Reach:
    """How far it went: everybody of these tenants, or whom the acts of one actor, or of a time, concern."""

    schemas: tuple[str, ...]
    kinds: tuple[str, ...] = ()  # empty: all
    categories: tuple[str, ...] = ()  # empty: all that is held about them
    actor_id: str = ""
    since: datetime | None = None
    until: datetime | None = None

    @property
    def narrowed(self) -> bool:
        return bool(self.actor_id or self.since or self.until)


@dataclass(slots=True)
class Affected:
    """Of one schema: the ids of those affected by kind, the categories of their data, and how many rows."""

    ids: dict[str, list[str]] = field(default_factory=dict)
    categories: dict[str, list[str]] = field(default_factory=dict)
    rows: dict[str, int] = field(default_factory=dict)


def affected(reach: Reach) -> Affected:
    """Return who of the schema entered was affected."""
    touched = _touched(reach) if reach.narrowed else None
    found = Affected()
    for kind in _wanted(reach):
        ids = _everybody(kind) if touched is None else sorted(touched[kind])
        if not ids:
            continue
        holdings = [each for each in _about(kind) if _concerned(each, reach.categories)]
        holdings = [each for each in holdings if is_here(each)]
        found.ids[kind] = ids
        found.categories[kind] = sorted(
            {
                data.category.value
                for each in holdings
                for data in each.personal.values()
                if not reach.categories or data.category.value in reach.categories
            }
        )
        found.rows[kind] = sum(_rows(each, kind, None if touched is None else ids) for each in holdings)
    return found


def is_here(holding: inventory.Holding) -> bool:
    """Tell whether the schema entered has this model's table."""
    return router.allow_migrate_model(DEFAULT_DB_ALIAS, holding.model)


def _wanted(reach: Reach) -> list[str]:
    """The kinds asked for that the schema entered has."""
    here = [each.name for each in kinds() if (each.on_platform if in_public() else each.in_tenants)]
    return [name for name in here if not reach.kinds or name in reach.kinds]


def _about(kind: str) -> list[inventory.Holding]:
    """What is held about people of this kind: by the inventory, or the one row that they are."""
    own = [each for each in inventory.holdings() if each.label == kind_called(kind).label]
    return list(inventory.about(kind)) or own


def _everybody(kind: str) -> list[str]:
    return [str(pk) for pk, _ in kind_called(kind).addresses()]


def _concerned(holding: inventory.Holding, categories: Iterable[str]) -> bool:
    wanted = set(categories)
    return not wanted or any(data.category.value in wanted for data in holding.personal.values())


def _rows(holding: inventory.Holding, kind: str, ids: list[str] | None) -> int:
    rows = holding.model._default_manager.all()
    path = holding.path_of(kind) or "pk"
    if ids is not None:
        rows = rows.filter(**{f"{path}__in": ids})
    return rows.count()


def _touched(reach: Reach) -> Mapping[str, set[str]]:
    """The subjects that the events concern: named themselves, or through what is theirs."""
    events = AuditEvent.objects.all()
    if reach.actor_id:
        events = events.filter(actor_id=reach.actor_id)
    if reach.since:
        events = events.filter(at__gte=reach.since)
    if reach.until:
        events = events.filter(at__lte=reach.until)
    by_kind: dict[str, set[str]] = defaultdict(set)
    for subject_kind, subject_id in events.values_list("subject_kind", "subject_id").distinct():
        by_kind[subject_kind].add(subject_id)
    found: dict[str, set[str]] = {kind: set() for kind in _wanted(reach)}
    for subject_kind, ids in by_kind.items():
        for kind in found:
            found[kind] |= _subjects_of(subject_kind, ids, kind)
    return found


def _subjects_of(subject_kind: str, ids: set[str], kind: str) -> set[str]:
    """Whom rows of this kind of audit subject are about, e.g. the customers of these invoices."""
    holding = _holding_called(subject_kind)
    path = holding.path_of(kind) if holding else None
    if holding is not None and holding.label == kind_called(kind).label:
        path = "pk"
    if holding is None or path is None or not is_here(holding):
        return set()
    of: Any = holding.model._default_manager.filter(pk__in=ids)
    return {str(value) for value in of.values_list(path, flat=True) if value is not None}


def _holding_called(subject_kind: str) -> inventory.Holding | None:
    name = subject_kind.replace("_", "")
    for holding in inventory.holdings():
        if holding.label.rpartition(".")[2].lower() == name:
            return holding
    return None
