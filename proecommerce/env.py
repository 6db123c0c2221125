"""Reads settings from the environment; a missing or wrong value stops the start with what to do."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NoReturn
from urllib.parse import unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured


@dataclass(frozen=True, slots=True)
class Environment:
    """The process environment, read by name and kind."""

    values: Mapping[str, str]

    def text(self, name: str, default: str | None = None) -> str:
        value = self.values.get(name, "").strip() or default
        if value is None:
            self._stop(name, "is not set")
        return value

    def flag(self, name: str, default: bool = False) -> bool:
        value = self.text(name, "1" if default else "0").lower()
        if value not in {"0", "1", "true", "false"}:
            self._stop(name, f"is {value!r}; use 1 or 0")
        return value in {"1", "true"}

    def whole(self, name: str, default: int, *, least: int = 0) -> int:
        value = self.text(name, str(default))
        if not (value.isascii() and value.isdigit()) or int(value) < least:
            self._stop(name, f"is {value!r}; use a whole number of at least {least}")
        return int(value)

    def url(self, name: str, default: str | None = None, *, schemes: tuple[str, ...]) -> str:
        value = self.text(name, default)
        parts = urlsplit(value)
        if parts.scheme not in schemes or not parts.hostname:
            self._stop(name, f"is not an address that starts with {' or '.join(s + '://' for s in schemes)}")
        return value

    def database(self, name: str) -> dict[str, str]:
        """Split a postgresql:// address into Django's connection keys."""
        parts = urlsplit(self.url(name, schemes=("postgresql", "postgres")))
        if not parts.path.strip("/"):
            self._stop(name, "names no database: postgresql://user:password@host:port/database")
        return {
            "NAME": unquote(parts.path.strip("/")),
            "USER": unquote(parts.username or ""),
            "PASSWORD": unquote(parts.password or ""),
            "HOST": parts.hostname or "",
            "PORT": str(parts.port or 5432),
        }

    def mailbox(self, name: str) -> str:
        """The address of an IMAP mailbox; without TLS only on this machine."""
        value = self.url(name, schemes=("imaps", "imap+tls", "imap"))
        parts = urlsplit(value)
        if parts.scheme == "imap" and parts.hostname not in {"127.0.0.1", "::1", "localhost"}:
            self._stop(name, "would send the password in the clear; use imaps:// or imap+tls://")
        return value

    def _stop(self, name: str, problem: str) -> NoReturn:
        raise ImproperlyConfigured(f"{name} {problem}. docs/configuration.md lists every setting.")


def from_process() -> Environment:
    return Environment(os.environ)
