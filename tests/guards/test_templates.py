"""Pages hold no inline script or style: the policy that the browser is given refuses them."""

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from tests.guards.source import ROOT

TEMPLATES = ROOT / "templates"
# Mail has no policy and no style sheets.
MAIL = TEMPLATES / "billing" / "mail"
TAGS = re.compile(r"{%.*?%}|{#.*?#}", re.DOTALL)
VALUES = re.compile(r"{{.*?}}", re.DOTALL)
UNSAFE = re.compile(r"\|\s*safe\b|{%\s*autoescape\s+off")


class Looker(HTMLParser):
    """Collects what the policy would refuse."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "style":
            self.found.append("<style>")
        if tag == "script" and "src" not in given and given.get("type") != "application/json":
            self.found.append("<script> without src")
        for name, value in attrs:
            if (
                name == "style"
                or name.startswith("on")
                or (value or "").strip().lower().startswith("javascript:")
            ):
                self.found.append(f"{tag} {name}")
            if name.startswith("hx-on") or (name == "hx-vals" and (value or "").startswith("js:")):
                self.found.append(f"{tag} {name}")

    handle_startendtag = handle_starttag


def refused(source: str) -> list[str]:
    looker = Looker()
    looker.feed(VALUES.sub("value", TAGS.sub(" ", source)))
    return looker.found


def pages() -> list[Path]:
    return sorted(path for path in TEMPLATES.rglob("*.html") if MAIL not in path.parents)


def test_no_page_holds_what_the_policy_refuses() -> None:
    found = {}
    for path in pages():
        source = path.read_text(encoding="utf-8")
        found[str(path)] = refused(source) + UNSAFE.findall(source)
    assert {path: what for path, what in found.items() if what} == {}


@pytest.mark.parametrize(
    "source",
    [
        "<style>a{}</style>", "<script>1</script>", "<script type='module'>1</script>", "<a style='x'>",
        "<a onclick='x'>",
        "<a href='javascript:1'>", "<body onload={{ x }}>", "<img src=x onerror=1 />", "<a hx-on:click='1'>",
    ],
)  # fmt: skip
def test_the_guard_sees(source: str) -> None:
    assert len(refused(source)) == 1


def test_the_guard_lets_pass() -> None:
    assert (
        refused(
            "<script src='{% static 'a.js' %}'></script><a href='/' class='on'>{% if a < b %}x{% endif %}"
        )
        == []
    )
