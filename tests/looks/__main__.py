"""`python -m tests.looks [folder] [page …]`: photograph the gallery and check it with axe.

Every page wide and narrow, in light and dark. `--all` instead of a folder checks the same and photographs
nothing; `--two` has each page in each width and in each scheme, but not in all four combinations.
"""

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

from playwright.sync_api import Browser

from tests.browsing import axe_findings, chromium
from tests.looks import gallery
from tests.looks.brands import unreadable

ALL = [(width, scheme) for width in (1280, 360) for scheme in ("light", "dark")]
TWO = [(1280, "light"), (360, "dark")]


class _Quiet(WSGIRequestHandler):
    def log_message(self, *_: Any) -> None:
        pass


@contextmanager
def served() -> Iterator[str]:
    """The gallery on a free port."""
    gallery.prepare()
    from django.core.wsgi import get_wsgi_application

    with make_server("127.0.0.1", 0, get_wsgi_application(), handler_class=_Quiet) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def look(browser: Browser, base: str, name: str, width: int, scheme: Any, folder: Path | None) -> list[str]:
    """Open one page and say what is wrong with it."""
    page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
    wrong: list[str] = []
    page.on("console", lambda said: wrong.append(f"console: {said.text}") if said.type == "error" else None)
    page.on("pageerror", lambda error: wrong.append(f"script: {error}"))
    page.goto(base + gallery.PAGES[name])
    if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
        wrong.append("scrolls sideways")
    if folder:
        page.screenshot(path=folder / f"{name}-{width}-{scheme}.png", full_page=True)
    for rule in axe_findings(page):
        nodes = "; ".join(
            f"{node['html'][:120]} {node['failureSummary'][:300]}" for node in rule["nodes"][:4]
        )
        wrong.append(f"axe {rule['id']}: {nodes}")
    page.close()
    return [f"{name} {width} {scheme}: {what}" for what in wrong]


def main(where: str, names: list[str]) -> int:
    folder = None if where.startswith("--") else Path(where)
    if folder:
        folder.mkdir(parents=True, exist_ok=True)
    wrong: list[str] = []
    with served() as base, chromium() as browser:
        for name in names or gallery.PAGES:
            for width, scheme in TWO if where == "--two" else ALL:
                wrong += look(browser, base, name, width, scheme, folder)
        if not names:
            wrong += unreadable(browser, base)
    print("\n".join(wrong) or f"{len(names or gallery.PAGES)} pages, nothing wrong")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else ".cache/looks", sys.argv[2:]))
