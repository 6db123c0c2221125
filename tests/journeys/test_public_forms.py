"""Public forms and the hosts' page in a browser: with scripts, without them, and for robots."""

import re
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from accounts.humans import FAST, TRAP
from tests.browsing import axe_findings
from tests.journeys.conftest import Site, Watch

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("journeys")]


def sound(page: Page, watch: Watch | None = None) -> None:
    found = [rule["id"] for rule in axe_findings(page)]
    assert found == [], page.url
    if watch is not None:
        # an answer with a status from 400 on is told by the browser; anything else is ours to mend
        assert [said for said in watch.complaints if "Failed to load resource" not in said] == []


def test_the_work_is_done_while_the_form_is_filled_in(site: Site, watched: tuple[Page, Watch]) -> None:
    page, watch = watched
    page.goto(f"{site.tenant('alpha')}/forgotten/")
    sound(page, watch)
    page.fill("[name=email]", "nora@lind.example")
    page.get_by_role("button", name="Send the link").click()  # at once: it waits until it may go
    page.get_by_role("heading", name="Look into your mail").wait_for()
    assert set(watch.requests) == {f"{site.tenant('alpha')} -> {site.tenant('alpha')}"}


def test_without_scripts_it_takes_a_few_seconds_more(site: Site, browser: Browser) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{site.tenant('alpha')}/forgotten/")
    page.fill("[name=email]", "nora@lind.example")
    page.get_by_role("button", name="Send the link").click()
    assert FAST in page.content()
    page.wait_for_timeout(4200)
    page.get_by_role("button", name="Send the link").click()
    assert page.get_by_role("heading", name="Look into your mail").is_visible()
    context.close()


def test_a_robot_that_fills_everything_in_is_told_why(site: Site, watched: tuple[Page, Watch]) -> None:
    page, _ = watched
    page.goto(f"{site.url}/sign-up/")
    for name in ("business", "name"):
        page.fill(f"[name={name}]", "Robots of Prague")
    page.fill("[name=password]", "four words of a garden")
    page.fill("[name=slug]", "robots")
    page.fill("[name=email]", "robot@robots.example")
    page.eval_on_selector("[name=website]", "field => { field.value = 'https://cheap.example'; }")
    page.get_by_role("button", name="Create the account").click()
    page.get_by_text(TRAP).first.wait_for()
    sound(page)


def test_an_owner_adds_a_host_on_a_page_that_is_sound(site: Site, browser: Browser) -> None:
    invitation = site.manage(
        "create_tenant", "hosted", "--name", "Hosted", "--owner", "h@hosted.example", "--country", "DE",
        "--currency", "EUR",
    )  # fmt: skip
    found = re.search(r"https?://\S+/invitation/\S+", invitation)
    assert found is not None, invitation
    for width in (1280, 360):
        for scheme in ("light", "dark"):
            context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
            page = context.new_page()
            if width == 1280 and scheme == "light":
                page.goto(found.group())
                page.fill("[name=name]", "Hanna")
            else:
                page.goto(f"{site.tenant('hosted')}/log-in/")
                page.fill("[name=email]", "h@hosted.example")
            page.fill("[name=password]", "four words of a garden")
            page.locator("main form button.primary").first.click()
            page.wait_for_url("**/manage/")
            _look_at_hosts(site, page, add=width == 1280 and scheme == "light")
            context.close()


def _look_at_hosts(site: Site, page: Any, *, add: bool) -> None:
    page.goto(f"{site.tenant('hosted')}/manage/settings/hosts/")
    if add:
        page.fill("[name=hostname]", "billing.hosted.example")
        page.get_by_role("button", name="Add").click()
    page.get_by_role("heading", name="billing.hosted.example").wait_for()
    assert page.get_by_text("_proecommerce.billing.hosted.example").first.is_visible()
    assert not page.evaluate("document.documentElement.scrollWidth > innerWidth")
    sound(page)
