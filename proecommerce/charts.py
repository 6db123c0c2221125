"""Line, bar and stacked bar charts and sparklines as SVG: whole numbers in, markup out.

Classes only, so colours and dark mode are the stylesheet's; places across are percentages, so that a chart
fits any width while its text keeps its size. Every point tells its figures in a `<title>`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from typing import Literal

HEIGHT = 208
FOOT = 24
INTERVALS = 4
COLOURS = 5

Kind = Literal["line", "bar", "stacked"]
Write = Callable[[int], str]


@dataclass(frozen=True, slots=True)
class Series:
    """One row of values; with money they are minor units."""

    name: str
    values: Sequence[int]


@dataclass(frozen=True, slots=True)
class Chart:
    """What a chart shows. `currency` makes the values money; `axis` are shorter labels for under the plot."""

    kind: Kind
    title: str
    labels: Sequence[str]
    series: Sequence[Series]
    currency: str = ""
    axis: Sequence[str] = ()
    label_head: str = "Month"

    def __post_init__(self) -> None:
        if not self.series or len(self.series) > COLOURS:
            raise ValueError(f"a chart has 1 to {COLOURS} series, not {len(self.series)}")
        wrong = [row.name for row in self.series if len(row.values) != len(self.labels)]
        if wrong or (self.axis and len(self.axis) != len(self.labels)):
            raise ValueError(f"as many values as labels, please: {', '.join(wrong) or 'axis'}")

    def rows(self) -> list[tuple[str, list[int]]]:
        """The same figures as a table: one row a label."""
        return [
            (label, [row.values[place] for row in self.series]) for place, label in enumerate(self.labels)
        ]


@dataclass(frozen=True, slots=True)
class Scale:
    """A vertical axis from `low` to `high`, both multiples of `step`."""

    low: int
    high: int
    step: int

    def y(self, value: int) -> str:
        """The place of a value, in pixels from the top."""
        return _short((self.high - value) * HEIGHT, self.high - self.low)

    def ticks(self) -> list[int]:
        """From the top down."""
        return list(range(self.high, self.low - 1, -self.step))


@dataclass(frozen=True, slots=True)
class Plot:
    """A drawn chart: the SVG, and the values to write beside it from the top down."""

    svg: str
    ticks: list[int]


def _short(numerator: int, denominator: int) -> str:
    """A quotient with at most two decimals: coordinates need no more."""
    hundredths = (numerator * 100 + denominator // 2) // denominator
    whole, rest = divmod(abs(hundredths), 100)
    sign = "-" if hundredths < 0 else ""
    return f"{sign}{whole}.{rest:02d}".rstrip("0").rstrip(".") if rest else f"{sign}{whole}"


def _step(span: int, unit: int) -> int:
    """The smallest of 1, 2, 5, 10, 20, 50 … units that covers `span` in four intervals."""
    step = unit
    while True:
        for factor in (1, 2, 5):
            if step * factor * INTERVALS >= span:
                return step * factor
        step *= 10


def scale_of(values: Sequence[int], unit: int = 1) -> Scale:
    """Choose round ticks around `values` and zero, at least one `unit` apart."""
    low, high = min(0, *values, 0), max(0, *values, 0)
    step = _step(max(high - low, 1), unit)
    low, high = low // step * step, -(-high // step) * step
    return Scale(low, high if high > low else step, step)


def _extent(chart: Chart) -> list[int]:
    if chart.kind != "stacked":
        return [value for row in chart.series for value in row.values]
    columns = [values for _, values in chart.rows()]
    ups = [sum(v for v in column if v > 0) for column in columns]
    return ups + [sum(v for v in column if v < 0) for column in columns]


def draw(chart: Chart, *, write: Write = str, unit: int = 1) -> Plot:
    """Draw the plot. `write` words a value for people; `unit` is the least distance of two ticks."""
    scale = scale_of(_extent(chart), unit)
    parts = [_grid(scale)]
    if chart.kind == "line":
        parts += [_line(row.values, number, scale) for number, row in enumerate(chart.series, 1)]
    parts += [_slot(chart, place, scale, write) for place in range(len(chart.labels))]
    parts.append(_axis(chart.axis or chart.labels))
    label = escape(f"{chart.title}: chart; its figures are in the table below")
    svg = (
        f'<svg class="c" role="img" aria-label="{label}" width="100%" height="{HEIGHT + FOOT}">'
        f"{''.join(parts)}</svg>"
    )
    return Plot(svg, scale.ticks())


def _grid(scale: Scale) -> str:
    lines = (
        f'<line class="c-grid{"" if tick else " c-base"}" x1="0" x2="100%" y1="{y}" y2="{y}"/>'
        for tick in scale.ticks()
        for y in [scale.y(tick)]
    )
    return "".join(lines)


def _line(values: Sequence[int], number: int, scale: Scale) -> str:
    """A line with its area, in a box of its own that is stretched to the width."""
    if len(values) < 2:
        return ""
    count = len(values)
    points = [
        f"{_short((2 * place + 1) * 500, count)} {scale.y(value)}" for place, value in enumerate(values)
    ]
    first, last = points[0].split()[0], points[-1].split()[0]
    path, base = f"M{'L'.join(points)}", scale.y(0)
    area = f'<path class="c-area" d="{path}L{last} {base}L{first} {base}Z"/>' if number == 1 else ""
    return (
        f'<svg class="k{number}" viewBox="0 0 1000 {HEIGHT}" width="100%" height="{HEIGHT}" '
        f'preserveAspectRatio="none">{area}<path class="c-line" d="{path}"/></svg>'
    )


def _slot(chart: Chart, place: int, scale: Scale, write: Write) -> str:
    """What stands over one label, with the words for it."""
    count, values = len(chart.labels), [row.values[place] for row in chart.series]
    if len(values) == 1:
        said = f"{chart.labels[place]}: {write(values[0])}"
    else:
        lines = (f"{row.name}: {write(value)}" for row, value in zip(chart.series, values, strict=True))
        said = "\n".join([chart.labels[place], *lines])
    marks = {"line": _dots, "bar": _bars, "stacked": _pile}[chart.kind](values, place, count, scale)
    hit = (
        f'<rect class="c-hit" x="{_short(place * 100, count)}%" width="{_short(100, count)}%" '
        f'y="0" height="{HEIGHT}"/>'
    )
    return f'<g class="c-point"><title>{escape(said)}</title>{hit}{marks}</g>'


def _dots(values: Sequence[int], place: int, count: int, scale: Scale) -> str:
    x = _short((2 * place + 1) * 50, count)
    radius = 3 if count > 16 else 4
    return "".join(
        f'<circle class="c-dot k{number}" cx="{x}%" cy="{scale.y(value)}" r="{radius}"/>'
        for number, value in enumerate(values, 1)
    )


def _bar(number: int, left: str, width: str, edges: tuple[int, int], scale: Scale) -> str:
    """A bar between two values; one that is not zero is never too thin to be seen."""
    low, high = sorted(edges)
    top = (scale.high - high) * HEIGHT
    height = _short(max((high - low) * HEIGHT, scale.high - scale.low), scale.high - scale.low)
    y = _short(top, scale.high - scale.low)
    return f'<rect class="c-bar k{number}" x="{left}%" width="{width}%" y="{y}" height="{height}" rx="1.5"/>'


def _bars(values: Sequence[int], place: int, count: int, scale: Scale) -> str:
    """Side by side in the middle of the slot, together at most 14 % of the width."""
    together = min(6200 // count, 1400)  # hundredths of a percent
    start = (2 * place + 1) * 5000 // count - together // 2
    each = together // len(values)
    width = _short(each * 92 // 100, 100)
    return "".join(
        _bar(number, _short(start + (number - 1) * each, 100), width, (0, value), scale)
        for number, value in enumerate(values, 1)
        if value
    )


def _pile(values: Sequence[int], place: int, count: int, scale: Scale) -> str:
    """On top of each other, what is negative below the base line."""
    width = min(6200 // count, 1400)
    left = _short((2 * place + 1) * 5000 // count - width // 2, 100)
    up = down = 0
    marks = []
    for number, value in enumerate(values, 1):
        base = up if value > 0 else down
        if value:
            marks.append(_bar(number, left, _short(width, 100), (base, base + value), scale))
        up, down = (base + value, down) if value > 0 else (up, base + value)
    return "".join(marks)


def _axis(labels: Sequence[str]) -> str:
    """Labels under the plot: at most twelve, of which a narrow screen keeps about four (not .c-minor)."""
    count = len(labels)
    step = (count + 11) // 12 or 1
    shown = (count + step - 1) // step
    narrow = step * ((shown + 3) // 4)
    words = []
    for place in range((count - 1) % step, count, step) if count else ():
        minor = " c-minor" if (count - 1 - place) % narrow else ""
        x = _short((2 * place + 1) * 50, count)
        words.append(
            f'<text class="c-x{minor}" x="{x}%" y="{HEIGHT + 20}" text-anchor="middle" aria-hidden="true">'
            f"{escape(labels[place])}</text>"
        )
    return "".join(words)


def sparkline(values: Sequence[int], *, label: str, width: int = 120, height: int = 32) -> str:
    """A line the size of a word, its last point marked; `label` says what it shows and how it went."""
    if len(values) < 2:
        return ""
    low, high, edge = min(values), max(values), 3
    span, last = max(high - low, 1), len(values) - 1

    def point(place: int) -> tuple[str, str]:
        x = _short(edge * last + place * (width - 2 * edge), last)
        return x, _short(edge * span + (high - values[place]) * (height - 2 * edge), span)

    points = "L".join(" ".join(point(place)) for place in range(len(values)))
    x, y = point(last)
    return (
        f'<svg class="spark" role="img" aria-label="{escape(label)}" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}"><title>{escape(label)}</title>'
        f'<path class="c-line" d="M{points}"/><circle class="c-dot" cx="{x}" cy="{y}" r="3"/></svg>'
    )
