"""Every promise of `docs/promises.md` has a test of its number or stands there as open, never both."""

import re

from privacy import policy_tables, policy_text
from tests.guards.source import ROOT

ROW = re.compile(r"^\| (?P<number>[CUSRPDW]\d+) \| (?P<promise>[^|]+) \| (?P<proof>[^|]+) \|$", re.MULTILINE)
TEST = re.compile(r"^def (test_(?P<number>[cusrpdw]\d+)_\w+)\(", re.MULTILINE)
NUMBERS = [
    f"{letter}{number}"
    for letter, last in (("C", 10), ("U", 7), ("S", 6), ("R", 6), ("P", 9), ("D", 11), ("W", 4))
    for number in range(1, last + 1)
]


def promised() -> dict[str, str]:
    """What the page says proves each promise."""
    text = (ROOT / "docs" / "promises.md").read_text()
    rows = [(found["number"], found["proof"].strip()) for found in ROW.finditer(text)]
    assert len(rows) == len(dict(rows)), "a promise stands there twice"
    return dict(rows)


def proofs() -> dict[str, set[str]]:
    """The tests of each promise."""
    found: dict[str, set[str]] = {}
    for file in (ROOT / "tests" / "promises").glob("test_*.py"):
        for test in TEST.finditer(file.read_text()):
            found.setdefault(test["number"].upper(), set()).add(test[1])
    return found


def test_all_promises_are_in_the_page_and_each_is_proved_or_open() -> None:
    rows, tests = promised(), proofs()
    assert list(rows) == NUMBERS
    for number, proof in rows.items():
        if proof.startswith("open: "):
            assert number not in tests, f"{number} has a test: it is not open any more"
            assert len(proof) > len("open: x"), f"{number}: say which part is not built"
        else:
            named = set(re.findall(r"`(test_\w+)`", proof))
            assert named, f"{number} has neither a test nor `open: …`"
            assert named <= tests.get(number, set()), f"{number}: there is no such test"


def test_the_policy_says_which_promises_are_open() -> None:
    """What the page tells people is not built yet is what this page has as open."""
    rows = {number: proof for number, proof in promised().items() if proof.startswith("open: ")}
    assert {
        number: proof.removeprefix("open: ").partition(";")[0] for number, proof in rows.items()
    } == policy_tables.NOT_BUILT
    html = policy_text.present().html
    for number, part in policy_tables.NOT_BUILT.items():
        assert re.search(rf"{part} \([^)]*\b{number}\b", html), number


def test_the_promises_tests_are_of_promises_that_there_are() -> None:
    assert set(proofs()) <= set(NUMBERS)
    for file in (ROOT / "tests" / "promises").glob("test_*.py"):
        tests = re.findall(r"^def (test_\w+)\(", file.read_text(), re.MULTILINE)
        assert tests, file.name
        assert all(TEST.match(f"def {name}(") for name in tests), (
            f"{file.name}: begin each name with its number"
        )
