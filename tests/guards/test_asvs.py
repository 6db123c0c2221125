"""docs/asvs.md: each requirement once, counts that are right, and nothing named that is not there."""

import ast
import re
from collections import Counter
from dataclasses import dataclass
from functools import cache

import pytest

from tests.guards.source import ROOT

# ASVS 5.0.0: of each section the levels of its requirements, in their order.
SECTIONS = """
1.1:22 1.2:1111122223 1.3:112222222223 1.4:222 1.5:123 2.1:122 2.2:112 2.3:12223 2.4:23 3.1:3 3.2:113
3.3:12223 3.4:11222233 3.5:11122333 3.6:3 3.7:22333 4.1:12233 4.2:23333 4.3:22 4.4:1222 5.1:2 5.2:112333
5.3:113 5.4:222 6.1:122 6.2:111111112222 6.3:11223333 6.4:112233 6.5:22222333 6.6:2223 6.7:33 6.8:2222
7.1:222 7.2:1111 7.3:22 7.4:11222 7.5:223 7.6:22 8.1:1233 8.2:1123 8.3:133 8.4:23 9.1:111 9.2:1222 10.1:22
10.2:223 10.3:22223 10.4:1111122222233333 10.5:22222 10.6:22 10.7:222 11.1:2233 11.2:22233 11.3:11233
11.4:1222 11.5:23 11.6:23 11.7:33 12.1:12233 12.2:11 12.3:22223 13.1:2333 13.2:222223 13.3:2233
13.4:1222233 14.1:22 14.2:12223333 14.3:122 15.1:12233 15.2:12233 15.3:1222222 15.4:3333 16.1:2 16.2:22222
16.3:2222 16.4:222 16.5:2223 17.1:23 17.2:22223333 17.3:22
"""
LEVELS = {
    f"{section}.{position}": int(level)
    for section, levels in (each.split(":") for each in SECTIONS.split())
    for position, level in enumerate(levels, start=1)
}
STATES = ("test", "place", "does not apply", "not met")
# What is not met grows shorter; whoever makes it longer has to change this number, and say why.
NOT_MET_AT_MOST = 16
ROW = re.compile(r"\| (\d+\.\d+\.\d+) \| ([123]) \|")
QUOTED = re.compile(r"`([^`]+)`")
TEST = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")


@dataclass(frozen=True, slots=True)
class Row:
    """One requirement as the file has it."""

    id: str
    level: int
    asked: str
    state: str
    how: str
    shown_by: str


@cache
def text() -> str:
    return (ROOT / "docs/asvs.md").read_text(encoding="utf-8")


@cache
def rows() -> tuple[Row, ...]:
    found = []
    for line in text().splitlines():
        if ROW.match(line):
            number, level, *rest = [cell.strip() for cell in line.strip("|").split("|")]
            assert len(rest) == 4, line
            found.append(Row(number, int(level), *rest))
    return tuple(found)


@cache
def named_in(path: str) -> frozenset[str]:
    if not (ROOT / path).is_file():
        return frozenset()
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    return frozenset(
        node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    )


def test_each_requirement_stands_there_once_with_its_level() -> None:
    assert Counter(LEVELS.values()) == {1: 70, 2: 183, 3: 92}
    assert [row.id for row in rows() if row.level < 3] == [
        name for name, level in LEVELS.items() if level < 3
    ]
    assert [row for row in rows() if row.level != LEVELS[row.id]] == []


def test_the_counts_at_the_top_are_right() -> None:
    counted = Counter(row.state for row in rows() if row.level < 3)
    told = dict(re.findall(r"^\| ([a-z ]+) \| (\d+) \|$", text().partition("\n## ")[0], re.MULTILINE))
    assert {state: int(told[state]) for state in STATES} == {state: counted[state] for state in STATES}
    assert int(told["all"]) == counted.total() == 253


def test_no_more_is_unmet_than_was() -> None:
    assert sum(row.state == "not met" for row in rows()) <= NOT_MET_AT_MOST


def test_at_least_thirteen_of_level_three_are_shown_by_a_test() -> None:
    beyond = [row for row in rows() if row.level == 3]
    assert len({row.id for row in beyond}) == len(beyond) >= 13
    assert {row.state for row in beyond} == {"test"}


def faults(row: Row) -> list[str]:
    """What a row claims and cannot show."""
    names, tests = QUOTED.findall(row.shown_by), TEST.findall(row.shown_by)
    match row.state:
        case "test":
            sound = bool(names) and len(tests) == len(names)
        case "place":
            sound = bool(names) and all((ROOT / name).is_file() for name in names)
        case _:
            sound = row.state in STATES and bool(row.how) and not names
    found = [] if row.asked and sound else [f"{row.id} ({row.state}) is not shown by {row.shown_by!r}"]
    for path, name in TEST.findall(row.how + row.shown_by):
        if not name.startswith("test_") or name not in named_in(path):
            found.append(f"{row.id} names {path}::{name}, which is not there")
    return found


def test_what_each_requirement_is_shown_by_is_there() -> None:
    assert [fault for row in rows() for fault in faults(row)] == []


@pytest.mark.parametrize(
    ("state", "shown_by"),
    [
        ("test", "`tests/guards/test_asvs.py::test_of_nothing`"),
        ("test", "`docs/asvs.md`"),
        ("test", ""),
        ("place", "`docs/nowhere.md`"),
        ("place", ""),
        ("not met", ""),
        ("almost", "`docs/asvs.md`"),
    ],
)
def test_the_guard_sees(state: str, shown_by: str) -> None:
    assert faults(Row("1.1.1", 2, "something", state, "", shown_by))


def test_each_requirement_that_points_below_is_laid_down_there() -> None:
    laid_down = text().partition("## Laid down here")[2]
    here = {row.id for row in rows() if "`docs/asvs.md`" in row.shown_by}
    named = set(re.findall(r"\((?:\d+\.\d+\.\d+)\)", laid_down)) | set(
        re.findall(r"\((\d+\.\d+\.\d+),", laid_down)
    )
    assert {name.strip("()") for name in named} == here
