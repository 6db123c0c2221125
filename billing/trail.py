"""The audit record as people read it: lists, one thing's history, before and after. Reads only."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q

from audit.actions import Action
from audit.models import AuditEvent
from audit.reading import Opened, opened
from billing.formats import format_money
from billing.money import EXPONENTS, Money
from billing.paging import Order, Place, Slice, read

NEWEST = Order("seq", descending=True, tie="seq")
HISTORY = 50
AMOUNTS = frozenset({"amount", "total", "tax", "subtotal", "amount_paid", "fee", "setup_fee"})
GOOD = ("paid", "succeeded", "recorded", "accepted", "connected", "finished")
BAD = ("failed", "voided", "opened", "parked", "disconnected", "removed", "cancelled")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the log is narrowed to; empty fields narrow nothing. `kind` is a kind of actor or subject."""

    action: str = ""
    actor: str = ""
    subject_kind: str = ""
    subject_id: str = ""
    start: datetime | None = None
    end: datetime | None = None


@dataclass(frozen=True, slots=True)
class Difference:
    """One field of an event's details."""

    name: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Entry:
    """An event in words; `by` is who acted, `behind` who of the platform stood behind."""

    event: AuditEvent
    by: str
    behind: str
    ip: str
    words: str
    tone: str
    changes: list[Difference]
    facts: list[tuple[str, str]]


def events(wanted: Wanted, place: Place) -> Slice[Entry]:
    """The record, the last event first."""
    rows = AuditEvent.objects.defer("prev_hash", "hash").filter(_narrowed(wanted))
    page = read(rows, NEWEST, place)
    return Slice(_entries(page.rows), page.previous, page.next)


def history(kind: str, subject_id: object) -> list[Entry]:
    """What happened to one thing, the last first."""
    rows = AuditEvent.objects.filter(subject_kind=kind, subject_id=str(subject_id))
    return _entries(rows.order_by("-seq")[:HISTORY])


def history_of(subjects: Mapping[str, list[object]]) -> list[Entry]:
    """What happened to several things, by kind, together; the last first."""
    wanted = Q(pk__in=[])
    for kind, ids in subjects.items():
        wanted |= Q(subject_kind=kind, subject_id__in=[str(each) for each in ids])
    return _entries(AuditEvent.objects.filter(wanted).order_by("-seq")[:HISTORY])


def all_events(wanted: Wanted) -> Iterator[Opened]:
    """The record, the first event first, opened by the thousand; for an export."""
    last = 0
    while rows := list(AuditEvent.objects.filter(_narrowed(wanted), seq__gt=last).order_by("seq")[:1000]):
        yield from opened(rows)
        last = rows[-1].seq


def count(wanted: Wanted, *, most: int) -> int:
    """How many events there are, counted up to `most` and one."""
    return AuditEvent.objects.filter(_narrowed(wanted)).order_by()[: most + 1].count()


def words_of(action: str) -> str:
    """`invoice.draft_changed` as `Invoice draft changed`."""
    return action.replace(".", " ").replace("_", " ").capitalize()


def action_choices() -> list[tuple[str, str]]:
    return [(action.value, words_of(action.value)) for action in Action]


def _narrowed(wanted: Wanted) -> Q:
    narrowed = Q()
    if wanted.action:
        narrowed &= Q(action=wanted.action)
    if wanted.actor:
        narrowed &= Q(actor_id=wanted.actor) | Q(actor_kind=wanted.actor)
    if wanted.subject_kind:
        narrowed &= Q(subject_kind=wanted.subject_kind)
    if wanted.subject_id:
        narrowed &= Q(subject_id=wanted.subject_id)
    if wanted.start:
        narrowed &= Q(at__gte=wanted.start)
    if wanted.end:
        narrowed &= Q(at__lt=wanted.end)
    return narrowed


def _entries(events: Iterable[AuditEvent]) -> list[Entry]:
    return [_entry(each) for each in opened(events)]


def _entry(found: Opened) -> Entry:
    event, details = found.event, dict(found.details)
    before, after = details.pop("before", None) or {}, details.pop("after", None) or {}
    currency = str(after.get("currency") or before.get("currency") or details.get("currency") or "")
    changes = [
        Difference(_name(key), _value(key, before.get(key), currency), _value(key, after.get(key), currency))
        for key in dict.fromkeys([*before, *after])
        if before.get(key) != after.get(key)
    ]
    facts = [(_name(key), _value(key, value, currency)) for key, value in details.items()]
    by = found.label or event.actor_kind
    words = words_of(event.action)
    return Entry(event, by, found.behind, found.ip, words, _tone(event.action), changes, facts)


def _value(key: str, value: object, currency: str) -> str:
    """A value in words; an amount beside a currency as money."""
    if key in AMOUNTS and type(value) is int and currency in EXPONENTS:
        return format_money(Money(value, currency), "en")
    return _said(value)


def _name(key: str) -> str:
    return key.replace("_", " ").capitalize()


def _said(value: object) -> str:
    match value:
        case None | "" | [] | {}:
            return ""
        case bool():
            return "yes" if value else "no"
        case dict():
            return ", ".join(f"{key} {_said(each)}" for key, each in value.items())
        case list():
            return ", ".join(_said(each) for each in value)
        case _:
            return str(value)[:300]


def _tone(action: str) -> str:
    verb = action.rpartition(".")[2]
    return "good" if verb.endswith(GOOD) and not verb.endswith(BAD) else "bad" if verb.endswith(BAD) else ""
