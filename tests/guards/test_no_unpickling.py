"""Nothing that is read from outside is run: no pickles, no marshalled code, no YAML with objects, no eval."""

import ast
from pathlib import Path
from typing import Any

import pytest
from celery import current_app
from django.conf import settings
from django.contrib.sessions.serializers import JSONSerializer
from django.core.cache import cache
from django.utils.module_loading import import_string

from tenants.caching import JsonSerializer
from tests.guards.source import APPS, calls, found_in, imports, modules, tree

FORBIDDEN = {"pickle", "cPickle", "dill", "cloudpickle", "marshal", "shelve", "jsonpickle", "joblib"}
SAFE_YAML = {"safe_load", "safe_dump"}


def offences(path: Path) -> list[str]:
    found = [f"imports {name}" for name in imports(path) if name.partition(".")[0] in FORBIDDEN]
    found += [f"line {call.lineno}: {word}()" for call, word in calls(path) if word in {"eval", "exec"}]
    for node in ast.walk(tree(path)):
        match node:
            case ast.Attribute(value=ast.Name(id="yaml"), attr=word) if word not in SAFE_YAML:
                found.append(f"line {node.lineno}: yaml.{word}")
            case _:
                pass
    return found


def test_nothing_read_is_run() -> None:
    assert found_in(modules(*APPS, "sandbox"), offences) == {}


@pytest.mark.parametrize(
    "source",
    ["import pickle", "import marshal", "eval('1')", "import yaml\nyaml.load(text)"],
)
def test_the_guard_sees(source: str, tmp_path: Path) -> None:
    written = tmp_path / "wrong.py"
    written.write_text(source)
    assert len(offences(written)) == 1


def test_sessions_cache_and_messages_are_json() -> None:
    assert import_string(settings.SESSION_SERIALIZER) is JSONSerializer
    caching: dict[str, Any] = settings.CACHES["default"]
    assert caching["OPTIONS"]["serializer"] == "tenants.caching.JsonSerializer"
    assert current_app.conf.accept_content == ["json"]
    assert current_app.conf.task_serializer == "json"


@pytest.mark.parametrize("value", [0, -7, 2**40, 1.5, True, None, "text", "é", [1, "a", None], {"a": [True]}])
def test_the_cache_gives_back_what_was_put_in(tenant: Any, value: Any) -> None:
    cache.set("value", value)
    found = cache.get("value", "nothing")
    assert found == value
    assert type(found) is type(value)
    cache.set_many({"one": value, "two": 2})
    assert cache.get_many(["one", "two"]) == {"one": value, "two": 2}


def test_the_cache_counts_on_the_server(tenant: Any) -> None:
    cache.add("count", 1)
    assert cache.incr("count", 4) == 5
    assert cache.get("count") == 5


def test_a_forged_pickle_in_the_cache_runs_nothing(tenant: Any, tmp_path: Path) -> None:
    import pickle

    class Bomb:
        def __reduce__(self) -> tuple[Any, ...]:
            return Path.touch, (tmp_path / "ran",)

    with pytest.raises(ValueError):
        JsonSerializer().loads(pickle.dumps(Bomb()))
    assert not (tmp_path / "ran").exists()
    with pytest.raises(TypeError):
        cache.set("object", object())
