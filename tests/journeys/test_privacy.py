"""A customer sees what is held, corrects it, takes it along, pauses processing and objects to news."""

import io
import os
import re
import zipfile
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browsing import is_accessible
from tests.journeys.conftest import Site, Watch
from tests.journeys.test_team import MAKE, PASSWORD, _log_in
from tests.journeys.walking import mail_to, press, text_of
from tests.privacy.copies import Copy

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("journeys"), pytest.mark.timeout(300)]


def test_a_customer_uses_every_right(site: Site, watched: tuple[Page, Watch], tmp_path: Path) -> None:
    page, watch = watched
    slug = f"rights{os.getpid()}"
    site.manage("shell", "-v0", "-c", MAKE % {"slug": slug, "password": PASSWORD})
    home, nora = site.tenant(slug), f"nora@{slug}.example"
    _log_in(page, home, nora)

    page.get_by_role("navigation", name="Main").get_by_role("link", name="Privacy").click()
    expect(page.get_by_role("heading", name="What you may do")).to_be_visible()
    is_accessible(page)
    page.get_by_role("link", name="Log-in", exact=True).click()
    expect(page.get_by_text("kept secret, for your protection")).to_be_visible()
    expect(page.get_by_text(nora).first).to_be_visible()
    is_accessible(page)

    tabs = page.get_by_role("navigation", name="Privacy")
    page.goto(f"{home}/account/privacy/correct/")
    is_accessible(page)
    page.get_by_label("Your name").fill("Nora Lund")
    press(page, page.get_by_role("button", name="Save"))
    expect(page.get_by_label("Your name")).to_have_value("Nora Lund")

    _take_along(page, home, nora, tmp_path)

    press(page, tabs.get_by_role("link", name="News"))
    is_accessible(page)
    press(page, page.get_by_role("button", name="Yes, mail me news and offers"))
    press(page, page.get_by_role("button", name="Stop news and offers"))
    expect(page.get_by_text("You get no more news and offers.")).to_be_visible()
    expect(page.get_by_text("Stopped")).to_be_visible()

    press(page, tabs.get_by_role("link", name="Pause"))
    is_accessible(page)
    page.get_by_label("Why").fill("Invoice 7 is wrong")
    press(page, page.get_by_role("button", name="Pause processing"))
    expect(page.get_by_text("“Invoice 7 is wrong”")).to_be_visible()
    is_accessible(page)
    press(page, tabs.get_by_role("link", name="What we hold"))
    expect(page.get_by_text("Processing is paused")).to_be_visible()
    press(page, tabs.get_by_role("link", name="Pause"))
    press(page, page.get_by_role("button", name="Go on with processing"))
    expect(page.get_by_text("Processing goes on.")).to_be_visible()

    press(page, tabs.get_by_role("link", name="Complain"))
    expect(page.get_by_text("Bundesbeauftragte")).to_be_visible()
    is_accessible(page)
    assert [line for line in watch.complaints if "Content Security Policy" in line] == []


def _take_along(page: Page, home: str, nora: str, tmp_path: Path) -> None:
    """Ask, wait until the page says by itself that it is ready, fetch the file, and look into it."""
    page.goto(f"{home}/account/privacy/copies/")
    is_accessible(page)
    press(page, page.get_by_role("button", name=re.compile("Make a copy of the data of Lind")))
    expect(page.locator("li[data-state=ready]")).to_be_visible(
        timeout=60_000
    )  # swapped in by the page itself
    is_accessible(page)
    said = text_of(mail_to(nora))
    assert "/account/privacy/copies/" in said
    with page.expect_download() as waiting:
        page.get_by_role("link", name=re.compile("Fetch")).click()
    file = tmp_path / "copy.zip"
    waiting.value.save_as(file)
    assert waiting.value.suggested_filename.endswith(".zip") and zipfile.is_zipfile(file)
    copy = Copy.of(io.BytesIO(file.read_bytes()).getvalue())
    copy.check()
    assert copy.rows("accounts_customer")[0]["email"] == nora
