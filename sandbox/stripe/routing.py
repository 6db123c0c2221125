"""Which function answers which path, and with which parameters."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sandbox.stripe.errors import wrong_route
from sandbox.stripe.forms import EXPAND, Spec

Endpoint = Callable[..., Any]


@dataclass(frozen=True, slots=True)
class Route:
    method: str
    pattern: tuple[str, ...]
    spec: Spec
    answer: Endpoint
    publishable: bool  # open to publishable keys, which every visitor of a page knows

    def match(self, segments: list[str]) -> tuple[str, ...] | None:
        found: list[str] = []
        for expected, given in zip(self.pattern, segments, strict=True):
            if expected[0] == "{":
                found.append(given)
            elif expected != given:
                return None
        return tuple(found)


ROUTES: dict[tuple[str, int], list[Route]] = {}


def route(
    method: str, path: str, spec: Spec | None = None, *, publishable: bool = False
) -> Callable[[Endpoint], Endpoint]:
    pattern = tuple(path.strip("/").split("/"))

    def register(answer: Endpoint) -> Endpoint:
        entry = Route(method, pattern, {**EXPAND, **(spec or {})}, answer, publishable)
        same_size = ROUTES.setdefault((method, len(pattern)), [])
        same_size.append(entry)
        # A fixed word wins over an id in the same place.
        same_size.sort(key=lambda known: [part[0] == "{" for part in known.pattern])
        return answer

    return register


def find(method: str, path: str) -> tuple[Route, tuple[str, ...]]:
    segments = path.strip("/").split("/")
    if all(segments):
        for candidate in ROUTES.get((method, len(segments)), ()):
            found = candidate.match(segments)
            if found is not None:
                return candidate, found
    raise wrong_route(method, path)
