"""Every route of the three hosts, with an address for each: for guards that walk them all."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.conf import settings
from django.urls import URLPattern, URLResolver, get_resolver

NOBODY = UUID(int=7)


@dataclass(frozen=True)
class Route:
    """One route: its host, its name with namespaces, an address that leads to it."""

    host: str
    name: str
    path: str

    def __str__(self) -> str:
        return f"{self.host}:{self.name or self.path}"


def hosts() -> dict[str, str]:
    """Each kind of host, with its pages."""
    return {
        f"alpha.{settings.SITE_HOST}": settings.ROOT_URLCONF,
        settings.SITE_HOST: settings.PUBLIC_URLCONF,
        settings.PAY_HOST: settings.PAY_URLCONF,
    }


def every(known: Mapping[str, Any] | None = None) -> list[Route]:
    """All routes; `known` gives values of arguments, others get one that leads to nothing.

    By name, or as `route:name` or `namespace:name` where one name stands for several things.
    """
    found = []
    for host, urlconf in hosts().items():
        for name, path in _walk(get_resolver(urlconf), "/", "", known or {}):
            found.append(Route(host, name, path))
    return found


def _walk(
    resolver: URLResolver, prefix: str, space: str, known: Mapping[str, Any]
) -> Iterator[tuple[str, str]]:
    for each in resolver.url_patterns:
        if isinstance(each, URLResolver):
            inside = f"{space}{each.namespace}:" if each.namespace else space
            yield from _walk(each, prefix + _filled(each.pattern, inside, known), inside, known)
        elif isinstance(each, URLPattern):
            name = f"{space}{each.name}" if each.name else ""
            yield name, prefix + _filled(each.pattern, f"{name}:", known)


def _filled(pattern: Any, route: str, known: Mapping[str, Any]) -> str:
    """The pattern's text with a value for each of its arguments."""
    text = str(pattern)
    if text == "(?P<url>.*)$":  # the admin's catch-all
        return "nothing-here/"
    if text.startswith("^") or "(?P<" in text:
        return re.sub(r"\^\(\?P<app_label>[a-z|]+\)/\$", "tenants/", text).lstrip("^").rstrip("$")
    for name, converter in pattern.converters.items():
        kind = {
            "UUIDConverter": "uuid",
            "StringConverter": "str",
            "PathConverter": "path",
            "SlugConverter": "slug",
        }
        fallback = NOBODY if type(converter).__name__ == "UUIDConverter" else 7
        label = kind.get(type(converter).__name__, "int")
        by = (f"{route}{name}", f"{route.partition(':')[0]}:{name}", name)
        value = str(converter.to_url(next((known[each] for each in by if each in known), fallback)))
        text = text.replace(f"<{label}:{name}>", value).replace(f"<{name}>", value)
    return text
