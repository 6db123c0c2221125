"""Replacing credentials after an incident: each app says which of its own can be replaced, and how.

A rotation runs inside one tenant (or, `on_platform`, in the shared schema), outside any transaction; it may
be run again. It returns what it did, in words for the register, and raises to be tried again later. What no
job has the rights for is replaced by a person: `ByHand` says how, and may notice by itself that it was done.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from audit.actors import Actor

Rotate = Callable[[Actor, datetime], str]


@dataclass(frozen=True, slots=True)
class Rotation:
    """One kind of credential: `title` is what people read."""

    name: str
    title: str
    run: Rotate
    on_platform: bool
    in_tenants: bool


@dataclass(frozen=True, slots=True)
class ByHand:
    """A credential of the platform that a person replaces: `how` tells them.

    `seen` returns, in words, that it was replaced since an instant, read in the shared schema; "" if not.
    """

    name: str
    title: str
    how: str
    seen: Callable[[datetime], str] | None = None


_by_hand: dict[str, ByHand] = {}
_rotations: dict[str, Rotation] = {}


def rotates(
    name: str, title: str, *, on_platform: bool = False, in_tenants: bool = True
) -> Callable[[Rotate], Rotate]:
    """Register the decorated function as the way to replace these credentials."""

    def register(run: Rotate) -> Rotate:
        if name in _rotations or name in _by_hand:
            raise ValueError(f"Two ways to rotate {name!r}.")
        _rotations[name] = Rotation(name, title, run, on_platform, in_tenants)
        return run

    return register


def replaced_by_hand(each: ByHand) -> None:
    """Register what a person replaces."""
    if each.name in _rotations or each.name in _by_hand:
        raise ValueError(f"Two ways to rotate {each.name!r}.")
    _by_hand[each.name] = each


def by_hand() -> Sequence[ByHand]:
    """Return all of that, in the order of registering."""
    return list(_by_hand.values())


def titles() -> dict[str, str]:
    """Return what people read for each name."""
    jobs = {each.name: each.title for each in _rotations.values()}
    return jobs | {each.name: each.title for each in _by_hand.values()}


def rotations() -> Sequence[Rotation]:
    """Return all of them, in the order of their names."""
    return [_rotations[name] for name in sorted(_rotations)]


def rotation_of(name: str) -> Rotation:
    """Return the one of this name; raises KeyError."""
    return _rotations[name]
