"""A contact is invited, accepts, is refused what was not granted, and loses the rest at once."""

import os
import re

import pytest
from playwright.sync_api import Page, expect

from tests.browsing import is_accessible
from tests.journeys.conftest import Site, Watch
from tests.journeys.walking import mail_to, text_of

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("journeys"), pytest.mark.timeout(240)]
PASSWORD = "seven tired herons wade"
MAKE = """
from datetime import UTC, datetime
from accounts.customers import create_customer
from accounts.people import add_contact, create_user
from audit.actors import Actor
from tenants.context import enter
from tests.twins import make
acting = {"actor": Actor.system("tests"), "now": datetime.now(UTC)}
with enter(make("%(slug)s", name="Team Hosting")):
    lind = create_customer(name="Nora Lind", business_name="Lind", email="nora@%(slug)s.example",
                           country="DE", currency="EUR", **acting)
    user = create_user(email="nora@%(slug)s.example", name="Nora Lind", role="contact",
                       password="%(password)s", **acting)
    add_contact(user, lind, **acting)
"""


def test_a_contact_sees_what_was_granted_until_it_is_taken_away(
    site: Site, watched: tuple[Page, Watch]
) -> None:
    page, watch = watched
    slug = f"team{os.getpid()}"
    site.manage("shell", "-v0", "-c", MAKE % {"slug": slug, "password": PASSWORD})
    home = site.tenant(slug)
    _log_in(page, home, f"nora@{slug}.example")
    page.get_by_role("link", name="Team", exact=True).click()
    is_accessible(page)
    page.get_by_role("link", name="Invite somebody").click()
    is_accessible(page)
    kim = f"kim@{slug}.example"
    page.locator("[name=name]").fill("Kim Oh")
    page.locator("[name=email]").fill(kim)
    page.locator("[value=invoices]").check()
    page.locator("[value=tickets]").check()
    page.get_by_role("button", name="Send invitation").click()
    expect(page.get_by_text(f"An invitation is on its way to {kim}.")).to_be_visible()
    is_accessible(page)

    link = re.search(rf"{re.escape(home)}/invitation/\S+", text_of(mail_to(kim)))
    assert link is not None and page.context.browser is not None
    theirs = page.context.browser.new_context()
    other = theirs.new_page()
    other.goto(link.group())
    is_accessible(other)
    other.locator("[name=password]").fill(PASSWORD)
    other.get_by_role("button", name="Accept the invitation").click()
    other.wait_for_url(f"{home}/")
    is_accessible(other)
    nav = other.get_by_role("navigation", name="Main")
    expect(nav.get_by_role("link", name="Invoices")).to_be_visible()
    expect(nav.get_by_role("link", name="Payment methods")).to_have_count(0)
    other.goto(f"{home}/cards/")
    expect(other.get_by_role("heading", name="Your log-in may not do this")).to_be_visible()
    expect(other.get_by_text("Nora Lind")).to_be_visible()
    is_accessible(other)
    other.goto(f"{home}/invoices/")
    expect(other.get_by_role("heading", name="Invoices", exact=True)).to_be_visible()

    page.goto(f"{home}/team/")
    page.get_by_role("link", name="Change what Kim Oh may do").click()
    page.locator("[value=invoices]").uncheck()
    is_accessible(page)
    page.get_by_role("button", name="Save").click()
    other.reload()
    expect(other.get_by_role("heading", name="Your log-in may not do this")).to_be_visible()
    page.get_by_role("button", name="Remove…").click()
    page.get_by_role("dialog").get_by_role("button", name="Remove").click()
    other.goto(f"{home}/")
    expect(other.get_by_role("heading", name="This log-in has no customer account")).to_be_visible()
    theirs.close()
    assert [line for line in watch.complaints if "Content Security Policy" in line] == []


def _log_in(page: Page, home: str, email: str) -> None:
    page.goto(f"{home}/log-in/")
    page.get_by_label("E-mail address").fill(email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url(f"{home}/")
