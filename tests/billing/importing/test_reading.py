"""Files that people really send: encodings, marks, separators, rubbish."""

import io
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from billing.importing.reading import KEPT, MAX_LINE, Problems, rows

COLUMNS = ("external_id", "name")
HEADER = b"external_id,name\n"


def read(data: bytes) -> tuple[list[tuple[int, str, str]], Problems]:
    problems = Problems()
    found = [
        (row.line, row.cells["external_id"], row.cells["name"])
        for row in rows(io.BytesIO(data), COLUMNS, problems)
    ]
    return found, problems


@pytest.mark.parametrize(
    "data",
    [
        b"external_id,name\nC-1,Ann\n",
        b"external_id,name\r\nC-1,Ann\r\n",
        b"\xef\xbb\xbfexternal_id,name\nC-1,Ann",
        b"External_ID , Name\nC-1 , Ann \n",
        b'external_id,name\n"C-1","Ann"\n\n,\n',
    ],
)
def test_ordinary_files_are_read(data: bytes) -> None:
    found, problems = read(data)
    assert ([each[1:] for each in found], problems.count) == ([("C-1", "Ann")], 0)


def test_columns_may_stand_in_any_order() -> None:
    assert read(b"name,external_id\nAnn,C-1\n")[0] == [(2, "C-1", "Ann")]


def test_lines_are_counted_through_cells_of_several_lines() -> None:
    found, _ = read(HEADER + b'C-1,"two\nlines"\nC-2,Bob\n')
    assert [each[0] for each in found] == [2, 4]


@pytest.mark.parametrize(
    ("data", "line", "reason"),
    [
        (b"", 1, "the file is empty"),
        (b"\n", 1, "the file is empty"),
        (b"external_id;name\nC-1;Ann\n", 1, "separated by commas"),
        (b"external_id,nom\n", 1, "missing: name; unknown: “nom”"),
        (b"external_id,name,name\n", 1, "twice: “name”"),
        (HEADER + b"C-1,Ann,more\n", 2, "has 3 cells instead of 2"),
        (HEADER + b"C-1,Ann\nC-2\n", 3, "has 1 cells instead of 2"),
        (HEADER + "C-1,Zoë\n".encode("latin-1"), 2, "not UTF-8 text at byte 7"),
        (HEADER.decode().encode("utf-16"), 1, "UTF-16"),
        (HEADER + b"C-1," + b"x" * MAX_LINE + b"\n", 2, "is longer than"),
        (HEADER + b'C-1,"never closed\n', 2, "is not CSV"),
        (HEADER + b'C-1,"a"b\n', 2, "is not CSV"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(data: bytes, line: int, reason: str) -> None:
    _, problems = read(data)
    assert (problems.count, problems.first[0].line) == (1, line)
    assert reason in problems.first[0].reason


def test_only_the_first_problems_are_kept() -> None:
    _, problems = read(HEADER + b"x\n" * (KEPT + 5))
    assert len(problems.first) == KEPT


@settings(max_examples=300, deadline=None)
@given(st.one_of(st.binary(max_size=300), st.binary(max_size=300).map(lambda tail: HEADER + tail)))
def test_no_bytes_at_all_break_the_reader(data: bytes) -> None:
    found, problems = read(data)
    assert found or problems.count or data.strip(b"\r\n\t ,\xef\xbb\xbf\x0b\x0c") != b"" or data


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(st.text(), st.text()), max_size=20))
def test_whatever_stands_in_cells_comes_back_or_is_told(cells: list[tuple[Any, Any]]) -> None:
    import csv

    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    for pair in cells:
        writer.writerow([cell.encode("utf-8", "replace").decode().replace("\0", "") for cell in pair])
    found, problems = read(text.getvalue().encode())
    kept = [pair for pair in cells if any(cell.replace("\0", "").strip() for cell in pair)]
    assert len(found) + problems.count >= min(len(kept), 1) or not kept
