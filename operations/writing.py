"""Writing requests down, off their path: a bounded queue, and a thread a process that copies it in batches.

A request only appends to the queue. While the database is away the queue holds what it can; what does not
fit is dropped and counted. Nothing here ever blocks a request or lets it fail.
"""

import logging
import os
import threading
import time
from collections import deque
from collections.abc import Sequence
from multiprocessing.util import Finalize
from typing import Final

from django.db import DataError, Error, IntegrityError, connection, transaction

from operations.models import RequestLog
from operations.seen import COLUMNS, Row, Seen, row_of
from tenants.context import enter_public

log = logging.getLogger(__name__)

QUEUE: Final = 20_000  # what a database that is away for some minutes costs of memory: about 20 MB
BATCH: Final = 500
EVERY_SECONDS: Final = 1
WARN_SECONDS: Final = 60
LAST_SECONDS: Final = 5  # what a process that ends waits for its last requests to be written
COPY: Final = f"COPY {RequestLog._meta.db_table} ({', '.join(COLUMNS)}) FROM STDIN"


class Writer:
    """The queue of one process and the thread that empties it. Closed until `open`: then nothing is kept."""

    def __init__(self, *, most: int = QUEUE) -> None:
        self.is_open = False
        self.most = most
        self._begin()
        os.register_at_fork(after_in_child=self._begin)

    def _begin(self) -> None:
        """Start anew: in a forked child, what its parent has in the queue is the parent's to write."""
        self._queue: deque[Seen] = deque()
        self._starting, self._flushing = threading.Lock(), threading.Lock()
        self._wake = threading.Event()
        self._thread: threading.Thread | None = None
        self._by_hand = self._ending = False
        self.dropped = self._warned_of = 0
        self._warned_at = time.monotonic() - WARN_SECONDS

    def open(self, *, by_hand: bool = False) -> None:
        """Take requests from now on. `by_hand`: no thread writes, whoever opened it calls `flush`."""
        self.is_open, self._by_hand, self._ending = True, by_hand, False
        if not by_hand:
            # A process of granian's is a child that ends without atexit; this runs in either.
            Finalize(None, self.close, exitpriority=20)

    def close(self) -> None:
        """Take no more; write what is there, and give up after LAST_SECONDS."""
        self.is_open, self._ending = False, True
        thread = self._thread
        if thread is not None and thread.is_alive():
            self._wake.set()
            thread.join(LAST_SECONDS)
            if thread.is_alive() or self._queue:
                log.warning("request log: %d requests were not written at the end", len(self._queue))
        self._queue.clear()
        self._thread = None

    def put(self, seen: Seen) -> None:
        """Keep a request to be written; drop it when there is no room."""
        waiting = len(self._queue)
        if waiting >= self.most:
            self.dropped += 1
            return
        self._queue.append(seen)
        if waiting == BATCH:
            self._wake.set()
        if self._thread is None and not self._by_hand:
            self._start()

    def flush(self) -> int:
        """Write all that waits, over this thread's connection; returns how many. Raises when it cannot."""
        written = 0
        with self._flushing:
            while self._queue:
                batch = [self._queue.popleft() for _ in range(min(BATCH, len(self._queue)))]
                try:
                    written += self._write([row_of(seen) for seen in batch])
                except Exception:
                    self._queue.extendleft(reversed(batch))
                    raise
        return written

    def _write(self, rows: Sequence[Row]) -> int:
        """Copy the rows. Those that the database will never take are looked for by halves, and left out."""
        try:
            with (
                enter_public(),
                transaction.atomic(),
                connection.wrap_database_errors,
                connection.cursor() as cursor,
                cursor.copy(COPY) as to,
            ):
                for row in rows:
                    to.write_row(row)
        except (DataError, IntegrityError) as error:
            if len(rows) == 1:
                log.error("request log: a row was refused (%s)", type(error).__name__)
                self.dropped += 1
                return 0
            half = len(rows) // 2
            return self._write(rows[:half]) + self._write(rows[half:])
        return len(rows)

    # The thread.

    def _start(self) -> None:
        with self._starting:
            if self._thread is None and not self._ending:
                self._thread = threading.Thread(target=self._work, name="request-log", daemon=True)
                self._thread.start()

    def _work(self) -> None:
        while not self._ending:
            self._wake.wait(EVERY_SECONDS)
            self._wake.clear()
            self._flush_or_wait()
        self._flush_or_wait()
        connection.close()

    def _flush_or_wait(self) -> None:
        """Write what waits; when that fails, keep it for the next time."""
        away = ""
        try:
            self.flush()
        except Exception as error:
            away = type(error).__name__
            if not isinstance(error, Error):
                log.exception("request log")
            try:
                connection.close()
            except Exception:
                log.exception("request log: the connection could not be closed")
        self._warn(away)

    def _warn(self, away: str) -> None:
        """Say, once a minute at the most, what is lost and why."""
        lost = self.dropped - self._warned_of
        now = time.monotonic()
        if (lost or away) and now - self._warned_at >= WARN_SECONDS:
            why = f"the database does not answer ({away})" if away else "more came than could be written"
            log.warning("request log: %s; %d dropped, %d wait", why, lost, len(self._queue))
            self._warned_at, self._warned_of = now, self.dropped


WRITER: Final = Writer()
