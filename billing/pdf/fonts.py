"""The faces that documents are set in, and which of the Han shapes a country reads."""

from functools import cache
from importlib.resources import files
from pathlib import Path

import typst

_PACKAGES = ("manimgx_fonts", "manimgx_fonts_cjk", "fontpkg_ibm_plex_sans_arabic")

# In the order in which a character looks for a face.
_LATIN = "Noto Sans"
# Noto builds Arabic letters from strokes and dots, so that copied text is rubble; Plex has whole letters.
_ARABIC = "IBM Plex Sans Arabic"
_SCRIPTS = (
    "Arabic",
    "Hebrew",
    "Thai",
    "Devanagari",
    "Bengali",
    "Tamil",
    "Telugu",
    "Kannada",
    "Malayalam",
    "Gujarati",
    "Gurmukhi",
    "Oriya",
    "Sinhala",
    "Georgian",
    "Armenian",
    "Khmer",
    "Lao",
    "Myanmar",
    "Ethiopic",
    "Symbols",
)
# Han characters are drawn differently from country to country.
_HAN_OF_COUNTRY = {"JP": "JP", "KR": "KR", "KP": "KR", "TW": "TC", "MO": "HK", "HK": "HK"}
_HAN_OF_LANGUAGE = {"ja": "JP", "ko": "KR"}


@cache
def fonts() -> typst.Fonts:
    """Only what the packages bring: the machine's own fonts would make the bytes differ."""
    return typst.Fonts(
        include_system_fonts=False,
        include_embedded_fonts=False,
        font_paths=[Path(str(files(package))) for package in _PACKAGES],
    )


def faces(country: str, locale: str) -> list[str]:
    """The faces to try, for text from `country` in a document in `locale`."""
    language, _, rest = locale.replace("_", "-").partition("-")
    han = _HAN_OF_COUNTRY.get(country.upper()) or _HAN_OF_LANGUAGE.get(language.lower())
    if han is None:
        traditional = language.lower() == "zh" and not {"TW", "HANT"}.isdisjoint(rest.upper().split("-"))
        han = "TC" if traditional else "SC"
    others = [f"Noto Sans {script}" for script in _SCRIPTS]
    return [_LATIN, _ARABIC, f"Noto Sans CJK {han}", *others, "Noto Emoji"]
