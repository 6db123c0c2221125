"""A pytest plugin that takes one call of `record` after another out of the rules: which tests miss it?

`bin/bench recordings` runs the suite with it. Each test is run as ever; if it read the record, then once more
for each recording call that it came by and that no test has missed yet, without that call. Failing then, and
passing again with it, it has missed it. What answers the event of an entry is missed by the database.
"""

import ast
import importlib
import inspect
import os
import sys
import warnings
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

import pytest
from _pytest.runner import runtestprotocol

ROOT = Path(__file__).resolve().parent.parent
APPS = ("accounts", "billing", "operations", "privacy", "proecommerce", "tenants")
RECORDING = {"record", "record_many"}
PATIENCE = 2.0  # seconds: slower tests are not run again
TRIES = 40  # a worker, for each call: after so many tests it is left
ASKING = "test_recorded.py"  # these ask for what no other test does
NOTHING = "lambda *args, **options: None"
READS = 'FROM "audit_auditevent"'


@dataclass(frozen=True, order=True)
class Site:
    """A call that records: where it stands, and the function of a module or class around it."""

    module: str
    function: str  # "pay", or "Command.handle"
    line: int
    column: int
    is_named: bool  # whether what it answers is used: an entry is to name the event

    def __str__(self) -> str:
        return f"{self.module}.{self.function}:{self.line}"

    @property
    def path(self) -> Path:
        return ROOT.joinpath(*self.module.split(".")).with_suffix(".py")


class TakeOut(ast.NodeTransformer):
    """Has one call do nothing; what it is called with is still worked out."""

    def __init__(self, site: Site) -> None:
        self.site = site

    def visit_Call(self, node: ast.Call) -> ast.AST:
        if (node.lineno, node.col_offset) == (self.site.line, self.site.column):
            node.func = ast.copy_location(ast.parse(NOTHING, mode="eval").body, node.func)
        return self.generic_visit(node)


@cache
def sites(*apps: str) -> tuple[Site, ...]:
    """Return every call of `record` and `record_many` in these apps."""
    found: list[Site] = []
    for app in apps:
        for path in sorted((ROOT / app).rglob("*.py")):
            module = ".".join(path.relative_to(ROOT).with_suffix("").parts)
            found += _sites_of(module, ast.parse(path.read_text(encoding="utf-8")))
    return tuple(found)


def _sites_of(module: str, tree: ast.Module) -> Iterator[Site]:
    alone = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for name, function in _functions(tree):
        for node in ast.walk(function):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in RECORDING:
                yield Site(module, name, node.lineno, node.col_offset, id(node) not in alone)


def _functions(tree: ast.Module) -> Iterator[tuple[str, ast.FunctionDef]]:
    for node in tree.body:
        if isinstance(node, ast.FunctionDef):
            yield node.name, node
        elif isinstance(node, ast.ClassDef):
            yield from ((f"{node.name}.{e.name}", e) for e in node.body if isinstance(e, ast.FunctionDef))


@contextmanager
def without(site: Site) -> Iterator[None]:
    """The function without that call, wherever it was imported to."""
    tree = TakeOut(site).visit(ast.parse(site.path.read_text(encoding="utf-8")))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SyntaxWarning)  # such as of `None[0]`: that is what is wanted
        code = compile(ast.fix_missing_locations(tree), str(site.path), "exec")
    function: object = importlib.import_module(site.module)
    for name in site.function.split("."):
        (code,) = (each for each in code.co_consts if isinstance(each, CodeType) and each.co_name == name)
        function = inspect.unwrap(getattr(function, name))
    assert function.__code__ != code  # type: ignore[attr-defined]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(function, "__code__", code)
        yield


class Mutator:
    """Runs each test again for the calls that it came by. What is known lies in files, for all workers."""

    def __init__(self, notes: Path) -> None:
        self.notes = notes
        self.known = {(str(each.path), each.line, each.column): each for each in sites(*APPS)}
        self.seen: set[Site] = set()
        self.tries: Counter[Site] = Counter()
        self.has_read = False

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_finish(self) -> None:
        from audit import recording

        usual = recording._chained

        def chained(*args: object, **options: object) -> object:
            if (site := self._site_of(sys._getframe(1))) is not None:
                self.seen.add(site)
            return usual(*args, **options)  # type: ignore[arg-type]

        recording._chained = chained  # type: ignore[assignment]

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item, nextitem: pytest.Item | None) -> bool:
        from django.db import connection

        # What the last one shares with others is put away at the session's end.
        nextitem = nextitem or next((each for each in item.session.items if each is not item), None)
        self.seen, self.has_read = set(), False
        item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
        with connection.execute_wrapper(self._watch):
            reports = runtestprotocol(item, nextitem=nextitem, log=True)
        item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
        took = sum(each.duration for each in reports)
        asks = item.path.name == ASKING
        if (asks or took < PATIENCE) and all(each.passed for each in reports):
            for site in sorted(self.seen):
                self._note("reached", site, item)
                may_miss = self.has_read or site.is_named
                if may_miss and not self._is("missed", site) and self._misses(item, site, nextitem):
                    self._note("missed", site, item)
        return True

    def _watch(self, execute: Any, sql: Any, params: Any, many: bool, context: Any) -> Any:
        self.has_read = self.has_read or READS in str(sql)
        return execute(sql, params, many, context)

    def _misses(self, item: pytest.Item, site: Site, nextitem: pytest.Item | None) -> bool:
        self.tries[site] += 1
        if self.tries[site] > TRIES and item.path.name != ASKING:
            return False
        with without(site):
            passed = self._passes(item, nextitem)
        return not passed and self._passes(item, nextitem)

    def _passes(self, item: pytest.Item, nextitem: pytest.Item | None) -> bool:
        item._initrequest()  # type: ignore[attr-defined]
        return all(each.passed for each in runtestprotocol(item, nextitem=nextitem, log=False))

    def _site_of(self, frame: FrameType | None) -> Site | None:
        """The recording call that this is in: the first frame that is not of the record itself."""
        while frame is not None and frame.f_code.co_filename.endswith("audit/recording.py"):
            frame = frame.f_back
        if frame is None:
            return None
        line, _, column, _ = list(frame.f_code.co_positions())[frame.f_lasti // 2]
        return self.known.get((frame.f_code.co_filename, line or 0, column or 0))

    def _note(self, kind: str, site: Site, item: pytest.Item) -> None:
        (self.notes / f"{kind} {site}").write_text(item.nodeid, encoding="utf-8")

    def _is(self, kind: str, site: Site) -> bool:
        return (self.notes / f"{kind} {site}").exists()


def pytest_configure(config: pytest.Config) -> None:
    if "RECORDINGS" in os.environ and (
        hasattr(config, "workerinput") or not config.getoption("numprocesses", None)
    ):
        config.pluginmanager.register(Mutator(Path(os.environ["RECORDINGS"])))
