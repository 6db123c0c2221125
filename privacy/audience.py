"""Who the present customers are, for what all of them must hear: higher apps tell, for the schema entered."""

from collections.abc import Callable, Iterator

from privacy.subjects import Subject

_crowds: dict[str, Callable[[], Iterator[str]]] = {}


def crowd(kind: str, ids: Callable[[], Iterator[str]]) -> None:
    """Register how the present customers of a kind are found; `privacy.subjects` knows how to reach them."""
    _crowds[kind] = ids


def everybody() -> Iterator[Subject]:
    """Yield every present customer of the schema entered."""
    for kind, ids in _crowds.items():
        for subject_id in ids():
            yield Subject(kind, subject_id)
