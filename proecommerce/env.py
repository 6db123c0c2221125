"""Reads settings from the environment; a missing or wrong value stops the start with what to do."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, NoReturn
from urllib.parse import unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

PLAIN: Final = frozenset({"http", "smtp"})


def is_here(host: str) -> bool:
    """Whether a name leads to this machine itself: nothing that goes there is seen by others."""
    return host in {"127.0.0.1", "::1", "localhost"} or host.endswith(".localhost")


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
        """An address, "" where that is the default. Where the site has TLS, all that leaves it has (P1)."""
        value = self.text(name, default)
        if not value and default == "":
            return ""
        parts = urlsplit(value)
        if parts.scheme not in schemes or not parts.hostname:
            self._stop(name, f"is not an address that starts with {' or '.join(s + '://' for s in schemes)}")
        if parts.scheme in PLAIN and not is_here(parts.hostname) and self._has_tls():
            safe = " or ".join(f"{each}://" for each in schemes if each not in PLAIN)
            self._stop(name, f"would go over the net in the clear, while SITE_URL has TLS; use {safe}")
        return value

    def mail_server(self, name: str, default: str, *, apart_from: str = "") -> dict[str, Any]:
        """What Django connects to a mail server by; empty where none is named.

        `apart_from`: the name of another such setting, whose server this one may not be, but on this machine.
        """
        parts = urlsplit(self.url(name, default, schemes=("smtps", "smtp+tls", "smtp")))
        if parts.hostname is None:
            return {}
        other = urlsplit(self.values.get(apart_from, "")).hostname
        if parts.hostname == other and not is_here(parts.hostname):
            self._stop(name, f"is the server of {apart_from}, which must be another")
        return {
            "host": parts.hostname,
            "port": parts.port or 25,
            "username": unquote(parts.username or ""),
            "password": unquote(parts.password or ""),
            "use_ssl": parts.scheme == "smtps",
            "use_tls": parts.scheme == "smtp+tls",
        }

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
        if parts.scheme == "imap" and not is_here(parts.hostname or ""):
            self._stop(name, "would send the password in the clear; use imaps:// or imap+tls://")
        return value

    def _has_tls(self) -> bool:
        return self.values.get("SITE_URL", "").strip().startswith("https://")

    def _stop(self, name: str, problem: str) -> NoReturn:
        raise ImproperlyConfigured(f"{name} {problem}. docs/configuration.md lists every setting.")


def from_process() -> Environment:
    return Environment(os.environ)
