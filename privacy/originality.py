"""Whether a reply was written for the one who gets it: pure. No answer is a form letter."""

import re
import unicodedata
from collections.abc import Iterable
from difflib import SequenceMatcher

# Two names in a short letter changed, and it is still the same letter.
ALIKE = 0.85
_WORD = re.compile(r"[^\W_]+")


def words_of(text: str) -> list[str]:
    """The words in small letters without accents; every number is the same, dates and references differ."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    bare = "".join(each for each in plain if not unicodedata.combining(each))
    return ["0" if each.isdigit() else each for each in _WORD.findall(bare)]


def is_alike(text: str, other: str) -> bool:
    """Whether two texts say nearly the same in nearly the same words."""
    mine, theirs = words_of(text), words_of(other)
    if not mine or not theirs:
        return mine == theirs
    matcher = SequenceMatcher(None, mine, theirs, autojunk=False)
    return matcher.real_quick_ratio() >= ALIKE and matcher.quick_ratio() >= ALIKE and matcher.ratio() >= ALIKE


def first_alike(text: str, others: Iterable[str]) -> str | None:
    """The first of the others that the text is nearly the same as."""
    return next((other for other in others if is_alike(text, other)), None)
