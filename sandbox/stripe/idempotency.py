"""Idempotency as Stripe has it: the first answer is kept for 24 hours of the stand-in's clock, a 500 as
well."""

import hashlib
import json
import zlib
from base64 import b64decode, b64encode

from sandbox.stripe.errors import key_in_use, key_reused
from sandbox.stripe.store import State
from sandbox.stripe.types import Obj

KEPT_SECONDS = 24 * 3600
_MAX_KEY = 255


def _digest(params: Obj) -> str:
    return hashlib.sha256(json.dumps(params, sort_keys=True).encode()).hexdigest()


def kept_body(entry: Obj) -> bytes:
    """The answer as it was given the first time."""
    return zlib.decompress(b64decode(entry["answer"]))


class Ledger:
    """First answers by account and key; a key in flight has an entry without an answer."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._flying: set[str] = set()

    def begin(self, account_id: str, key: str, path: str, params: Obj) -> Obj | None:
        """The kept answer, or None when the request is the first and must be executed."""
        place = f"{account_id} {key}"
        entry = self._entry(place)
        if entry is not None:
            if entry["path"] != path or entry["digest"] != _digest(params):
                raise key_reused(key, entry["path"], path)
            return entry
        if place in self._flying:
            raise key_in_use(key)
        self._flying.add(place)
        return None

    def _entry(self, place: str) -> Obj | None:
        entry = self._state.idempotency.get(place)
        if entry is not None and self._is_old(place, entry):
            self._drop(place)
            return None
        return entry

    def _is_old(self, place: str, entry: Obj) -> bool:
        now = self._state.now(place.partition(" ")[0])
        return bool(entry["at"] <= now - KEPT_SECONDS)

    def _drop(self, place: str) -> None:
        del self._state.idempotency[place]
        self._state.dirty_idempotency.add(place)

    def finish(self, account_id: str, key: str, path: str, params: Obj, status: int, answer: bytes) -> None:
        place = f"{account_id} {key}"
        self._flying.discard(place)
        self._state.idempotency[place] = {
            "path": path,
            "digest": _digest(params),
            "status": status,
            "answer": b64encode(zlib.compress(answer, 1)).decode(),
            "at": self._state.now(account_id),
        }
        self._state.dirty_idempotency.add(place)
        self._prune()

    def abandon(self, account_id: str, key: str) -> None:
        """The request never began, so nothing is kept."""
        self._flying.discard(f"{account_id} {key}")

    def _prune(self) -> None:
        """Entries stand in the order they came; a few of the oldest are looked at each time."""
        old: list[str] = []
        for place, entry in self._state.idempotency.items():
            if len(old) == 50 or not self._is_old(place, entry):
                break
            old.append(place)
        for place in old:
            self._drop(place)
