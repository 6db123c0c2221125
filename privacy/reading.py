"""Special readings of the inventory: whose audit events are whose, and values sealed under a person's key."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from django.db.models import Model, Q

from audit.models import AuditEvent
from audit.reading import opened
from privacy.models import Consent, ConsentText
from privacy.subjects import Subject

Row = Mapping[str, Any]
# Opens one column of many rows at once; None where the key is destroyed.
Opener = Callable[[Sequence[Row]], Sequence[Any]]

AUDIT: Final = AuditEvent._meta.label
TEXTS: Final = ConsentText._meta.label
# What an event says of whoever acted, and of what it is about.
_OF_ACTOR: Final = frozenset({"actor_id", "actor_label", "ip", "user_agent", "behind_id", "behind_label"})
_OF_SUBJECT: Final = frozenset({"details"})

_openers: dict[tuple[str, str], tuple[Opener, str]] = {}


def opens(label: str, column: str, opener: Opener, *, sql_type: str = "jsonb") -> None:
    """Register what opens a column that holds sealed values, and the SQL type of what it then gives."""
    _openers[label, column] = opener, sql_type


def opener_of(label: str, column: str) -> Opener | None:
    """Return what opens this column, if it is sealed."""
    found = _openers.get((label, column))
    return None if found is None else found[0]


def type_opened(label: str, column: str) -> str | None:
    """Return the SQL type of what is opened, if the column is sealed."""
    found = _openers.get((label, column))
    return None if found is None else found[1]


def _of_event(part: str) -> Opener:
    """What an event says in one of its personal parts, which may be sealed (`audit.reading`)."""

    def read(rows: Sequence[Row]) -> Sequence[Any]:
        events = AuditEvent.objects.in_bulk([row["id"] for row in rows])
        return [getattr(each, part) or None for each in opened(events[row["id"]] for row in rows)]

    return read


def has_own_filter(model: type[Model]) -> bool:
    """Tell whether rows of this model are found in another way than by a lookup of the inventory."""
    return model._meta.label in {AUDIT, TEXTS}


def filter_of(model: type[Model], subject: Subject) -> Q:
    """Audit events that the person took, or that are about the subject; the texts that it was shown."""
    if model._meta.label == TEXTS:
        chosen = Consent.objects.filter(subject_kind=subject.kind, subject_id=subject.id)
        return Q(pk__in=chosen.values("text_id"))
    about = Q(subject_kind=subject.kind, subject_id=subject.id)
    return about | Q(actor_id=subject.id) if subject.kind == "user" else about


def hidden_of_event(row: Row, subject: Subject) -> frozenset[str]:
    """What of an event tells of somebody else: who acted, if another; its details, if about another."""
    hidden: frozenset[str] = frozenset()
    if str(row["actor_id"]) != subject.id and row["actor_kind"] == "user":
        hidden |= _OF_ACTOR
    if (row["subject_kind"], str(row["subject_id"])) != (subject.kind, subject.id):
        hidden |= _OF_SUBJECT
    return hidden


for _column, _part, _type in (
    ("details", "details", "jsonb"),
    ("actor_label", "label", "text"),
    ("ip", "ip", "text"),
    ("user_agent", "user_agent", "text"),
    ("behind_label", "behind", "text"),
):
    opens(AUDIT, _column, _of_event(_part), sql_type=_type)
