"""The routes, as the resolver has them."""

from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from django.urls import URLPattern, URLResolver


@dataclass(frozen=True)
class Route:
    """One route: its name with its namespaces, and the names of its parameters."""

    name: str
    parameters: tuple[str, ...]


def routes(urlconf: str) -> list[Route]:
    """Every route of the module, the named and the nameless."""
    return list(_walk(import_module(urlconf).urlpatterns, "", ()))


def _walk(patterns: list[Any], prefix: str, outer: tuple[str, ...]) -> Iterator[Route]:
    for each in patterns:
        known = (*outer, *_parameters(each.pattern))
        if isinstance(each, URLResolver):
            inner = f"{prefix}{each.namespace}:" if each.namespace else prefix
            yield from _walk(each.url_patterns, inner, known)
        elif isinstance(each, URLPattern):
            yield Route(f"{prefix}{each.name or each.pattern}", known)


def _parameters(pattern: Any) -> tuple[str, ...]:
    converters = getattr(pattern, "converters", {})
    return tuple(converters) or tuple(pattern.regex.groupindex)


def without_a_case(found: list[Route], cases: dict[str, Any]) -> set[str]:
    """The names that no case has; a case that ends in `:` is for a whole namespace."""
    spaces = tuple(name for name in cases if name.endswith(":"))
    return {r.name for r in found if r.name not in cases and not (spaces and r.name.startswith(spaces))}
