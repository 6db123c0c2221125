"""Whose data it is: subjects, known by kind and id; higher apps tell how to write to each kind."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Subject:
    """Whom data is about: `kind` is customer, user, prospect …, `id` that of its row, as text."""

    kind: str
    id: str

    def __str__(self) -> str:
        return f"{self.kind} {self.id}"


@dataclass(frozen=True, slots=True)
class Known:
    """What is on file about how to reach a subject; both empty once it is erased."""

    name: str
    email: str
    country: str = ""


_kinds: dict[str, Callable[[str], Known | None]] = {}
_finders: dict[str, Callable[[str], list[Subject]]] = {}


def subject_kind(
    kind: str, *, known: Callable[[str], Known | None], find: Callable[[str], list[Subject]]
) -> None:
    """Register a kind: `known` reads what is on file by id (None: no row), `find` looks up an address."""
    _kinds[kind], _finders[kind] = known, find


def known(subject: Subject) -> Known | None:
    """Return how to reach the subject in the schema entered; None: no such one. KeyError: no such kind."""
    return _kinds[subject.kind](subject.id)


def find(email: str) -> list[Subject]:
    """Return every subject of the schema entered with this address on file."""
    return [subject for finder in _finders.values() for subject in finder(email)]
