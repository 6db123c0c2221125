"""The public site in a browser: wide and narrow, light and dark, on paper, without scripts."""

from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.browsing import is_accessible
from tests.journeys.conftest import Site

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("journeys")]
PAGES = ("/", "/plans/", "/contact/", "/terms/", "/status/", "/privacy/", "/privacy/versions/")
MOST = 100_000
LOOKS: tuple[dict[str, Any], ...] = (
    {"viewport": {"width": 1280, "height": 900}, "color_scheme": "light"},
    {"viewport": {"width": 360, "height": 740}, "color_scheme": "dark"},
)


def weigh(page: Page) -> int:
    """The bytes of the page and of all that it loaded, without what was there before."""
    return int(
        page.evaluate(
            "[...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')]"
            ".reduce((sum, each) => sum + each.encodedBodySize, 0)"
        )
    )


def listen(page: Page) -> tuple[list[str], list[str]]:
    """What the console says from now on, and the addresses that are asked."""
    said: list[str] = []
    asked: list[str] = []
    page.on("console", lambda each: said.append(each.text))
    page.on("request", lambda each: asked.append(each.url))
    return said, asked


@pytest.mark.parametrize("look", LOOKS, ids=["wide and light", "narrow and dark"])
def test_every_page_reads_well_weighs_little_and_asks_nobody_else(
    site: Site, browser: Browser, look: dict[str, Any]
) -> None:
    for path in PAGES:
        context = browser.new_context(**look)
        page = context.new_page()
        said, asked = listen(page)
        page.goto(site.url + path)
        is_accessible(page)
        assert said == [], path
        assert not page.evaluate("document.documentElement.scrollWidth > innerWidth"), path
        assert [each for each in asked if not each.startswith((site.url, "data:"))] == []
        assert 0 < weigh(page) < MOST, path
        assert len(context.cookies()) <= (path == "/contact/"), path
        context.close()


def test_the_policy_on_paper_is_the_policy_alone(site: Site, browser: Browser) -> None:
    page = browser.new_page()
    page.emulate_media(media="print")
    page.goto(f"{site.url}/privacy/")
    assert not page.locator(".top, .foot, .toc, .actions").filter(visible=True).count()
    assert page.get_by_role("heading", name="What is collected").is_visible()
    assert page.get_by_text("SHA-256 of the text").is_visible()
    assert page.pdf()[:4] == b"%PDF"
    page.close()


def test_somebody_without_scripts_writes_to_us_and_looks_up_a_day(site: Site, browser: Browser) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{site.url}/contact/")
    page.get_by_label("Your name").fill("Pia Prospect")
    page.get_by_label("E-mail address").fill("pia@prospect.example")
    page.get_by_label("Message").fill("Do you take yen?")
    page.wait_for_timeout(4_100)  # as long as a person needs without the proof of work
    page.get_by_role("button", name="Send").click()
    page.get_by_role("heading", name="Your message is here").wait_for()
    page.goto(f"{site.url}/privacy/versions/")
    page.get_by_label("What was in force on").fill("2001-01-01")
    page.get_by_role("button", name="Show it").click()
    page.get_by_role("heading", name="There was no policy on").wait_for()
    page.get_by_role("link", name="Read the first version").click()
    page.get_by_role("heading", name="Privacy policy", exact=True).wait_for()
    context.close()
