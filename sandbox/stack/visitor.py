"""A browser's worth of HTTP for checks: cookies for each host, redirects, pages with their forms.

Every name under .localhost is this machine, whether or not any resolver knows it.
"""

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any, NoReturn
from urllib.parse import urljoin, urlsplit

import httpx

from sandbox.stack.steps.registry import fail

REDIRECTS = 10


class _Loopback(httpx.HTTPTransport):
    """Connects to this machine under whatever name the request bears; the name stays in its Host header."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        host = request.url.host
        if host != "localhost" and not host.endswith(".localhost") and host != "127.0.0.1":
            raise httpx.ConnectError(f"{host} is not this machine")
        here = request.url.copy_with(host="127.0.0.1")
        moved = httpx.Request(
            request.method,
            here,
            headers=request.headers,
            stream=request.stream,
            extensions=request.extensions,
        )
        return super().handle_request(moved)


@dataclass
class Form:
    """A form as a browser would send it untouched; `choices` are the options of its selects, by label."""

    action: str = ""
    method: str = "get"
    values: dict[str, str] = field(default_factory=dict)
    choices: dict[str, dict[str, str]] = field(default_factory=dict)
    names: set[str] = field(default_factory=set)


@dataclass
class Element:
    """A tag that a check looks for: its name and attributes."""

    tag: str
    attributes: dict[str, str]


class _Reader(HTMLParser):
    """Forms, links and other elements of a page, in their order."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.elements: list[Element] = []
        self._open: Form | None = None
        self._select = self._option = self._label = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.elements.append(Element(tag, given))
        if tag == "form":
            self._open = Form(given.get("action", ""), given.get("method", "get").lower())
            self.forms.append(self._open)
        elif self._open is not None:
            self._field(self._open, tag, given)

    def _field(self, form: Form, tag: str, given: dict[str, str]) -> None:
        name, kind = given.get("name", ""), given.get("type", "text")
        if tag in {"input", "select", "textarea", "button"} and name:
            form.names.add(name)
        if tag == "input" and name and kind not in {"submit", "file"}:
            if kind not in {"checkbox", "radio"} or "checked" in given:
                form.values[name] = given.get("value", "on" if kind == "checkbox" else "")
        elif tag == "textarea" and name:
            form.values[name] = ""
        elif tag == "select":
            self._select = name
        elif tag == "option" and self._select:
            self._option, self._label = given.get("value", ""), ""
            if "selected" in given or self._select not in form.values:
                form.values[self._select] = self._option

    def handle_data(self, data: str) -> None:
        self._label += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._open = None
        elif tag == "select":
            self._select = ""
        elif tag == "option" and self._select and self._open is not None:
            self._open.choices.setdefault(self._select, {})[self._label.strip()] = self._option


@dataclass
class Page:
    """What a visitor has before it: the answer at the end of the redirects."""

    url: str
    status: int
    text: str
    content: bytes
    forms: list[Form]
    elements: list[Element]

    def form(self, name: str = "", *, action: str = "") -> Form:
        """The first form that has a field of this name, or leads to such an address."""
        for form in self.forms:
            if (not name or name in form.names) and action in urljoin(self.url, form.action):
                return form
        return self._lacks(f"form with “{name or action}”")

    def link(self, part: str) -> str:
        """The first address on the page, of a link or a frame, in which `part` stands."""
        for each in self.elements:
            target = each.attributes.get("href", "") or (
                each.attributes.get("src", "") if each.tag == "iframe" else ""
            )
            if part in target:
                return urljoin(self.url, target)
        return self._lacks(f"link to “{part}”")

    def attributes(self, element_id: str) -> dict[str, str]:
        """The attributes of the element with this id."""
        for each in self.elements:
            if each.attributes.get("id") == element_id:
                return each.attributes
        return self._lacks(f"#{element_id}")

    def says(self, words: str) -> None:
        """Fail unless the words stand on the page."""
        if words not in self.text:
            self._lacks(f"“{words}”")

    def _lacks(self, what: str) -> NoReturn:
        heading = re.search(r"<h1[^>]*>(.*?)</h1>", self.text, re.DOTALL)
        shown = re.sub(r"<[^>]+>|\s+", " ", heading.group(1)).strip() if heading else "no heading"
        fail(f"{urlsplit(self.url).path} (status {self.status}, “{shown}”) has no {what}")


class Visitor:
    """Somebody at a browser without scripts."""

    def __init__(self) -> None:
        self.http = httpx.Client(transport=_Loopback(), trust_env=False, timeout=20)

    def close(self) -> None:
        self.http.close()

    def get(self, url: str, *, status: int = 200) -> Page:
        return self._arrive(self.http.get(url), status)

    def send(self, page: Page, form: Form, *, status: int = 200, **values: Any) -> Page:
        """Send a form of the page with these fields filled in; a field that it does not have is a failure."""
        for name in values:
            if name not in form.names:
                page._lacks(f"field “{name}”")
        target = urljoin(page.url, form.action or page.url)
        filled = {**form.values, **{name: str(value) for name, value in values.items()}}
        if form.method == "get":
            return self._arrive(self.http.get(target, params=filled), status)
        parts = urlsplit(page.url)
        headers = {"Origin": f"{parts.scheme}://{parts.netloc}", "Referer": page.url}
        return self._arrive(self.http.post(target, data=filled, headers=headers), status)

    def _arrive(self, answer: httpx.Response, status: int) -> Page:
        for _ in range(REDIRECTS):
            if answer.next_request is None:
                break
            answer = self.http.send(answer.next_request)
        url = str(answer.request.url)
        if answer.status_code != status:
            fail(f"{url} answered {answer.status_code}, not {status}")
        is_page = "html" in answer.headers.get("content-type", "")
        reader = _Reader()
        if is_page:
            reader.feed(answer.text)
        text = answer.text if is_page else ""
        return Page(url, answer.status_code, text, answer.content, reader.forms, reader.elements)
