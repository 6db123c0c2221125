"""How document numbers look, and which counter they are drawn from.

A template is text with fields in braces: `{prefix}-{year}-{n:06d}`. It is taken apart here and never given to
`str.format`, so that what a tenant types can name nothing but these four fields.
"""

import re
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Final, Literal, NamedTuple

MAX_TEMPLATE: Final = 60
MAX_PREFIX: Final = 20
MAX_WIDTH: Final = 12
MAX_N: Final = 10**MAX_WIDTH - 1

# No slash: numbers become file names and parts of addresses.
_LITERAL = r"[A-Za-z0-9._-]"
_TOKEN = re.compile(rf"(?P<literal>{_LITERAL}+)|\{{(?P<field>[^{{}}]*)\}}")
_FIELD = re.compile(r"(?P<name>prefix|year|month|n)(?::0(?P<width>[1-9][0-9]?)d)?")
_PREFIX = re.compile(rf"{_LITERAL}{{1,{MAX_PREFIX}}}")

Name = Literal["literal", "prefix", "year", "month", "n"]


class NumberingError(ValueError):
    """A template, prefix or counter that makes no number. The message is for who set it."""


class Part(NamedTuple):
    """A piece of a template: fixed text, or a field and the digits to pad it to (0: as many as it takes)."""

    name: Name
    text: str = ""
    width: int = 0


@dataclass(frozen=True, slots=True)
class Template:
    """A checked template. Two different counters of one series never make the same number."""

    parts: tuple[Part, ...]

    def has(self, name: Name) -> bool:
        return any(part.name == name for part in self.parts)

    @property
    def resets_yearly(self) -> bool:
        """Counting starts anew each year iff the year stands in the number; else it would repeat."""
        return self.has("year")


@lru_cache(maxsize=1024)
def parse(text: str) -> Template:
    """Check a template: letters, digits, `.`, `_`, `-`; each field at most once; `{n}` always.

    Fields are `{prefix}`, `{year}` (4 digits), `{month}` (2 digits) and `{n}`, which alone takes a width:
    `{n:06d}`. A counter that outgrows its width gets longer. Raises NumberingError.
    """
    if not 1 <= len(text) <= MAX_TEMPLATE:
        raise NumberingError(f"a number format has 1 to {MAX_TEMPLATE} characters")
    parts: list[Part] = []
    position = 0
    while position < len(text):
        token = _TOKEN.match(text, position)
        if token is None:
            raise NumberingError(
                f"{text[position]!a} at position {position + 1} cannot stand in a number format; "
                "use letters, digits, '.', '_', '-' and the fields {prefix}, {year}, {month}, {n}"
            )
        parts.append(Part("literal", token["literal"]) if token["literal"] else _field(token["field"]))
        position = token.end()
    fields = [part.name for part in parts if part.name != "literal"]
    if len(fields) != len(set(fields)):
        raise NumberingError("each field stands in a number format only once")
    if "n" not in fields:
        raise NumberingError("a number format needs the counter, {n} or like {n:06d}")
    if "month" in fields and "year" not in fields:
        raise NumberingError("a number format with {month} needs {year} as well")
    return Template(tuple(parts))


def _field(text: str) -> Part:
    match = _FIELD.fullmatch(text)
    if match is None:
        raise NumberingError(
            f"{text!a} is not a field; use {{prefix}}, {{year}}, {{month}}, {{n}}, or {{n:06d}}"
        )
    width = int(match["width"] or 0)
    match match["name"]:
        case "prefix":
            part = Part("prefix")
        case "year":
            part = Part("year", width=4)
        case "month":
            part = Part("month", width=2)
        case _:
            part = Part("n", width=width)
    if width and part.name != "n":
        raise NumberingError(f"{{{part.name}}} takes no width; only {{n}} does")
    if width > MAX_WIDTH:
        raise NumberingError(f"the counter is at most {MAX_WIDTH} digits wide, not {width}")
    return part


def check_prefix(prefix: str) -> str:
    """Give the prefix back if it is 1 to 20 letters, digits, `.`, `_` or `-`; raises NumberingError."""
    if not _PREFIX.fullmatch(prefix):
        raise NumberingError(
            f"{prefix[:40]!a} is not a prefix; use 1 to {MAX_PREFIX} letters, digits, '.', '_' or '-'"
        )
    return prefix


def render(template: str, prefix: str, on: date, n: int) -> str:
    """Write the number: `{prefix}-{year}-{n:06d}` with ACME, 1 Dec 2026 and 123 is `ACME-2026-000123`.

    `on` is the day of issue in the tenant's zone; `n` counts from 1. Raises NumberingError.
    """
    if type(n) is not int or not 1 <= n <= MAX_N:
        raise NumberingError(f"a counter is a whole number from 1 to {MAX_N}, not {n!r}")
    values: dict[Name, int] = {"year": on.year, "month": on.month, "n": n}
    pieces = []
    for part in parse(template).parts:
        match part.name:
            case "literal":
                pieces.append(part.text)
            case "prefix":
                pieces.append(check_prefix(prefix))
            case name:
                pieces.append(f"{values[name]:0{part.width}d}")
    return "".join(pieces)


def series_key(template: str, prefix: str, on: date) -> str:
    """Name the counter that a number is drawn from: `ACME/2026`, or `ACME/` if it never resets.

    What does not stand in the number does not part the series: without {prefix} every prefix shares one.
    """
    shape = parse(template)
    scope = check_prefix(prefix) if shape.has("prefix") else ""
    return f"{scope}/{on.year:04d}" if shape.resets_yearly else f"{scope}/"
