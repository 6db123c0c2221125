"""The only ways to the database: the ORM and statements with parameters, on the connection of the tenant."""

import ast
from pathlib import Path

import pytest

from tests.guards.source import APPS, calls, found_in, imports, modules, tree

FORBIDDEN = {"raw", "extra", "RawSQL", "mogrify", "using"}
BACKEND = {Path("tenants/postgresql/base.py")}
# Put statements together from names: of the catalog, of models' fields, of proofs that stand in the module.
ON_NAMES = {
    Path("tenants/migrating.py"),
    Path("tenants/blueprint.py"),
    Path("billing/importing/bulk.py"),
    Path("billing/ledger_checking.py"),
}


def offences(path: Path) -> list[str]:
    found = [f"line {call.lineno}: .{word}()" for call, word in calls(path) if word in FORBIDDEN]
    for node in ast.walk(tree(path)):
        match node:
            case ast.Attribute(attr="connection", value=ast.Name(id="connection")):
                found.append(f"line {node.lineno}: the driver's own connection")
            case ast.Call(func=ast.Attribute(attr="execute" | "executemany" | "copy"), args=[statement, *_]):
                if not is_constant(statement) and path not in ON_NAMES:
                    found.append(
                        f"line {node.lineno}: a statement put together from {ast.unparse(statement)[:60]}"
                    )
            case _:
                pass
    if any(name.startswith("psycopg") and "connect" in name for name in imports(path)):
        found.append("connects by itself")
    return found


def is_constant(statement: ast.expr) -> bool:
    """Text of our own: literals, constants in capitals, a model's table name."""
    match statement:
        case ast.Constant() | ast.Attribute(attr="db_table"):
            return True
        case ast.Name(id=word) | ast.Attribute(attr=word):
            return word.isupper() or word in {"statement", "query"}
        case ast.JoinedStr(values=parts):
            return all(
                is_constant(part.value if isinstance(part, ast.FormattedValue) else part) for part in parts
            )
        case ast.BinOp(left=left, op=ast.Add(), right=right) | ast.IfExp(body=left, orelse=right):
            return is_constant(left) and is_constant(right)
        case ast.Call(func=ast.Attribute(attr="format" | "join", value=ast.Constant())):
            return all(is_constant(each) for each in statement.args)
        case _:
            return False


def test_no_way_around_the_walls() -> None:
    assert found_in((path for path in modules(*APPS) if path not in BACKEND), offences) == {}


@pytest.mark.parametrize(
    "source",
    [
        "Invoice.objects.raw('SELECT 1')",
        "Invoice.objects.extra(where=['1=1'])",
        "cursor.execute(f'SELECT {name}')",
        "cursor.execute('SELECT ' + name)",
        "cursor.execute('SELECT %s' % name)",
        "cursor.execute('SELECT {}'.format(name))",
        "connection.connection.cursor()",
    ],
)
def test_the_guard_sees(source: str, tmp_path: Path) -> None:
    written = tmp_path / "wrong.py"
    written.write_text(source)
    assert len(offences(written)) == 1


@pytest.mark.parametrize(
    "source",
    [
        "cursor.execute('SELECT %s', [name])",
        "cursor.execute(f'SELECT {COLUMNS} FROM {Invoice._meta.db_table}')",
        "cursor.execute(QUERY, {'a': 1})",
    ],
)
def test_the_guard_lets_pass(source: str, tmp_path: Path) -> None:
    written = tmp_path / "right.py"
    written.write_text(source)
    assert offences(written) == []
