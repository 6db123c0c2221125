"""Chromium for every test that drives it, and axe on a page that stands still."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Error, Page, expect, sync_playwright

CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
QUIET = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-dev-shm-usage", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--host-resolver-rules=MAP *.localhost 127.0.0.1",
)  # fmt: skip
PATIENCE_MS = 20_000
TURNS = 5
# Colours that are on their way from light to dark are neither.
AT_REST = "Promise.allSettled(document.getAnimations().map(each => each.finished))"
# What a script hears whose page went elsewhere while it ran, or between its being loaded and called.
TURNED = re.compile(r"context was destroyed|axe is not defined|Cannot find context|Execution context is not")


@contextmanager
def chromium() -> Iterator[Browser]:
    """A browser of its own; what is expected of its pages may take long on a busy machine."""
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=CHROMIUM, args=list(QUIET))
        try:
            yield launched
        finally:
            launched.close()


def axe_findings(page: Page) -> list[dict[str, Any]]:
    """What axe finds on the page once it is loaded; on the next one when it turns by itself meanwhile."""
    for turn in range(TURNS + 1):
        page.wait_for_load_state("load")
        try:
            page.evaluate(AT_REST)
            found: list[dict[str, Any]] = Axe().run(page).response["violations"]
        except Error as error:
            if turn == TURNS or not TURNED.search(error.message):
                raise
        else:
            return found
    raise AssertionError("unreachable")


def is_accessible(page: Page) -> None:
    """Fail with what axe finds on the page; wait before for what it should say: axe waits for nothing."""
    found = [(rule["id"], rule["nodes"][0]["html"][:200]) for rule in axe_findings(page)]
    assert found == [], f"{page.url}: {found}"
