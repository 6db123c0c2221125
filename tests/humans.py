"""What a browser adds to a public form: a stamp that is old enough, and the work done for it."""

from datetime import timedelta
from itertools import count

from accounts.humans import is_proof, make_stamp
from tenants import clock


def stamped(purpose: str, *, seconds: int = 10, work: bool = True) -> dict[str, str]:
    """Return the hidden fields of a form that was shown so many seconds ago."""
    stamp = make_stamp(purpose, now=clock.wall() - timedelta(seconds=seconds))
    return {"stamp": stamp, "work": prove(stamp) if work else ""}


def prove(stamp: str) -> str:
    return next(str(n) for n in count() if is_proof(stamp, str(n)))
