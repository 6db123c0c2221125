"""The main job in a browser: a business signs up, bills, is paid, and is paid again by itself."""

import io
import os
import re
import time
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect
from pypdf import PdfReader

from tests.journeys.conftest import Site, Watch

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("journeys"), pytest.mark.timeout(240)]
PASSWORD = "correct horse battery staple"
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

    mail = _mail_to(customer_email)
    _is_a_proper_invoice(mail)
    link = re.search(rf"{re.escape(home)}/pay/\S+", _text_of(mail))
    assert link is not None
    page.context.clear_cookies()  # the customer is somebody else, on another machine
    _pay_with_three_d_secure(page, link.group())
    assert {cookie["name"] for cookie in page.context.cookies(home)} <= {"PROE_SID", "csrftoken"}
    _download_pdf(page)

    # The next period comes by itself: live on for a month with production's own jobs.
    site.sql("UPDATE tenants_tenant SET is_rehearsal = true WHERE slug = %s", slug)
    site.manage("rehearse", "--tenant", slug, "--until", (TODAY + timedelta(days=40)).isoformat(), "--json")
    site.sql("UPDATE tenants_tenant SET is_rehearsal = false, rehearsal_now = NULL WHERE slug = %s", slug)
    rows = site.sql(f"SELECT method, state, amount FROM t_{slug}.billing_payment ORDER BY created_at")
    assert rows == [("card", "succeeded", 2369), ("autopay", "succeeded", 1180)]
    site.manage("ledger_check", "--tenant", slug)
    assert "whole" in site.manage("audit_verify", "--tenant", slug)

    portal = {urlsplit(home).netloc, urlsplit(site.url).netloc}
    foreign = [asked for asked in watch.requests if _is_foreign(asked, portal, site)]
    assert foreign == []
    assert [line for line in watch.complaints if "Content Security Policy" in line] == []


def _sign_up(page: Page, site: Site, slug: str) -> None:
    page.goto(f"{site.url}/")
    _is_accessible(page)
    page.get_by_role("link", name="Sign up").first.click()
    page.get_by_label("Business name").fill("Nova Hosting")
    page.get_by_label("Address", exact=False).first.fill(slug)
    page.get_by_label("Your name").fill("Nora Vale")
    page.get_by_label("E-mail address").fill(f"nora@{slug}.example")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_label("Country").select_option("DE")
    page.get_by_label("Currency").select_option("EUR")
    page.get_by_label("Time zone").select_option("Europe/Berlin")
    _is_accessible(page)
    page.locator("main form button").last.click()
    page.wait_for_url(f"{site.tenant(slug)}/log-in/**")
    page.get_by_label("E-mail address").fill(f"nora@{slug}.example")
    page.get_by_label("Password").fill(PASSWORD)
    _is_accessible(page)
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url("**/manage/")
    _is_accessible(page)


def _connect_stripe(page: Page, home: str) -> None:
    page.goto(f"{home}/manage/settings/stripe/")
    _is_accessible(page)
    page.get_by_role("link", name=re.compile("Connect")).or_(
        page.get_by_role("button", name=re.compile("Connect with Stripe"))
    ).first.click()
    page.get_by_role("button", name="Connect account").click()
    page.wait_for_url("**/manage/settings/stripe/")
    expect(page.get_by_text("Customers can pay by card now.")).to_be_visible()


def _make_catalog(page: Page, home: str) -> None:
    page.goto(f"{home}/manage/settings/taxes/new/")
    page.get_by_label("Name").fill("VAT 18 %")
    page.get_by_label("Rate").fill("18")
    page.locator("main form button").last.click()
    page.goto(f"{home}/manage/products/new/")
    _is_accessible(page)
    page.get_by_label("Name").fill("Web hosting M")
    page.locator("main form button.primary").click()
    page.get_by_label("Price per unit").fill("10.00")
    page.get_by_label("Setup fee").fill("10.08")
    _is_accessible(page)
    page.locator("main form button.primary").click()
    expect(page.get_by_text("€10.00").first).to_be_visible()


def _make_customer_and_subscription(page: Page, home: str, email: str) -> None:
    page.goto(f"{home}/manage/customers/new/")
    page.locator("[name=name]").fill("Ada Lovelace")
    page.locator("[name=business_name]").fill("Analytical Engines")
    page.locator("[name=email]").fill(email)
    page.locator("[name=address_line1]").fill("Rechenweg 1")
    page.locator("[name=city]").fill("Berlin")
    _is_accessible(page)
    page.locator("main form button.primary").click()
    page.wait_for_url(re.compile(r"/manage/customers/[0-9a-f-]{36}/$"))
    customer = page.url.rstrip("/").rsplit("/", 1)[1]
    page.goto(f"{home}/manage/subscriptions/new/?customer={customer}")
    option = page.locator("[name=price] option", has_text="€10.00").get_attribute("value")
    page.locator("[name=price]").select_option(option)
    _is_accessible(page)
    page.locator("main form button.primary").click()
    page.wait_for_url(re.compile(r"/manage/subscriptions/[0-9a-f-]{36}/$"))
    _is_accessible(page)


def _run_now(page: Page, home: str) -> None:
    """The clock's own run may be first: then there is an invoice already."""
    page.goto(f"{home}/manage/runs/")
    page.get_by_role("button", name=re.compile("Run now")).click()
    end = time.monotonic() + 60
    while time.monotonic() < end:
        page.goto(f"{home}/manage/invoices/")
        if page.get_by_text("Analytical Engines").count():
            break
        time.sleep(0.5)
    expect(page.get_by_text("€23.69").first).to_be_visible()
    _is_accessible(page)


def _pay_with_three_d_secure(page: Page, link: str) -> None:
    page.goto(link)
    _is_accessible(page)
    pay = page.get_by_role("button", name=re.compile("Pay"))
    pay.or_(page.get_by_role("link", name=re.compile("Pay"))).first.click()
    begin = page.get_by_role("button", name=re.compile(r"Pay .* by card"))
    if begin.count():
        begin.click()
    frame = page.frame_locator("iframe.card-frame")
    element = frame.frame_locator("iframe[title='Secure payment input frame']")
    element.get_by_label("Card number").fill("4000 0025 0000 3155")
    element.get_by_label("Expiry date").fill("12 / 34")
    element.get_by_label("CVC").fill("123")
    frame.get_by_label(re.compile("Save this card")).check()
    frame.get_by_role("button", name=re.compile("Pay")).click()
    bank = frame.frame_locator("iframe[title='3-D Secure confirmation by your bank']")
    bank.get_by_role("button", name="Complete").click()
    expect(page.get_by_text("Thank you.")).to_be_visible(timeout=30_000)
    _is_accessible(page)


def _download_pdf(page: Page) -> None:
    page.get_by_role("link", name=re.compile("invoice", re.IGNORECASE)).first.click()
    with page.expect_download() as download:
        page.get_by_role("link", name=re.compile("PDF")).first.click()
    words = _words_of(Path(download.value.path()).read_bytes())
    for expected in ("Analytical Engines", "Web hosting M", "23.69", "VAT 18"):
        assert expected in words


def _is_a_proper_invoice(mail: EmailMessage) -> None:
    assert "Nova Hosting" in str(mail["From"])
    (pdf,) = list(mail.iter_attachments())
    words = _words_of(pdf.get_payload(decode=True))  # type: ignore[arg-type]
    assert "Analytical Engines" in words
    assert "23.69" in words


def _mail_to(address: str, seconds: float = 60) -> EmailMessage:
    folder = Path(os.environ["DEMO_DIR"]) / "mail"
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        for file in sorted(folder.glob("*.eml"), reverse=True):
            mail = message_from_bytes(file.read_bytes(), policy=policy.default)
            if address in str(mail["To"]) and isinstance(mail, EmailMessage):
                return mail
        time.sleep(0.3)
    raise AssertionError(f"no mail to {address}")


def _text_of(mail: EmailMessage) -> str:
    body = mail.get_body(("plain",))
    assert body is not None
    return str(body.get_content())


def _words_of(pdf: bytes) -> str:
    return " ".join(page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages)


def _is_accessible(page: Page) -> None:
    results = Axe().run(page)
    assert results.violations_count == 0, results.generate_report()


def _is_foreign(asked: str, portal: set[str], site: Site) -> bool:
    """Whether a page of the portal asked a host that is not ours; only the pay host may ask Stripe."""
    page, _, target = asked.partition(" -> ")
    ours = {*portal, urlsplit(site.env["PAY_URL"]).netloc}
    return urlsplit(page).netloc in portal and urlsplit(target).netloc not in ours and target != "data://"
