"""Django's session rows under a hash of the key, for one host of one schema only.

Whoever reads the table, or a backup of it, finds no key to put into a cookie; a cookie or a row that was
copied to another host or another schema opens nothing there.
"""

import hashlib
from base64 import b32encode
from typing import Any

from django.contrib.sessions.backends.db import SessionStore as DatabaseStore
from django.contrib.sessions.models import Session as Row
from django.utils import timezone

from accounts.models import Session
from tenants.context import current_schema

HOST = "_host"


def stored_key(key: str) -> str:
    """Return what stands in the database for the key of a cookie: 200 bits of a hash, for this schema."""
    digest = hashlib.sha256(f"session\0{current_schema()}\0{key}".encode()).digest()
    return b32encode(digest[:25]).decode().lower()


class SessionStore(DatabaseStore):
    """Sessions of the schema entered. `host` binds what is read and written to that host."""

    host: str | None = None
    bound_to: str | None = None

    @classmethod
    def get_model_class(cls) -> type[Row]:
        return Row

    def load(self) -> dict[str, Any]:
        """Read the session; another host's is not there."""
        row = self._get_session_from_db()
        data: dict[str, Any] = self.decode(row.session_data) if row else {}
        self.bound_to = data.pop(HOST, None)
        if row is not None and self.host is not None and self.bound_to != self.host:
            self._session_key = None
            return {}
        return data

    def _get_session_from_db(self) -> Row | None:
        row = None
        if self.session_key is not None:
            living = Row.objects.filter(expire_date__gt=timezone.now())
            row = living.filter(session_key=stored_key(self.session_key)).first()
        if row is None:
            self._session_key = None
        return row

    def exists(self, session_key: str) -> bool:
        return Row.objects.filter(session_key=stored_key(session_key)).exists()

    def create_model_instance(self, data: dict[str, Any]) -> Row:
        bound = {HOST: self.host or self.bound_to}
        key = self.session_key or self._get_new_session_key()  # type: ignore[attr-defined]
        return Row(
            session_key=stored_key(key),
            session_data=self.encode({**data, **bound}),
            expire_date=self.get_expiry_date(),
        )

    def delete(self, session_key: str | None = None) -> None:
        key = session_key or self.session_key
        if key is not None:
            Row.objects.filter(session_key=stored_key(key)).delete()

    def cycle_key(self) -> None:
        """Give the session a new key; the log-in that it belongs to goes with it."""
        before = self.session_key
        super().cycle_key()
        if before is not None and self.session_key is not None:
            moved = Session.objects.filter(key_hash=stored_key(before))
            moved.update(key_hash=stored_key(self.session_key))


def forget_rows(stored_keys: list[str]) -> None:
    """Delete the data of sessions that are over."""
    Row.objects.filter(session_key__in=stored_keys).delete()
