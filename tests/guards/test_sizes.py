"""Nothing grows beyond what one can read at a sitting: modules, functions, pages' functions."""

import ast
from pathlib import Path

from tests.guards.source import APPS, ROOT, found_in, modules, tree

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


def lines_over(limit: int, path: Path) -> list[str]:
    lines = len((ROOT / path).read_text(encoding="utf-8").splitlines())
    return [f"{lines} lines"] if lines > limit else []


def test_modules_and_functions_stay_readable() -> None:
    found = found_in(modules(*APPS, "sandbox"), lambda path: lines_over(MODULE, path) + too_long(tree(path)))
    assert found == {}


def test_test_files_stay_readable() -> None:
    assert found_in(modules("tests"), lambda path: lines_over(TEST_FILE, path)) == {}


def test_the_guard_sees_a_long_function() -> None:
    body = "\n".join(f"    x = {n}" for n in range(41))
    assert too_long(ast.parse(f"def f():\n{body}")) == ["f (41 lines)"]
    doc = '    """One\n    two."""\n'
    assert too_long(ast.parse(f"def f():\n{doc}{body[: body.rindex(chr(10))]}")) == []
