"""Pages of a list that cost the same at its beginning and at its end: by the last row seen, not by counting.

A cursor names a row by its sorting value and id. It is no secret and no right: a forged one only starts
the same list elsewhere, an unreadable one at its beginning.
"""

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from django.core.exceptions import FieldDoesNotExist, ValidationError
from django.db.models import Model, Q, QuerySet

SIZE = 25

M = TypeVar("M", bound=Model)
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Order:
    """By one column that is never null, ties by a unique one; an index has both in this order."""

    key: str
    descending: bool = False
    tie: str = "id"

    def names(self, *, reverse: bool = False) -> list[str]:
        sign = "-" if self.descending != reverse else ""
        return [f"{sign}{name}" for name in dict.fromkeys((self.key, self.tie))]


@dataclass(frozen=True, slots=True)
class Place:
    """Where in a list to read: after a cursor, or before one; neither is the beginning."""

    after: str = ""
    before: str = ""

    @classmethod
    def of(cls, query: Mapping[str, Any]) -> "Place":
        """Read the place from a request's query."""
        return cls(str(query.get("after", ""))[:600], str(query.get("before", ""))[:600])


@dataclass(frozen=True, slots=True)
class Slice(Generic[T]):
    """One page of rows, and the cursors of its neighbours ("" where there is none)."""

    rows: list[T]
    previous: str = ""
    next: str = ""


def read(rows: QuerySet[M], order: Order, place: Place, *, size: int = SIZE) -> Slice[M]:
    """Return one page, in one query."""
    spot = _decoded(place.before or place.after, rows.model, order)
    back = bool(place.before) and spot is not None
    part = rows if spot is None else rows.filter(_beyond(order, spot, upwards=order.descending == back))
    found = list(part.order_by(*order.names(reverse=back))[: size + 1])
    if not found:
        return Slice([]) if spot is None else read(rows, order, Place(), size=size)
    more, found = len(found) > size, found[:size]
    if back:
        found.reverse()
    has_previous = more if back else spot is not None
    has_next = more if not back else spot is not None
    return Slice(
        found,
        previous=_encoded(found[0], order) if has_previous else "",
        next=_encoded(found[-1], order) if has_next else "",
    )


def _beyond(order: Order, spot: tuple[Any, Any], *, upwards: bool) -> Q:
    way = "gt" if upwards else "lt"
    value, tie = spot
    if order.key == order.tie:
        return Q(**{f"{order.key}__{way}": value})
    # The first condition alone lets the index find the start; the second settles ties.
    return Q(**{f"{order.key}__{way}e": value}) & (
        Q(**{f"{order.key}__{way}": value}) | Q(**{f"{order.tie}__{way}": tie})
    )


def _encoded(row: Model, order: Order) -> str:
    value = getattr(row, order.key)
    text = value.isoformat() if hasattr(value, "isoformat") else str(value)
    raw = json.dumps([text, str(getattr(row, order.tie))], ensure_ascii=False)
    return base64.urlsafe_b64encode(raw.encode()).decode().rstrip("=")


def _decoded(cursor: str, model: type[Model], order: Order) -> tuple[Any, Any] | None:
    if not cursor:
        return None
    try:
        raw = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        value, tie = json.loads(raw)
        return _cleaned(model, order.key, value), _cleaned(model, order.tie, tie)
    except (binascii.Error, ValueError, TypeError, ValidationError, FieldDoesNotExist, RecursionError):
        return None


def _cleaned(model: type[Model], name: str, value: object) -> Any:
    cleaned = model._meta.get_field(name).to_python(value)  # type: ignore[union-attr]
    if cleaned is None or (isinstance(cleaned, str) and "\0" in cleaned):
        raise ValueError(value)
    return cleaned
