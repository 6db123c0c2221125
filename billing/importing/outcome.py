"""What came of importing one file, and what both files' imports share."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Any, BinaryIO, Final, TypeVar

from audit.actions import Action
from audit.actors import Actor
from audit.recording import Note, record_many
from billing.importing.cells import CellError
from billing.importing.reading import Problem, Problems, Row, rows

BATCH: Final = 1_000
SAMPLE: Final = 10

T = TypeVar("T")
# Told the file's kind ("customers", "subscriptions") and how many of its rows are read.
Progress = Callable[[str, int], None]


@dataclass(frozen=True, slots=True)
class Outcome:
    """Rows read, and what they did or, in a dry run or with problems, would do. `sample`: the first rows.

    With any of the `problems` nothing of the file was imported; a thousand end the reading (`is_cut`).
    `warnings` tell what was done otherwise than the file says, the first thousand of `warning_count`.
    """

    rows: int
    created: int
    changed: int
    unchanged: int
    problems: Sequence[Problem]
    problem_count: int
    warnings: Sequence[Problem]
    warning_count: int
    is_cut: bool
    sample: Sequence[Mapping[str, str]]

    @property
    def is_fine(self) -> bool:
        return not self.problem_count


@dataclass(slots=True)
class Tally:
    """Counts while a file is imported, and what is to be recorded of it at the end."""

    kind: str
    progress: Progress | None = None
    rows: int = 0
    created: int = 0
    changed: int = 0
    unchanged: int = 0
    problems: Problems = field(default_factory=Problems)
    warnings: Problems = field(default_factory=Problems)
    sample: list[Mapping[str, str]] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)

    def record(self, *, actor: Actor, now: datetime) -> None:
        """Write the audit events of all that was done. Last of all: who holds the chain waits for nobody."""
        if not self.created and not self.changed:
            return
        counts: dict[str, Any] = {"rows": self.rows, "created": self.created, "changed": self.changed}
        done = Note(Action.IMPORT_DONE, "import", self.kind, counts)
        record_many([*self.notes, done], actor=actor, now=now)

    def outcome(self) -> Outcome:
        return Outcome(
            rows=self.rows,
            created=self.created,
            changed=self.changed,
            unchanged=self.unchanged,
            problems=sorted(self.problems.first, key=_line),
            problem_count=self.problems.count,
            warnings=sorted(self.warnings.first, key=_line),
            warning_count=self.warnings.count,
            is_cut=self.problems.is_full,
            sample=self.sample,
        )


def _line(problem: Problem) -> int:
    return problem.line


def batches(
    file: BinaryIO, columns: Sequence[str], parse: Callable[[Row, Problems], T | None], tally: Tally
) -> Iterator[list[T]]:
    """Read, count and parse a file; gives the good rows in batches. An external id may stand in it once."""
    seen: dict[str, int] = {}

    def good() -> Iterator[T]:
        for row in rows(file, columns, tally.problems):
            tally.rows += 1
            if len(tally.sample) < SAMPLE:
                tally.sample.append(row.cells)
            parsed = parse(row, tally.problems)
            key = row.cells["external_id"]
            if key and (first := seen.setdefault(key, row.line)) != row.line:
                tally.problems.add(row.line, "external_id", f"stands on line {first} already")
            elif parsed is not None:
                yield parsed

    stream = good()
    while batch := list(islice(stream, BATCH)):
        yield batch
        if tally.progress is not None:
            tally.progress(tally.kind, tally.rows)


def take(row: Row, problems: Problems, readers: Mapping[str, Callable[[str], Any]]) -> dict[str, Any] | None:
    """Read each cell; None when one of them is wrong, and then all that are wrong are told."""
    before, values = problems.count, {}
    for column, read in readers.items():
        try:
            values[column] = read(row.cells[column])
        except CellError as error:
            problems.add(row.line, column, str(error))
    return values if problems.count == before else None
