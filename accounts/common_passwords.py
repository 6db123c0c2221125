"""Passwords that others have used before: a filter small enough to carry along, and how one looks into it.

The filter is a Bloom filter over SHA-1 digests, so that it takes word lists and lists of breached digests
alike. It never lets a listed password through; of those that are not listed it refuses one in a hundred
thousand. Without a file it is made from lists in the packages that are installed anyway.
"""

import hashlib
import math
import mmap
import re
import struct
from collections.abc import Iterable, Iterator
from functools import cache, lru_cache
from pathlib import Path
from typing import Self

from django.contrib.auth.password_validation import CommonPasswordValidator
from zxcvbn import zxcvbn
from zxcvbn.frequency_lists import FREQUENCY_LISTS

MAGIC = b"PROEPWF1"
HEAD = struct.Struct(">8sQI")
MISTAKES = 1e-5
HASHES = 8
SHORTEST_WORD = 4  # what is shorter says nothing about the rest
DIGEST = re.compile(r"([0-9A-Fa-f]{40})(?::\d+)?$")
SEQUENCES = (
    "1234567890",
    "abcdefghijklmnopqrstuvwxyz",
    "qwertyuiopasdfghjklzxcvbnm",
    "qwertzuiopasdfghjklyxcvbnm",
)
# What half the world would put together, too; the lists hold single words and short passwords.
FAMOUS = (
    "correcthorsebatterystaple", "thequickbrownfoxjumpsoverthelazydog", "tobeornottobethatisthequestion",
    "maytheforcebewithyou", "loremipsumdolorsitamet", "supercalifragilisticexpialidocious",
    "allyourbasearebelongtous", "winteriscoming", "onceuponatimeinalandfarfaraway",
    "twinkletwinklelittlestar",
    "welcometothejungle", "stairwaytoheaven", "knockknockwhoisthere", "helloworldhelloworld", "letmeinplease",
    "jesuslovesme", "ourfatherwhoartinheaven", "thisismypassword", "whatisyourpassword",
    "ihavenopassword", "iamyourfather", "ihaveadream", "ithinkthereforeiam", "houstonwehaveaproblem",
    "elementarymydearwatson", "frodobaggins", "youshallnotpass", "livelongandprosper", "todayisagoodday",
    "happybirthdaytoyou", "mysupersecretpassword", "dontforgetthispassword",
)  # fmt: skip
ADDED = 6  # signs beside a famous one that do not make it another
WHOLE = 12  # signs of one, in a row, that are as good as all of it
GUESSES = 500_000_000  # fewer than an hour's of somebody who has the hash
ESTIMATED = 72  # signs, the most that zxcvbn takes
SEPARATORS = re.compile(r"[\s._\-]+")
LOOKALIKES = str.maketrans("013457@$!", "oleastasi")


class NotAFilter(ValueError):
    """The file was not written by `manage.py build_password_filter`."""


class Filter:
    """A set of digests that may now and then claim to hold one too many."""

    def __init__(self, bits: bytearray | mmap.mmap, size: int, hashes: int, offset: int = 0) -> None:
        self._bits, self._size, self._hashes, self._offset = bits, size, hashes, offset

    @classmethod
    def for_count(cls, count: int, mistakes: float = MISTAKES) -> Self:
        """Return an empty filter for `count` digests."""
        size = math.ceil(-max(count, 1) * HASHES / math.log(1 - mistakes ** (1 / HASHES)))
        return cls(bytearray((size + 7) // 8), size, HASHES)

    @classmethod
    def read(cls, path: Path) -> Self:
        """Open a filter file; it is mapped, not loaded. Raises OSError, NotAFilter."""
        with path.open("rb") as file:
            head = file.read(HEAD.size)
            if len(head) < HEAD.size or not head.startswith(MAGIC):
                raise NotAFilter(
                    f"{path} is no password filter: make one by manage.py build_password_filter."
                )
            _, size, hashes = HEAD.unpack(head)
            if path.stat().st_size != HEAD.size + (size + 7) // 8:
                raise NotAFilter(f"{path} is not whole: make it anew by manage.py build_password_filter.")
            return cls(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ), size, hashes, HEAD.size)

    def write(self, path: Path) -> None:
        path.write_bytes(HEAD.pack(MAGIC, self._size, self._hashes) + bytes(self._bits[self._offset :]))

    def add(self, digest: bytes) -> None:
        for at in self._places(digest):
            self._bits[at >> 3] |= 1 << (at & 7)

    def __contains__(self, digest: bytes) -> bool:
        bits, offset = self._bits, self._offset
        return all(bits[offset + (at >> 3)] >> (at & 7) & 1 for at in self._places(digest))

    def _places(self, digest: bytes) -> Iterator[int]:
        first, second = struct.unpack(">QQ", digest[:16])
        return ((first + turn * (second | 1)) % self._size for turn in range(self._hashes))


def digest_of(password: str) -> bytes:
    """Return the digest under which lists of breached passwords are published."""
    return hashlib.sha1(password.encode("utf-8", "surrogatepass"), usedforsecurity=False).digest()


def digests_in(lines: Iterable[str]) -> Iterator[bytes]:
    """Read a list: one password a line, or one SHA-1 digest in hex, with or without `:count`."""
    for line in lines:
        word = line.rstrip("\r\n")
        if found := DIGEST.match(word):
            yield bytes.fromhex(found[1])
        elif word:
            yield digest_of(word)
            if word != word.lower():
                yield digest_of(word.lower())


def packaged_words() -> Iterator[str]:
    """The lists that come with Django and zxcvbn: common passwords, names, words."""
    yield from CommonPasswordValidator().passwords
    for words in FREQUENCY_LISTS.values():
        yield from words


def build(digests: Iterable[bytes], count: int, mistakes: float = MISTAKES) -> Filter:
    made = Filter.for_count(count, mistakes)
    for digest in digests:
        made.add(digest)
    return made


@cache
def packaged() -> Filter:
    """The filter of the packages' lists, made once in a process in a fraction of a second."""
    words = set(packaged_words())
    return build(map(digest_of, words), len(words))


@lru_cache(maxsize=2)
def opened(path: str) -> Filter:
    """The filter of this file, or the packages' where no file is named."""
    return Filter.read(Path(path)) if path else packaged()


def is_common(password: str, known: Filter, *, here: Iterable[str] = ()) -> bool:
    """Tell whether the password, or what it is dressed up from, is on the lists or a name of this place."""
    names = {"".join(filter(str.isalnum, name.lower())) for name in here}
    return (
        _is_run(_repeated(password.lower()))
        or _is_famous(password)
        or any(
            "".join(filter(str.isalnum, form)) in names or digest_of(form) in known
            for form in _forms(password)
        )
    )


def is_guessable(password: str) -> bool:
    """Tell whether programs that put words, names, dates and rows of keys together would soon be there.

    Blanks and dashes between the words make it no harder for them.
    """
    bare = SEPARATORS.sub("", password.lower())[:ESTIMATED]
    return not bare or zxcvbn(bare)["guesses"] < GUESSES


def _is_famous(password: str) -> bool:
    """A phrase that everybody knows, or most of it, with hardly anything beside it."""
    for form in (password.lower(), password.lower().translate(LOOKALIKES)):
        bare = "".join(filter(str.isalnum, form))
        for phrase in FAMOUS:
            dressed = phrase in bare and len(bare) - len(phrase) <= ADDED
            if dressed or (len(bare) >= WHOLE and bare in phrase):
                return True
    return False


def _forms(password: str) -> Iterator[str]:
    """The password as it is, and stripped of what people put on to make a short one pass."""
    yield password
    lower = password.lower()
    for form in (lower, lower.translate(LOOKALIKES)):
        yield form
        bare = re.sub(r"^[\W\d_]+|[\W\d_]+$", "", form)
        for part in (bare, _repeated("".join(filter(str.isalnum, form)))):
            if len(part) >= SHORTEST_WORD:
                yield part


def _repeated(text: str) -> str:
    """The shortest part that, said over and over, makes the text."""
    at = (text + text).find(text, 1)
    return text[:at] if at > 0 else text


def _is_run(text: str) -> bool:
    """A few signs over and over, or signs as they stand in a row on the keyboard or in the alphabet."""
    if len(text) < SHORTEST_WORD:
        return True
    return any(text in row * 13 or text[::-1] in row * 13 for row in SEQUENCES)
