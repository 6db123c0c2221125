"""The project's own source, for guards that read it."""

import ast
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
APPS = ("proecommerce", "operations", "billing", "accounts", "privacy", "tenants", "audit", "vault")


def modules(*packages: str) -> list[Path]:
    """Every module of these packages but migrations, as paths from the root."""
    found = (path.relative_to(ROOT) for package in packages for path in (ROOT / package).rglob("*.py"))
    return sorted(path for path in found if "migrations" not in path.parts)


def found_in(paths: Iterable[Path], look: Callable[[Path], list[str]]) -> dict[str, list[str]]:
    """Those of the modules in which `look` finds something, and what: one test for all of them."""
    found = {str(path): look(path) for path in paths}
    return {path: what for path, what in found.items() if what}


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse((ROOT / path).read_text(encoding="utf-8"))


def calls(path: Path) -> Iterator[tuple[ast.Call, str]]:
    """Every call in the module with the last word of what is called."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Call):
            yield node, _last_word(node.func)


def _last_word(func: ast.expr) -> str:
    match func:
        case ast.Name(id=word) | ast.Attribute(attr=word):
            return word
        case _:
            return ""


def imports(path: Path) -> Iterator[str]:
    """Every module that this one imports, with the names taken from it."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
