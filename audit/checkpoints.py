"""Checkpoints, pure: the heads of all chains as a signed text that names the one before it; and their check.

A text lists the heads that moved since the one before, and all of them in the first of each day and while the
last ones do not say of every chain how many of its events concern money.
"""

import hashlib
import json
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from audit.chain import canonical, stamp
from audit.retention import MONEY

FIRST = "0" * 64  # what the first checkpoint names as the one before it
PREFIX = "checkpoints/"
LITTER = "the store holds a checkpoint that our key has not signed"
IsSigned = Callable[[bytes, bytes, bytes], bool]


@dataclass(frozen=True, slots=True)
class Head:
    """The head of one chain: its last event, and how many events stand in it beside purged links.

    `money` is how many events that concern money there have ever been in it; None: not said.
    """

    schema: str
    seq: int
    hash: bytes
    count: int
    money: int | None = None


@dataclass(frozen=True, slots=True)
class Signed:
    """A checkpoint's text with its signature."""

    document: bytes
    signature: bytes

    @property
    def hash(self) -> bytes:
        return hashlib.sha256(self.document).digest()


@dataclass(frozen=True, slots=True)
class Read:
    """What a checkpoint's text says."""

    number: int
    at: datetime
    previous: str
    complete: bool
    heads: Sequence[Head]
    key: str


def compose(
    *,
    number: int,
    at: datetime,
    previous: str,
    heads: Sequence[Head],
    complete: bool,
    chains: int,
    key: str,
    public_keys: Mapping[str, bytes],
) -> bytes:
    """Write a checkpoint's text, ready to be signed."""
    return canonical(
        {
            "format": 1,
            "number": number,
            "at": stamp(at),
            "previous": previous,
            "complete": complete,
            "chains": chains,
            "heads": [[head.schema, head.seq, head.hash.hex(), head.count] for head in heads],
            "money": {
                "kinds": MONEY,
                "counts": {head.schema: head.money for head in heads if head.money is not None},
            },
            "key": key,
            "public_keys": {name: b64encode(each).decode() for name, each in public_keys.items()},
        }
    )


def read(document: bytes) -> Read | None:
    """Read a checkpoint's text; None when it is none."""
    try:
        data = json.loads(document)
        at = datetime.strptime(data["at"], "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC)
        money = data.get("money", {})
        # Counted by other rules than those of today they cannot be compared with anything.
        counts = money["counts"] if money.get("kinds") == list(MONEY) else {}
        heads = [
            Head(name, seq, bytes.fromhex(digest), count, counts.get(name))
            for name, seq, digest, count in data["heads"]
        ]
        return Read(data["number"], at, data["previous"], data["complete"], heads, data["key"])
    except (ValueError, TypeError, KeyError, AttributeError):
        return None


def read_signed(signed: Signed, keys: Mapping[str, bytes], is_signed: IsSigned) -> Read | None:
    """Read a checkpoint; None when it is none, or not signed by one of these keys."""
    found = read(signed.document)
    if found is None or found.key not in keys:
        return None
    return found if is_signed(signed.document, signed.signature, keys[found.key]) else None


def folder_of(at: datetime) -> str:
    """Return the folder outside of the checkpoints of that day."""
    return f"{PREFIX}{at.astimezone(UTC):%Y/%m/%d}/"


def number_of(key: str) -> int:
    """Return the number of the checkpoint that is kept outside under this name; raises ValueError."""
    return int(key.rpartition("/")[2].removesuffix(".json"))


def key_of(number: int, at: datetime) -> str:
    """Return the name under which a checkpoint is kept outside."""
    return f"{folder_of(at)}{number:012d}.json"


def packed(signed: Signed) -> bytes:
    """Return what is kept outside: the text, and its signature on a line of its own."""
    return signed.document + b"\n" + b64encode(signed.signature) + b"\n"


def unpacked(body: bytes) -> Signed | None:
    """Read what is kept outside; None when it is no checkpoint."""
    parts = body.split(b"\n")
    try:
        return Signed(parts[0], b64decode(parts[1], validate=True)) if len(parts) == 3 else None
    except ValueError:
        return None


def problem_of(
    sequence: Iterable[Signed], *, keys: Mapping[str, bytes], is_signed: IsSigned, begin: int = 1
) -> str | None:
    """Return what is wrong with the first of these checkpoints that is not right after the one before.

    The first is number `begin`; what it names as the one before is asked only of number 1.
    """
    previous, at = FIRST if begin == 1 else None, None
    for number, each in enumerate(sequence, begin):
        found = read(each.document)
        if found is None or found.number != number:
            return f"checkpoint {number} is missing"
        if found.key not in keys or not is_signed(each.document, each.signature, keys[found.key]):
            return f"checkpoint {number} is not signed by our key"
        if previous is not None and found.previous != previous:
            return f"checkpoint {number} does not follow the one before it"
        if at is not None and found.at <= at:
            return f"checkpoint {number} is dated before the one before it"
        previous, at = each.hash.hex(), found.at
    return None


def store_problem(
    here: Mapping[int, Signed], outside: Iterable[Signed], *, keys: Mapping[str, bytes], is_signed: IsSigned
) -> str | None:
    """Compare the checkpoints here with the copies outside, which nobody could change since they were signed.

    A copy by a key that is none of ours is somebody's litter, and is named as such.
    """
    for each in outside:
        found = read_signed(each, keys, is_signed)
        if found is None:
            return LITTER
        if found.number not in here:
            return f"the store holds checkpoint {found.number}, which is not here any more"
        if here[found.number].hash != each.hash:
            return f"checkpoint {found.number} is another one in the store"
    return None
