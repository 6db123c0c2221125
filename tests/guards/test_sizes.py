"""Nothing grows beyond what one can read at a sitting: modules, functions, pages' functions."""

import ast
from pathlib import Path

import pytest

from tests.guards.source import APPS, ROOT, modules, tree

MODULE, FUNCTION, TEST_FILE = 600, 40, 600


def length(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines of the function's body; its signature and docstring are to be read, not to be followed."""
    first = node.body[0]
    documented = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
    start = (first.end_lineno or 0) + 1 if documented else first.lineno
    return (node.end_lineno or 0) - start + 1


def too_long(source: ast.Module) -> list[str]:
    return [
        f"{node.name} ({length(node)} lines)"
        for node in ast.walk(source)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and length(node) > FUNCTION
    ]


@pytest.mark.parametrize("path", modules(*APPS, "sandbox"), ids=str)
def test_modules_and_functions_stay_readable(path: Path) -> None:
    assert len((ROOT / path).read_text(encoding="utf-8").splitlines()) <= MODULE
    assert too_long(tree(path)) == []


def test_test_files_stay_readable() -> None:
    sizes = {path: len((ROOT / path).read_text(encoding="utf-8").splitlines()) for path in modules("tests")}
    assert {path: size for path, size in sizes.items() if size > TEST_FILE} == {}


def test_the_guard_sees_a_long_function() -> None:
    body = "\n".join(f"    x = {n}" for n in range(41))
    assert too_long(ast.parse(f"def f():\n{body}")) == ["f (41 lines)"]
    doc = '    """One\n    two."""\n'
    assert too_long(ast.parse(f"def f():\n{doc}{body[: body.rindex(chr(10))]}")) == []
