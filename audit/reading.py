"""Events as people may read them: what is sealed opened, what was erased marked so. The one way to read."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from audit.models import AuditEvent
from audit.persons import person_of, read, staff_of, use
from vault.subject_keys import Closed, open_many

ERASED = "(erased)"


@dataclass(frozen=True, slots=True)
class Opened:
    """An event with its personal parts; `erased` tells that some of them are gone for ever."""

    event: AuditEvent
    label: str
    ip: str
    user_agent: str
    behind: str
    details: dict[str, Any]
    erased: bool


def opened(events: Iterable[AuditEvent]) -> list[Opened]:
    """Open what is sealed of the events, with one query for all keys."""
    rows = list(events)
    closed = [each for event in rows for each in _closed(event)]
    texts = open_many([each for each in closed if each.blob])
    found = dict(zip((each.context for each in closed if each.blob), texts, strict=True))
    return [_opened(event, found) for event in rows]


def _closed(event: AuditEvent) -> Iterator[Closed]:
    """What is sealed of one event; an empty blob was kept of somebody who had been erased before."""
    if event.actor_sealed is not None:
        person = person_of(event.actor_kind, event.actor_id, event.at)
        yield Closed(person or ("", ""), bytes(event.actor_sealed), use(event.pk, "actor"))
    if event.behind_sealed is not None:
        yield Closed(staff_of(event.behind_id), bytes(event.behind_sealed), use(event.pk, "behind"))
    if event.details_sealed is not None:
        yield Closed(read(event.about), bytes(event.details_sealed), use(event.pk, "details"))


def _opened(event: AuditEvent, found: dict[str, bytes | None]) -> Opened:
    parts: dict[str, dict[str, Any] | None] = {}
    for part in ("actor", "behind", "details"):
        if getattr(event, f"{part}_sealed") is not None:
            text = found.get(use(event.pk, part))
            parts[part] = None if text is None else json.loads(text)
    actor, behind = parts.get("actor", {}), parts.get("behind", {})
    return Opened(
        event=event,
        label=ERASED if actor is None else actor.get("label", event.actor_label),
        ip="" if actor is None else actor.get("ip") or event.ip or "",
        user_agent="" if actor is None else actor.get("agent", event.user_agent),
        behind=ERASED if behind is None else behind.get("label", event.behind_label),
        details=_merged(event.details, parts.get("details", {})),
        erased=None in parts.values(),
    )


def _merged(plain: dict[str, Any], personal: dict[str, Any] | None) -> dict[str, Any]:
    """Put both halves of the details together again, what was before and after too."""
    if personal is None:
        return {**plain, "personal": ERASED}
    merged = {**plain, **personal}
    for side in ("before", "after"):
        if isinstance(plain.get(side), dict) and isinstance(personal.get(side), dict):
            merged[side] = {**plain[side], **personal[side]}
    return merged
