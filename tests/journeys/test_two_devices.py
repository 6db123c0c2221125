"""Two devices in a browser: logged in on both, one ended from the other."""

import os
import re
import time
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browsing import is_accessible
from tests.journeys.conftest import Site
from tests.journeys.walking import text_of

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("journeys"), pytest.mark.timeout(240)]
PASSWORD = "seven tired herons wade"
PHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/18.5 Mobile/15E148 Safari/604.1"
)
MAKE = """
from audit.actors import Actor
from accounts.people import create_user
from tenants import clock
from tenants.context import enter
from tenants.directory import tenant_of_slug
with enter(tenant_of_slug("alpha")):
    create_user(email={email!r}, name="Nora Lind", role="owner", password={password!r},
                actor=Actor.system("tests"), now=clock.now())
"""


def test_one_device_logs_the_other_out(site: Site, browser: Browser) -> None:
    email, home = f"nora{os.getpid()}@lind.example", site.tenant("alpha")
    site.manage("shell", "-c", MAKE.format(email=email, password=PASSWORD))
    laptop = browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
    phone = browser.new_context(
        viewport={"width": 390, "height": 844}, user_agent=PHONE, color_scheme="dark"
    ).new_page()
    for page in (laptop, phone):
        page.context.set_default_timeout(15_000)
        _log_in(page, home, email)

    phone.goto(f"{home}/account/email/")
    is_accessible(phone)
    laptop.goto(f"{home}/account/sessions/")
    expect(laptop.get_by_text("This one", exact=True)).to_have_count(1)
    row = laptop.get_by_role("listitem").filter(has_text="Safari on iPhone")
    expect(row).to_have_count(1)
    is_accessible(laptop)
    _shot(laptop, "sessions")
    phone.goto(f"{home}/account/sessions/")
    is_accessible(phone)
    _shot(phone, "sessions-phone")
    row.get_by_role("button", name="End the session of Safari on iPhone").click()
    expect(laptop.get_by_text("Safari on iPhone is logged out.")).to_be_visible()

    phone.goto(f"{home}/account/email/")
    phone.wait_for_url(f"{home}/log-in/?next=/account/email/")
    expect(phone.get_by_text("this session was ended from another one")).to_be_visible()
    is_accessible(phone)
    _shot(phone, "ended-phone")
    phone.get_by_label("E-mail address").fill(email)
    phone.get_by_label("Password").fill(PASSWORD)
    phone.get_by_role("button", name="Log in").click()
    phone.wait_for_url(f"{home}/account/email/")

    _change_the_address(phone, laptop, site, home, email)
    laptop.context.close()
    phone.context.close()


def _change_the_address(phone: Page, laptop: Page, site: Site, home: str, email: str) -> None:
    """Ask on the phone, confirm by the mailed link on the laptop, undo by the one at the old address."""
    new = email.replace("@lind.", "@harbour.")
    phone.get_by_label("New address").fill(new)
    phone.get_by_role("button", name="Mail the link").click()
    expect(phone.get_by_text("Waiting for you")).to_be_visible()
    is_accessible(phone)
    _shot(phone, "email-phone")
    for address, path, button in ((new, "confirm", "Use this address"), (email, "undo", "Undo it")):
        laptop.goto(_link_to(address, rf"{re.escape(home)}/email/{path}/\S+"))
        is_accessible(laptop)
        _shot(laptop, f"email-{path}")
        laptop.get_by_role("button", name=button).click()
    expect(laptop.get_by_text("nobody is logged in as you any more")).to_be_visible()
    is_accessible(laptop)
    phone.goto(f"{home}/account/email/")
    expect(phone.get_by_text("a change of your e-mail address was undone")).to_be_visible()


def _link_to(address: str, pattern: str, seconds: float = 60) -> str:
    """Return the link of this form in any of the mails to the address, once it is there."""
    folder, end = Path(os.environ["DEMO_DIR"]) / "mail", time.monotonic() + seconds
    while time.monotonic() < end:
        for file in folder.glob("*.eml"):
            mail = message_from_bytes(file.read_bytes(), policy=policy.default)
            if isinstance(mail, EmailMessage) and address in str(mail["To"]):
                found = re.search(pattern, text_of(mail))
                if found is not None:
                    return found.group()
        time.sleep(0.3)
    raise AssertionError(f"no such link mailed to {address}")


def _log_in(page: Page, home: str, email: str) -> None:
    page.goto(f"{home}/log-in/")
    page.get_by_label("E-mail address").fill(email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url("**/manage/")


def _shot(page: Page, name: str) -> None:
    folder = os.environ.get("LOOK")
    if folder:
        page.screenshot(path=f"{folder}/{name}.png", full_page=True)
