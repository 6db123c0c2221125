"""Hostnames as tenants write them: pure."""

import re

import idna

from tenants.errors import HostRefused

LONGEST = 253
_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
# Names that the internet never gives to anybody (RFC 6761, 6762, 7686, 8375, 9476, and ICANN's .internal).
_SPECIAL = frozenset({"alt", "arpa", "home", "internal", "invalid", "lan", "local", "localhost", "onion"})


def hostname_of(text: str) -> str:
    """Return the name in the form that DNS knows (lower case, IDNA); raises `HostRefused` with what to do."""
    name = text.strip().rstrip(".").lower()
    if "/" in name or ":" in name or "@" in name:
        raise HostRefused("Enter the name only, without https:// or a path, like billing.example.com.")
    try:
        name = idna.encode(name, uts46=True).decode("ascii")
    except idna.IDNAError as error:
        raise HostRefused("That is not a hostname. Enter one like billing.example.com.") from error
    labels = name.split(".")
    if len(name) > LONGEST or not all(map(_LABEL.fullmatch, labels)):
        raise HostRefused("That is not a hostname. Enter one like billing.example.com.")
    if len(labels) < 2 or labels[-1].isdigit() or labels[-1] in _SPECIAL:
        raise HostRefused(
            "That name cannot be reached from the internet. Enter one like billing.example.com."
        )
    return name


def is_within(name: str, domain: str) -> bool:
    """Tell whether the name is the domain or lies below it."""
    return name == domain or name.endswith(f".{domain}")
