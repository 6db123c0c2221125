"""Shutting somebody out, and letting them in again: higher apps tell how, for each kind of subject."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from audit.actors import Actor


class Shut(Protocol):
    """Ends the log-ins of a subject of the schema entered; returns the ids of the log-ins it shut out."""

    def __call__(self, subject_id: str, *, actor: Actor, now: datetime) -> list[str]: ...


class LetIn(Protocol):
    """Lets those log-ins in again that `Shut` returned."""

    def __call__(self, ids: Sequence[str], *, actor: Actor, now: datetime) -> None: ...


@dataclass(frozen=True, slots=True)
class _Doors:
    shut: Shut
    let_in: LetIn


_doors: dict[str, _Doors] = {}


def doors(kind: str, *, shut: Shut, let_in: LetIn) -> None:
    """Register how a kind of subject is shut out and let in."""
    _doors[kind] = _Doors(shut, let_in)


def shut(kind: str, subject_id: str, *, actor: Actor, now: datetime) -> list[str]:
    """Shut a subject of the schema entered out; a kind that never logs in has nothing to shut."""
    return _doors[kind].shut(subject_id, actor=actor, now=now) if kind in _doors else []


def let_in(kind: str, ids: Sequence[str], *, actor: Actor, now: datetime) -> None:
    """Let those in again whom `shut` returned."""
    if kind in _doors:
        _doors[kind].let_in(ids, actor=actor, now=now)
