"""Every job that is asked for by name is registered, and gets the arguments that its handler takes."""

import ast
import inspect
from collections.abc import Mapping
from pathlib import Path

import pytest

from tenants.jobs import handler_of, job_names
from tests.guards.source import APPS, calls, modules

OWN = {"run_at", "key", "schema"}


def asked(path: Path) -> list[tuple[int, str, set[str] | None]]:
    """Each `enqueue("name", …)` and `Asked("name", {…})`: line, name, arguments where one can read them."""
    found: list[tuple[int, str, set[str] | None]] = []
    for call, word in calls(path):
        if word not in {"enqueue", "Asked"} or not call.args:
            continue
        name = call.args[0]
        if isinstance(name, ast.Constant) and isinstance(name.value, str):
            found.append((call.lineno, name.value, _arguments(call, word)))
    return found


def _arguments(call: ast.Call, word: str) -> set[str] | None:
    if word == "enqueue":
        names = {keyword.arg for keyword in call.keywords}
        return None if None in names else {name for name in names if name} - OWN
    given = call.args[1] if len(call.args) > 1 else None
    if not isinstance(given, ast.Dict):
        return None
    keys = {key.value for key in given.keys if isinstance(key, ast.Constant) and isinstance(key.value, str)}
    return keys if len(keys) == len(given.keys) else None


@pytest.mark.parametrize("path", [path for path in modules(*APPS) if asked(path)], ids=str)
def test_what_is_asked_for_is_registered_with_these_arguments(path: Path) -> None:
    for line, name, arguments in asked(path):
        assert name in job_names(), f"{path}:{line} asks for {name!r}, which nobody handles"
        if arguments is not None:
            taken = inspect.signature(handler_of(name).run).parameters
            assert arguments <= set(taken) or _takes_any(taken), (
                f"{path}:{line}: {name} does not take {arguments - set(taken)}"
            )
            named = [each for each in taken.values() if each.kind is not inspect.Parameter.VAR_KEYWORD]
            needed = {each.name for each in named if each.default is inspect.Parameter.empty}
            assert needed <= arguments, f"{path}:{line}: {name} needs {needed - arguments}"


def _takes_any(taken: Mapping[str, inspect.Parameter]) -> bool:
    return any(each.kind is inspect.Parameter.VAR_KEYWORD for each in taken.values())


def test_handlers_live_in_jobs_and_take_keywords_by_name() -> None:
    for name in job_names():
        run = handler_of(name).run
        app = name.partition(".")[0]
        if app not in APPS:
            continue  # registered by another test
        homes = (
            {"jobs", "own_jobs", "audit_jobs"} if app == "tenants" else {"jobs"}
        )  # those that need what registers them
        assert run.__module__.split(".")[0] == app and run.__module__.split(".")[1] in homes, name
        kinds = {each.kind for each in inspect.signature(run).parameters.values()}
        assert kinds <= {inspect.Parameter.KEYWORD_ONLY, inspect.Parameter.VAR_KEYWORD}, name


def test_something_is_registered_and_asked_for() -> None:
    assert len(job_names()) >= 5
    assert sum(len(asked(path)) for path in modules(*APPS)) >= 5
