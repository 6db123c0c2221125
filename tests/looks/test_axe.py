"""A page that turns to another by itself while axe looks at it is looked at where it came to rest."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Error, Page, Route

from tests.browsing import TURNS, axe_findings, chromium, is_accessible

pytestmark = pytest.mark.browser
BASE = "http://turning.localhost"
GOOD = "<!doctype html><html lang=en><title>Rest</title><main><h1>Here</h1></main></html>"
# Leaves the moment that axe is put into it.
TURNING = (
    "<!doctype html><html lang=en><title>Turning</title><script>"
    "Object.defineProperty(window, 'axe', {configurable: true,"
    " set() { delete window.axe; location.replace('%s'); }});"
    "</script><main><h1>Not here</h1><img src=data:,></main></html>"
)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as launched:
        yield launched


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    opened = browser.new_page()
    yield opened
    opened.close()


def lay_out(page: Page, turns: int, last: str) -> None:
    """`turns` pages, each of which leads to the next, and the last one."""

    def answer(route: Route) -> None:
        at = int(route.request.url.rsplit("/", 1)[1])
        route.fulfill(content_type="text/html", body=TURNING % f"{BASE}/{at + 1}" if at < turns else last)

    page.route(f"{BASE}/*", answer)
    page.goto(f"{BASE}/0")


def test_findings_are_those_of_the_page_it_comes_to_rest_at(page: Page) -> None:
    lay_out(page, 3, GOOD.replace("<h1>", "<img src=data:,><h1>"))
    with pytest.raises(AssertionError, match=rf"{BASE}/3: .*image-alt"):
        is_accessible(page)


def test_what_stands_on_the_way_is_not_held_against_it(page: Page) -> None:
    lay_out(page, 2, GOOD)
    is_accessible(page)
    assert page.url == f"{BASE}/2"


def test_a_page_that_never_rests_is_an_error_and_no_pass(page: Page) -> None:
    lay_out(page, TURNS + 5, GOOD)
    with pytest.raises(Error):
        axe_findings(page)
