"""What may stand in logs of an address or a header: pure. What lets somebody in is cut out."""

import re
from collections.abc import Iterable

HIDDEN = "…"
# A long part of a path with a digit in it lets somebody in, unless it is an id.
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_SEGMENT = re.compile(r"(?<=/)(?=[^/\s?'\"]*\d)[\w.:=~%+-]{20,}")
_LONG_ENOUGH = 8  # what a route takes as text and is shorter opens nothing
_STATIC = "/static/"


def hide_parts(text: str) -> str:
    """Return the text with every part of a path that may let somebody in cut out of it."""
    return _SEGMENT.sub(lambda part: part[0] if _UUID.fullmatch(part[0]) else HIDDEN, text)


def plain_path(path: str, secrets: Iterable[object] = ()) -> str:
    """Return the path without its query, and without what lets somebody in.

    `secrets` are the values that the route took out of the path: texts among them are tokens.
    """
    bare = path.partition("?")[0].partition("#")[0]
    if bare.startswith(_STATIC):
        return bare
    for value in secrets:
        if isinstance(value, str) and len(value) >= _LONG_ENOUGH and not _UUID.fullmatch(value):
            bare = bare.replace(f"/{value}", f"/{HIDDEN}")
    return hide_parts(bare)


def clean(text: str, most: int) -> str:
    """Return the text as one printable line of at most `most` characters: the database takes it as it is."""
    short = text[:most]
    return short if short.isprintable() else "".join(c for c in short if c.isprintable())
