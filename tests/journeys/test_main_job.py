"""The main job in a browser: a business signs up, bills, is paid, and is paid again by itself."""

import os
import re
import time
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, expect

from tests.browsing import is_accessible
from tests.journeys.conftest import Site, Watch
from tests.journeys.walking import (
    ASKS_THE_BANK,
    CHALLENGE,
    begin,
    mail_to,
    press,
    save,
    send_card,
    stands_at,
    text_of,
    words_of,
)

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("journeys"), pytest.mark.timeout(240)]
PASSWORD = "seven tired herons wade"
TODAY = datetime.now(UTC).date()


def test_a_business_signs_up_bills_and_is_paid_twice(site: Site, watched: tuple[Page, Watch]) -> None:
    page, watch = watched
    slug = f"nova{os.getpid()}"
    home = site.tenant(slug)

    _sign_up(page, site, slug)
    _connect_stripe(page, home)
    _make_catalog(page, home)
    customer_email = f"ada@{slug}.example"
    _make_customer_and_subscription(page, home, customer_email)
    _run_now(page, home)

    mail = mail_to(customer_email)
    _is_a_proper_invoice(mail)
    link = re.search(rf"{re.escape(home)}/pay/\S+", text_of(mail))
    assert link is not None
    _only_two_cookies(page, home)
    page.context.clear_cookies()  # the customer is somebody else, on another machine
    _pay_with_three_d_secure(page, link.group())
    _only_two_cookies(page, home)
    _download_pdf(page)
    _only_two_cookies(page, home)

    # The next period comes by itself: live on for a month with production's own jobs.
    site.sql("UPDATE tenants_tenant SET is_rehearsal = true WHERE slug = %s", slug)
    site.manage("rehearse", "--tenant", slug, "--until", (TODAY + timedelta(days=40)).isoformat(), "--json")
    site.sql("UPDATE tenants_tenant SET is_rehearsal = false, rehearsal_now = NULL WHERE slug = %s", slug)
    rows = site.sql(f"SELECT method, state, amount FROM t_{slug}.billing_payment ORDER BY created_at")
    assert rows == [("card", "succeeded", 2369), ("autopay", "succeeded", 1180)]
    assert "whole" in site.python("tests.journeys.proof", slug)

    portal = {urlsplit(home).netloc, urlsplit(site.url).netloc}
    foreign = [asked for asked in watch.requests if _is_foreign(asked, portal, site)]
    assert foreign == []
    assert [line for line in watch.complaints if "Content Security Policy" in line] == []


def _only_two_cookies(page: Page, home: str) -> None:
    """On the tenant's host; what Stripe's script sets stays on the pay host."""
    assert {cookie["name"] for cookie in page.context.cookies(home)} <= {"PROE_SID", "csrftoken"}


def _sign_up(page: Page, site: Site, slug: str) -> None:
    page.goto(f"{site.url}/")
    is_accessible(page)
    press(page, page.get_by_role("link", name="Sign up").first)
    page.get_by_label("Business name").fill("Nova Hosting")
    page.get_by_label("Address", exact=False).first.fill(slug)
    page.get_by_label("Your name").fill("Nora Vale")
    page.get_by_label("E-mail address").fill(f"nora@{slug}.example")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_label("Country").select_option("DE")
    page.get_by_label("Currency").select_option("EUR")
    page.get_by_label("Time zone").select_option("Europe/Berlin")
    is_accessible(page)
    press(page, page.locator("main form button").last)
    page.wait_for_url(f"{site.tenant(slug)}/log-in/**")
    page.get_by_label("E-mail address").fill(f"nora@{slug}.example")
    page.get_by_label("Password").fill(PASSWORD)
    is_accessible(page)
    press(page, page.get_by_role("button", name="Log in"))
    page.wait_for_url("**/manage/")
    is_accessible(page)


def _connect_stripe(page: Page, home: str) -> None:
    page.goto(f"{home}/manage/settings/stripe/")
    is_accessible(page)
    by_link = page.get_by_role("link", name=re.compile("Connect"))
    press(page, by_link.or_(page.get_by_role("button", name=re.compile("Connect with Stripe"))).first)
    press(page, page.get_by_role("button", name="Connect account"))
    page.wait_for_url("**/manage/settings/stripe/")
    expect(page.get_by_text("Customers can pay by card now.")).to_be_visible()


def _make_catalog(page: Page, home: str) -> None:
    page.goto(f"{home}/manage/settings/taxes/new/")
    is_accessible(page)
    page.get_by_label("Name").fill("VAT 18 %")
    page.get_by_label("Rate").fill("18")
    press(page, page.locator("main form button").last)
    page.goto(f"{home}/manage/products/new/")
    is_accessible(page)
    page.get_by_label("Name").fill("Web hosting M")
    save(page)
    page.get_by_label("Price per unit").fill("10.00")
    page.get_by_label("Setup fee").fill("10.08")
    is_accessible(page)
    save(page)
    expect(page.get_by_text("€10.00").first).to_be_visible()


def _make_customer_and_subscription(page: Page, home: str, email: str) -> None:
    page.goto(f"{home}/manage/customers/new/")
    page.locator("[name=name]").fill("Ada Lovelace")
    page.locator("[name=business_name]").fill("Analytical Engines")
    page.locator("[name=email]").fill(email)
    page.locator("[name=address_line1]").fill("Rechenweg 1")
    page.locator("[name=city]").fill("Berlin")
    is_accessible(page)
    save(page)
    page.wait_for_url(re.compile(r"/manage/customers/[0-9a-f-]{36}/$"))
    customer = page.url.rstrip("/").rsplit("/", 1)[1]
    page.goto(f"{home}/manage/subscriptions/new/?customer={customer}")
    option = page.locator("[name=price] option", has_text="€10.00").get_attribute("value")
    page.locator("[name=price]").select_option(option)
    is_accessible(page)
    save(page)
    page.wait_for_url(re.compile(r"/manage/subscriptions/[0-9a-f-]{36}/$"))
    is_accessible(page)


def _run_now(page: Page, home: str) -> None:
    """The clock's own run may be first: then there is an invoice already."""
    page.goto(f"{home}/manage/runs/")
    is_accessible(page)
    press(page, page.get_by_role("button", name=re.compile("Run now")))
    end = time.monotonic() + 60
    while time.monotonic() < end:
        page.goto(f"{home}/manage/invoices/")
        if page.get_by_text("Analytical Engines").count():
            break
        time.sleep(0.5)
    expect(page.get_by_text("€23.69").first).to_be_visible()
    is_accessible(page)


def _pay_with_three_d_secure(page: Page, link: str) -> None:
    page.goto(link)
    is_accessible(page)
    frame = begin(page, link)
    send_card(frame, ASKS_THE_BANK, keep=True)
    frame.frame_locator(CHALLENGE).get_by_role("button", name="Complete").click()
    stands_at(page, "paid")
    expect(page.get_by_text("Thank you.")).to_be_visible()
    is_accessible(page)


def _download_pdf(page: Page) -> None:
    press(page, page.get_by_role("link", name=re.compile("invoice", re.IGNORECASE)).first)
    is_accessible(page)
    with page.expect_download() as download:
        page.get_by_role("link", name=re.compile("PDF")).first.click()
    words = words_of(Path(download.value.path()).read_bytes())
    for expected in ("Analytical Engines", "Web hosting M", "23.69", "VAT 18"):
        assert expected in words


def _is_a_proper_invoice(mail: EmailMessage) -> None:
    assert "Nova Hosting" in str(mail["From"])
    (pdf,) = list(mail.iter_attachments())
    words = words_of(pdf.get_payload(decode=True))  # type: ignore[arg-type]
    assert "Analytical Engines" in words
    assert "23.69" in words


def _is_foreign(asked: str, portal: set[str], site: Site) -> bool:
    """Whether a page of the portal asked a host that is not ours; only the pay host may ask Stripe."""
    page, _, target = asked.partition(" -> ")
    ours = {*portal, urlsplit(site.env["PAY_URL"]).netloc}
    return urlsplit(page).netloc in portal and urlsplit(target).netloc not in ours and target != "data://"
