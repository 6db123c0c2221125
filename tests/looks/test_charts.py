import re
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proecommerce.charts import HEIGHT, Chart, Kind, Series, draw, scale_of, sparkline

LABELS = ["Oct 2026", "Nov 2026", "Dec 2026"]


def chart(kind: Kind, *rows: list[int], labels: list[str] = LABELS) -> Chart:
    return Chart(kind, "Revenue", labels, [Series(f"Row {n}", row) for n, row in enumerate(rows, 1)])


def marks(svg: str, name: str) -> list[ElementTree.Element]:
    return [node for node in ElementTree.fromstring(svg).iter() if name in node.get("class", "").split()]


@given(st.lists(st.integers(-(10**12), 10**12), min_size=1, max_size=30), st.sampled_from([1, 100, 1000]))
def test_a_scale_holds_every_value_and_zero_on_few_round_ticks(values: list[int], unit: int) -> None:
    scale = scale_of(values, unit)
    ticks = scale.ticks()
    assert ticks[0] == scale.high >= max(0, *values)
    assert ticks[-1] == scale.low <= min(0, *values)
    assert 0 in ticks
    assert 2 <= len(ticks) <= 6
    assert scale.step % unit == 0
    assert re.fullmatch(r"[125]0*", str(scale.step // unit))


def test_no_values_but_zero_still_make_an_axis() -> None:
    assert scale_of([0, 0]).ticks() == [1, 0]


def test_a_bar_stands_on_the_base_line_and_reaches_its_value() -> None:
    plot = draw(chart("bar", [50, 100, 0]))
    assert plot.ticks == [100, 50, 0]
    assert [(bar.get("y"), bar.get("height")) for bar in marks(plot.svg, "c-bar")] == [
        (str(HEIGHT // 2), str(HEIGHT // 2)),
        ("0", str(HEIGHT)),
    ]


def test_a_stack_piles_what_is_positive_up_and_what_is_negative_down() -> None:
    plot = draw(chart("stacked", [20], [20], [-10], labels=["Nov"]))
    assert plot.ticks == [40, 20, 0, -20]
    places = [(bar.get("y"), bar.get("height")) for bar in marks(plot.svg, "c-bar")]
    assert places == [("69.33", "69.33"), ("0", "69.33"), ("138.67", "34.67")]


def test_a_line_runs_through_the_middle_of_each_place() -> None:
    plot = draw(chart("line", [0, 50, 100]))
    assert [(dot.get("cx"), dot.get("cy")) for dot in marks(plot.svg, "c-dot")] == [
        ("16.67%", str(HEIGHT)),
        ("50%", str(HEIGHT // 2)),
        ("83.33%", "0"),
    ]
    (line,) = marks(plot.svg, "c-line")
    assert line.get("d") == f"M166.67 {HEIGHT}L500 {HEIGHT // 2}L833.33 0"


def test_every_point_says_its_figures() -> None:
    plot = draw(chart("line", [1, 2, 3], [4, 5, 6]), write=lambda value: f"€{value}")
    titles = [node.text for node in ElementTree.fromstring(plot.svg).iter("title")]
    assert titles == [f"{label}\nRow 1: €{n}\nRow 2: €{n + 3}" for n, label in enumerate(LABELS, 1)]


def test_hostile_labels_stay_text() -> None:
    evil = '"><script>alert(1)</script>'
    plot = draw(Chart("bar", evil, [evil], [Series(evil, [1]), Series("x", [2])]))
    assert "<script" not in plot.svg
    assert ElementTree.fromstring(plot.svg).findtext(".//title") == f"{evil}\n{evil}: 1\nx: 2"


def test_colours_are_the_stylesheets() -> None:
    svg = draw(chart("stacked", [1, 2, 3], [1, 2, 3])).svg + sparkline([1, 2], label="Up")
    assert not re.search(r"style=|fill=|stroke=|#[0-9a-f]{3}", svg)


@pytest.mark.parametrize("count", [1, 2, 5, 12, 13, 24, 36, 60])
def test_labels_under_the_plot_stay_few_and_the_last_is_always_there(count: int) -> None:
    labels = [f"L{n}" for n in range(count)]
    words = marks(draw(chart("bar", [1] * count, labels=labels)).svg, "c-x")
    narrow = [word for word in words if "c-minor" not in (word.get("class") or "")]
    assert words[-1].text == narrow[-1].text == labels[-1]
    assert len(words) <= 12
    assert len(narrow) <= 4


def test_the_table_holds_the_same_figures() -> None:
    assert chart("bar", [1, 2, 3], [4, 5, 6]).rows() == [
        ("Oct 2026", [1, 4]),
        ("Nov 2026", [2, 5]),
        ("Dec 2026", [3, 6]),
    ]


def test_rows_of_another_length_are_refused() -> None:
    with pytest.raises(ValueError, match="Row 1"):
        chart("bar", [1, 2])
    with pytest.raises(ValueError, match="1 to 5"):
        chart("bar")


def test_a_chart_of_nothing_is_an_empty_grid() -> None:
    plot = draw(chart("line", [], labels=[]))
    assert marks(plot.svg, "c-point") == []


def test_a_sparkline_ends_in_a_mark_and_says_what_it_shows() -> None:
    svg = sparkline([1, 3, 2], label="Revenue & more")
    assert ElementTree.fromstring(svg).get("aria-label") == "Revenue & more"
    assert [(dot.get("cx"), dot.get("cy")) for dot in marks(svg, "c-dot")] == [("117", "16")]
    assert sparkline([1], label="x") == ""
