"""A customer closes the account, opens it again, and has it erased; staff see what is left."""

import os

import pytest
from playwright.sync_api import Page, expect

from tests.browsing import is_accessible
from tests.journeys.conftest import Site, Watch
from tests.journeys.walking import mail_to, press, save, text_of

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("journeys"), pytest.mark.timeout(240)]
PASSWORD = "seven tired herons wade"
MAKE = """
from datetime import UTC, datetime
from django.db import transaction
from accounts.customers import create_customer
from accounts.people import add_contact, create_user
from audit.actors import Actor
from tenants.context import enter
from tests.billing.portal import making
from tests.twins import make
now = datetime.now(UTC)
acting = {"actor": Actor.system("tests"), "now": now}
with enter(make("%(slug)s", name="Gone Hosting")), transaction.atomic():
    lind = create_customer(name="Nora Lind", business_name="Lind", email="nora@%(slug)s.example",
                           country="DE", currency="EUR", city="Hamburg", **acting)
    user = create_user(email="nora@%(slug)s.example", name="Nora Lind", role="contact",
                       password="%(password)s", **acting)
    add_contact(user, lind, **acting)
    making.invoice(lind, due=now.date())
"""


def test_an_account_is_closed_opened_again_and_erased(site: Site, watched: tuple[Page, Watch]) -> None:
    page, watch = watched
    slug = f"gone{os.getpid()}"
    nora = f"nora@{slug}.example"
    site.manage("shell", "-v0", "-c", MAKE % {"slug": slug, "password": PASSWORD})
    home = site.tenant(slug)
    page.goto(f"{home}/log-in/")
    page.locator("[name=email]").fill(nora)
    page.locator("[name=password]").fill(PASSWORD)
    save(page)

    page.goto(f"{home}/account/security/")
    press(page, page.get_by_role("link", name="Close the account"))
    expect(page.get_by_text("is still to be paid")).to_be_visible()
    is_accessible(page)
    page.locator("[name=word]").fill("close")
    save(page)
    expect(page.get_by_role("heading", name="The account is closed")).to_be_visible()
    is_accessible(page)
    assert "one click" in text_of(mail_to(nora))
    press(page, page.get_by_role("button", name="Open the account again"))
    expect(page.get_by_text("Your account is open again")).to_be_visible()

    press(page, page.get_by_role("link", name="Erase my data"))
    expect(page.get_by_role("heading", name="What stays, because the law says so")).to_be_visible()
    expect(page.get_by_text("Directive 2006/112/EC").first).to_be_visible()
    is_accessible(page)
    page.locator("[name=word]").fill("not this")
    save(page)
    expect(page.get_by_text("or leave everything as it is").first).to_be_visible()
    page.locator("[name=word]").fill("ERASE")
    save(page)
    _wait_until_logged_out(page, home)
    found = site.sql(f"SELECT name, email, city FROM t_{slug}.accounts_customer")
    assert found[0][0] == "Erased" and nora not in str(found) and not found[0][2]
    kept = site.sql(f"SELECT buyer->>'name' FROM t_{slug}.billing_invoice")
    assert kept == [("Nora Lind",)]
    assert [line for line in watch.complaints if "Content Security Policy" in line] == []


def _wait_until_logged_out(page: Page, home: str) -> None:
    """The worker erases; from then on the page leads to the log-in."""
    for _ in range(120):
        page.goto(f"{home}/account/privacy/erasure/")
        if "/log-in/" in page.url:
            return
        page.wait_for_timeout(500)
    raise AssertionError("nobody carried the erasure out")
