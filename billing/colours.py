"""A brand colour made safe: readable as ink on white, and with readable text on top of it (WCAG 2, 4.5:1)."""

import re
from dataclasses import dataclass

_HEX = re.compile(r"#[0-9a-fA-F]{6}\Z")
DEFAULT_BRAND = "#1f4b99"
WHITE = "#ffffff"
BLACK = "#000000"
READABLE = 4.5


@dataclass(frozen=True, slots=True)
class Brand:
    """`fill` is the colour as given, `on_fill` the text on it, `ink` its shade that can be read on white."""

    fill: str
    on_fill: str
    ink: str


def _channels(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def luminance(colour: str) -> float:
    """Relative luminance, WCAG 2.2 definition."""
    linear = [
        c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4
        for c in (channel / 255 for channel in _channels(colour))
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    """Contrast ratio of two colours, 1 to 21."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _darkened(colour: str) -> str:
    for step in range(20, -1, -1):
        shade = "#" + "".join(f"{channel * step // 20:02x}" for channel in _channels(colour))
        if contrast(shade, WHITE) >= READABLE:
            return shade
    return BLACK


def brand(colour: str) -> Brand:
    """The brand of a colour `#rrggbb`; anything else gives the default brand."""
    fill = colour.lower() if _HEX.match(colour) else DEFAULT_BRAND
    on_fill = WHITE if contrast(fill, WHITE) >= READABLE else BLACK
    return Brand(fill=fill, on_fill=on_fill, ink=_darkened(fill))
