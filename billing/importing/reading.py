"""Reading CSV as it comes from people: a stream of rows, and what is wrong with the others. Pure."""

import codecs
import csv
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import BinaryIO, Final, NamedTuple

MAX_LINE: Final = 65_536  # bytes
KEPT: Final = 1_000
_OTHER_MARKS = (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


class Problem(NamedTuple):
    """Why a row cannot be taken: the line it begins on, the column ("" for the whole row), the reason."""

    line: int
    column: str
    reason: str


@dataclass(slots=True)
class Problems:
    """What there is to say about a file: the first KEPT remarks, and how many there are."""

    first: list[Problem] = field(default_factory=list)
    count: int = 0

    @property
    def is_full(self) -> bool:
        return self.count >= KEPT

    def add(self, line: int, column: str, reason: str) -> None:
        self.count += 1
        if len(self.first) < KEPT:
            self.first.append(Problem(line, column, reason))


class Row(NamedTuple):
    """A row's cells by column, without spaces around them, in Unicode's composed form.

    `line` is the one it begins on, from 1.
    """

    line: int
    cells: dict[str, str]


class _Unreadable(Exception):
    """The file cannot be read any further."""

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(reason)
        self.line = line
        self.reason = reason


def rows(file: BinaryIO, columns: Sequence[str], problems: Problems) -> Iterator[Row]:
    """Read from the file's beginning: UTF-8, a header with exactly these columns in any order, then rows.

    What is wrong goes to `problems`; a row with too many or too few cells is left out, and a file that
    cannot be read on, or has KEPT problems, ends there.
    """
    file.seek(0)
    try:
        yield from _rows(file, columns, problems)
    except _Unreadable as end:
        problems.add(end.line, "", end.reason)


def _rows(file: BinaryIO, columns: Sequence[str], problems: Problems) -> Iterator[Row]:
    reader = csv.reader(_lines(file), strict=True)
    header = [cell.strip().lower() for cell in _next(reader) or []]
    _check_header(header, columns)
    while not problems.is_full:
        line = reader.line_num + 1
        cells = _next(reader)
        if cells is None:
            return
        if not any(cell.strip() for cell in cells):
            continue
        if len(cells) != len(header):
            problems.add(line, "", f"has {len(cells)} cells instead of {len(header)}")
            continue
        yield Row(line, dict(zip(header, map(_tidy, cells), strict=True)))


def _tidy(cell: str) -> str:
    bare = cell.strip()
    return bare if bare.isascii() else unicodedata.normalize("NFC", bare)


def _next(reader: "Iterator[list[str]]") -> list[str] | None:
    line = getattr(reader, "line_num", 0) + 1
    try:
        return next(reader, None)
    except csv.Error as error:
        raise _Unreadable(line, f"is not CSV: {error}") from error


def _lines(file: BinaryIO) -> Iterator[str]:
    number = 0
    while raw := file.readline(MAX_LINE + 1):
        number += 1
        if len(raw) > MAX_LINE:
            raise _Unreadable(
                number, f"is longer than {MAX_LINE:,} bytes; is this a CSV file with line ends?"
            )
        if number == 1:
            if raw.startswith(_OTHER_MARKS):
                raise _Unreadable(1, "is UTF-16 or UTF-32 text; save the file as UTF-8")
            raw = raw.removeprefix(codecs.BOM_UTF8)
        try:
            text = raw.decode("utf-8")
        except UnicodeDecodeError as error:
            raise _Unreadable(
                number, f"is not UTF-8 text at byte {error.start + 1}; save the file as UTF-8"
            ) from None
        yield text


def _check_header(header: Sequence[str], columns: Sequence[str]) -> None:
    if not header:
        raise _Unreadable(1, "the file is empty; the first line names the columns")
    if set(header) == set(columns) and len(header) == len(columns):
        return
    if len(header) == 1 and any(mark in header[0] for mark in ";\t|"):
        raise _Unreadable(1, "cells are separated by commas")
    told = []
    if missing := [name for name in columns if name not in header]:
        told.append(f"missing: {', '.join(missing)}")
    if unknown := [name for name in header if name not in columns]:
        told.append(f"unknown: {', '.join(shown(name) for name in unknown[:10])}")
    if twice := sorted({name for name in header if header.count(name) > 1}):
        told.append(f"twice: {', '.join(shown(name) for name in twice[:10])}")
    raise _Unreadable(1, f"the columns are not as they should be; {'; '.join(told)}")


def shown(text: str, limit: int = 40) -> str:
    """A cell as it may stand in a message: one line, short, nothing that is not to be seen."""
    seen = "".join(char if unicodedata.category(char)[0] != "C" else "?" for char in text)
    return f"“{seen if len(seen) <= limit else seen[: limit - 1] + '…'}”"
