"""Text from strangers made fit for print: no control or direction characters, no word too wide."""

import re
import unicodedata

# Direction overrides, embeddings and isolates (a name could print an amount backwards) and invisible fillers.
_UNWANTED = re.compile(
    r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u00ad\u061c\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb"
    r"\U000e0000-\U000e007f]"
)
_LONG_WORD = re.compile(r"[!-~\u00a1-\u024f]{25,}")
# Twelve of the widest letters fit the narrowest column.
_BREAK_EVERY = 12
_ZERO_WIDTH_SPACE = "\u200b"


def _assigned(char: str) -> str:
    return "\ufffd" if unicodedata.category(char) in {"Cn", "Co", "Cs"} else char


def _broken(match: re.Match[str]) -> str:
    word = match.group()
    parts = (word[start : start + _BREAK_EVERY] for start in range(0, len(word), _BREAK_EVERY))
    return _ZERO_WIDTH_SPACE.join(parts)


def clean(text: str) -> str:
    """The text without what must not reach a page; lines kept, line ends made one kind, in NFC."""
    lines = re.sub(r"\r\n?|[\u2028\u2029]", "\n", text)
    kept = _UNWANTED.sub("", lines.replace("\t", " "))
    return unicodedata.normalize("NFC", "".join(map(_assigned, kept)) if not kept.isascii() else kept)


def clean_line(text: str) -> str:
    """`clean` on one line."""
    return " ".join(clean(text).split())


def breakable(text: str) -> str:
    """The text with places to break in words too long for a column."""
    return _LONG_WORD.sub(_broken, text)


def file_stem(text: str) -> str:
    """An ASCII file name of the text, without extension; `document` when nothing is left."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return re.sub(r"[^A-Za-z0-9._-]+", "-", plain).strip(".-")[:80] or "document"
