"""No float ever touches money: no float literal, `float`, `round` or true division in billing.

A line that is no money (a time-out in seconds) says so with the comment `# not money`.
"""

import ast
from pathlib import Path

import pytest

BILLING = Path(__file__).parents[2] / "billing"
EXCUSE = "# not money"
NO_MONEY = {"colours.py"}  # contrast of colours, as WCAG defines it


def findings(source: str) -> list[tuple[int, str]]:
    """List what is forbidden in a module, as (line, what)."""
    lines = source.splitlines()
    found = [
        (node.lineno, what)
        for node in ast.walk(ast.parse(source))
        if (what := _offence(node)) and isinstance(node, ast.expr | ast.stmt)
    ]
    return sorted((line, what) for line, what in found if EXCUSE not in lines[line - 1])


def _offence(node: ast.AST) -> str:
    match node:
        case ast.Constant(value=float() | complex()):
            return "float literal"
        case ast.Name(id="float" | "round" as name):
            return name
        case ast.BinOp(op=ast.Div()) if not _is_path(node):
            return "true division"
        case ast.AugAssign(op=ast.Div()):
            return "true division"
        case ast.Attribute(attr="truediv" | "fsum" | "fdiv" as name):
            return name
        case _:
            return ""


def _is_path(node: ast.expr) -> bool:
    """`folder / "name"` joins paths; a piece of text is no number."""
    match node:
        case ast.Constant(value=str()) | ast.JoinedStr():
            return True
        case ast.BinOp(left=left, op=ast.Div(), right=right):
            return _is_path(left) or _is_path(right)
        case _:
            return False


def modules() -> list[Path]:
    found = (path for path in BILLING.rglob("*.py") if "migrations" not in path.parts)
    return sorted(path for path in found if path.name not in NO_MONEY)


def test_billing_knows_no_float() -> None:
    found = {str(path): findings(path.read_text(encoding="utf-8")) for path in modules()}
    assert {path: what for path, what in found.items() if what} == {}


def test_the_money_core_is_looked_at() -> None:
    names = {path.name for path in modules()}
    assert names >= {"money.py", "periods.py", "pricing.py", "tax.py", "numbering.py", "formats.py"}


@pytest.mark.parametrize(
    ("source", "what"),
    [
        ("x = 0.1", "float literal"),
        ("x = 1e3", "float literal"),
        ("x = 2j", "float literal"),
        ("x = float(y)", "float"),
        ("def f(x: float): ...", "float"),
        ("x = list(map(float, y))", "float"),
        ("x = round(y, 2)", "round"),
        ("x = a / b", "true division"),
        ("x /= 2", "true division"),
        ("x = operator.truediv(a, b)", "truediv"),
    ],
)
def test_the_guard_sees(source: str, what: str) -> None:
    assert findings(source) == [(1, what)]


@pytest.mark.parametrize(
    "source", ["x = a // b", "x = 1_000", "p = here / 'fonts' / name", "t = 0.5  # not money", "s = '0.5'"]
)
def test_the_guard_lets_pass(source: str) -> None:
    assert findings(source) == []
