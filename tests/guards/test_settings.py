"""Every environment variable that the product reads is documented, with its default, and no other is."""

import ast
import re
from pathlib import Path

import pytest

from proecommerce.env import Environment
from tests.guards.source import APPS, ROOT, calls, modules, tree

SETTINGS = Path("proecommerce/settings.py")
READERS = {"text", "flag", "whole", "url", "database", "mail_server"}
# Read elsewhere: by boto3; by the demo's seed; by tests that kill the process at a named place.
ELSEWHERE = {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"}
NOT_CONFIGURATION = {"DEMO_LOGINS", "PROE_FAILPOINT"}
ROW = re.compile(r"^\| `([A-Z_]+)` \| (.*)\|$", re.MULTILINE)


def read() -> dict[str, str | None]:
    """Each variable that settings.py reads, with its default as text (None: it must be set)."""
    found: dict[str, str | None] = {}
    for call, word in calls(SETTINGS):
        if word in READERS and call.args and isinstance(call.args[0], ast.Constant):
            default = call.args[1] if len(call.args) > 1 else None
            value = str(default.value) if isinstance(default, ast.Constant) else None
            found[str(call.args[0].value)] = "0" if word == "flag" and value is None else value
    return found


def documented() -> dict[str, str]:
    return dict(ROW.findall((ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")))


def test_every_variable_is_documented() -> None:
    assert len(read()) > 15
    assert set(documented()) == set(read())
    text = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")
    assert [name for name in ELSEWHERE if name not in text] == []


def test_documented_defaults_are_the_real_ones() -> None:
    for name, default in read().items():
        if default:
            assert documented()[name].startswith(f"`{default}` |"), name


def test_variables_are_read_in_one_place() -> None:
    found = set()
    for path in modules(*APPS):
        if path == Path("proecommerce/env.py"):
            continue
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.Attribute) and node.attr in {"environ", "getenv"}:
                found.add(path)
    for path in found:
        source = (ROOT / path).read_text(encoding="utf-8")
        names = set(re.findall(r"(?:environ(?:\.get|\.setdefault)?|getenv)[(\[]\s*\"([A-Z_]+)\"", source))
        assert names <= NOT_CONFIGURATION | {"DJANGO_SETTINGS_MODULE"}, path


@pytest.mark.parametrize(
    ("reader", "value", "said"),
    [
        ("text", "", "is not set"),
        ("flag", "perhaps", "use 1 or 0"),
        ("whole", "-1", "whole number"),
        ("whole", "1.5", "whole number"),
        ("url", "ftp://x", "address"),
        ("url", "https://", "address"),
        ("database", "postgresql://user@host/", "names no database"),
        ("database", "mysql://user@host/db", "address"),
    ],
)
def test_a_wrong_value_stops_the_start_and_says_what_to_do(reader: str, value: str, said: str) -> None:
    from django.core.exceptions import ImproperlyConfigured

    env = Environment({"NAME": value})
    more: dict[str, object] = {"whole": {"default": 1}, "url": {"schemes": ("https",)}}.get(reader, {})  # type: ignore[assignment]
    with pytest.raises(ImproperlyConfigured, match=rf"^NAME .*{said}.*docs/configuration\.md"):
        getattr(env, reader)("NAME", **more)
