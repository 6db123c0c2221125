"""What cells may hold: any language and any sign, nothing that is not seen or turns text around."""

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from billing.importing import cells
from billing.importing.cells import CellError
from billing.periods import Cycle


@pytest.mark.parametrize(
    "value",
    ["=SUM(A1)", "+1 Ltd", "-minus", "@home", "שלום", "می‌خواهم", "Zoë", "株式会社", "a,b;c\"d'", "👩‍👩‍👧"],
)
def test_text_is_taken_as_it_stands(value: str) -> None:
    assert cells.text(value, 200, required=True) == value


@pytest.mark.parametrize("turning", list("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"))
def test_text_cannot_turn_its_direction(turning: str) -> None:
    with pytest.raises(CellError, match="turns the direction of text"):
        cells.text(f"Ann {turning}00.1", 200)


@pytest.mark.parametrize("control", ["\0", "\n", "\x1b", "\x85", "\u2028", "\ue000"])
def test_text_has_no_control_characters(control: str) -> None:
    with pytest.raises(CellError, match="control character or line break"):
        cells.text(f"a{control}b", 200)


@pytest.mark.parametrize("value", ["", "\u200b", "\u2060\u200d"])
def test_a_name_needs_something_to_be_seen(value: str) -> None:
    with pytest.raises(CellError, match="is empty"):
        cells.text(value, 200, required=True)


@pytest.mark.parametrize("value", ["C-1", "-7", "=1", "客 42", "a@b.example/x?y=1", "Ω" * 100])
def test_ids_are_any_printable_text(value: str) -> None:
    assert cells.external_id(value) == value
    assert cells.is_external_id(value)


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("", "is empty"),
        ("a\tb", "cannot be seen"),
        ("a\u200bb", "cannot be seen"),
        ("\u202eC-1", "cannot be seen"),
        ("a\0", "cannot be seen"),
        ("x" * 101, "has 101 characters; at most 100 fit"),
    ],
)
def test_other_ids_are_refused(value: str, reason: str) -> None:
    assert not cells.is_external_id(value)
    with pytest.raises(CellError, match=reason):
        cells.external_id(value)


@pytest.mark.parametrize(
    ("read", "value", "expected"),
    [
        (cells.email, "a+b@c.example", "a+b@c.example"),
        (cells.phone, "+49 (0) 30/12.3-4", "+49 (0) 30/12.3-4"),
        (cells.phone, "", ""),
        (cells.country, "de", "DE"),
        (cells.currency, "jpy", "JPY"),
        (cells.day, "2024-02-29", date(2024, 2, 29)),
        (cells.cycle, "Semi-Annual", Cycle.SEMI_ANNUAL),
        (cells.quantity, "1000000", 1_000_000),
    ],
)
def test_good_cells_become_values(read: Callable[[str], Any], value: str, expected: Any) -> None:
    assert read(value) == expected


@pytest.mark.parametrize(
    ("value", "currency", "minor"), [("24.90", "EUR", 2490), ("3735", "JPY", 3735), ("1.230", "KWD", 1230)]
)
def test_amounts_are_read_in_the_currencys_own_decimals(value: str, currency: str, minor: int) -> None:
    assert cells.amount(value, currency) == minor
