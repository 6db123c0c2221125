"""Two threads of a web process that take work off its requests: writing events down, and telling workers.

Events that come at the same moment are written in one statement and one commit, so that a burst costs the
database little; each request waits until its own event is safe.
"""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar
from uuid import UUID

from django.db import connection

from tenants.jobs import publish

PATIENCE_SECONDS = 20
IDLE_SECONDS = 1
LINGER_SECONDS = 0.03  # not money

T = TypeVar("T")


class _Thread(Generic[T]):
    """Gathers what is put in while it works or lingers, and then works on all of it at once."""

    def __init__(
        self,
        name: str,
        work: Callable[[list[T]], None],
        *,
        linger: float = 0,  # not money
        rest: Callable[[], None] = lambda: None,
    ) -> None:
        self._name = name
        self._work = work
        self._linger = linger
        self._rest = rest
        self._waiting: list[T] = []
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._thread: threading.Thread | None = None

    def put(self, items: Sequence[T]) -> None:
        with self._lock:
            self._waiting += items
            # Started on first use, and again in a process that was forked.
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
                self._thread.start()
        self._wake.set()

    def _run(self) -> None:
        while True:
            if not self._wake.wait(IDLE_SECONDS):
                self._rest()
                self._wake.wait()
            if self._linger:
                time.sleep(self._linger)
            self._wake.clear()
            with self._lock:
                items, self._waiting = self._waiting, []
            if items:
                self._work(items)


def _locked() -> threading.Lock:
    lock = threading.Lock()
    lock.acquire()
    return lock


@dataclass(slots=True)
class _Letter(Generic[T]):
    """One request's part: what to write, and what became of it. `done` is released when it is written."""

    content: T
    done: threading.Lock = field(default_factory=_locked)
    is_new: bool = False
    error: BaseException | None = None


class Letterbox(Generic[T]):
    """Writes what several requests bring at once. `write` says of each whether it was new."""

    def __init__(self, write: Callable[[list[T]], list[bool]]) -> None:
        self._write = write
        # The connection stays in its tenant during a burst, and goes back to the pool after it.
        self._thread: _Thread[_Letter[T]] = _Thread("letterbox", self._empty, rest=lambda: connection.close())

    def post(self, content: T) -> bool:
        """Wait until the content is committed; raises what writing it raised."""
        letter = _Letter(content)
        self._thread.put([letter])
        if not letter.done.acquire(timeout=PATIENCE_SECONDS):
            raise TimeoutError("The event could not be written in time.")
        if letter.error is not None:
            raise letter.error
        return letter.is_new

    def _empty(self, letters: list[_Letter[T]]) -> None:
        try:
            for letter, is_new in zip(letters, self._write([each.content for each in letters]), strict=True):
                letter.is_new = is_new
        except Exception as error:  # each of the requests answers for it
            connection.close()
            for letter in letters:
                letter.error = error
        finally:
            for letter in letters:
                letter.done.release()


# What is not told, because the process dies or the broker is away, is swept up like any other job.
_announcer: _Thread[UUID] = _Thread("announcer", publish, linger=LINGER_SECONDS)


def announce(jobs: Sequence[UUID]) -> None:
    """Tell the workers of these jobs, several in one message, without waiting for the broker."""
    if jobs:
        _announcer.put(jobs)
