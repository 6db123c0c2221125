"""How journeys go about pages: press what leads on and wait for where it leads, pay in the frame."""

import io
import os
import re
import time
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

from playwright.sync_api import FrameLocator, Locator, Page, expect
from pypdf import PdfReader

VISA = "4242 4242 4242 4242"
ASKS_THE_BANK = "4000 0025 0000 3155"
NO_MONEY = "4000 0000 0000 9995"
CHALLENGE = "iframe[title='3-D Secure confirmation by your bank']"


def press(page: Page, control: Locator) -> None:
    """Press what leads to another page and wait until that is there."""
    with page.expect_navigation():
        control.click()


def save(page: Page) -> None:
    """Send the page's form."""
    press(page, page.locator("main form button.primary"))


def stands_at(page: Page, step: str) -> None:
    """Wait until the pay page says that paying stands at this step: `form`, `paid` …"""
    expect(page.locator(f"#paying[data-state={step}]")).to_be_visible()


def begin(page: Page, link: str) -> FrameLocator:
    """Open a mailed link, press Pay, and return the card frame once a card can be entered."""
    page.goto(link)
    press(page, page.get_by_role("button", name=re.compile("Pay .* by card")))
    return card_frame(page)


def card_frame(page: Page) -> FrameLocator:
    stands_at(page, "form")
    frame = page.frame_locator("iframe.card-frame")
    expect(frame.locator("#submit")).to_be_enabled()
    return frame


def send_card(frame: FrameLocator, number: str, *, keep: bool = False) -> None:
    """Enter the card in Stripe's own frame and confirm."""
    element = frame.frame_locator("iframe[title='Secure payment input frame']")
    element.get_by_label("Card number").fill(number)
    element.get_by_label("Expiry date").fill("12 / 34")
    element.get_by_label("CVC").fill("123")
    if keep:
        frame.get_by_label(re.compile("Save this card")).check()
    frame.locator("#submit").click()


def mail_to(address: str, seconds: float = 60) -> EmailMessage:
    """Wait for the last mail to the address."""
    folder = Path(os.environ["DEMO_DIR"]) / "mail"
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        for file in sorted(folder.glob("*.eml"), reverse=True):
            mail = message_from_bytes(file.read_bytes(), policy=policy.default)
            if address in str(mail["To"]) and isinstance(mail, EmailMessage):
                return mail
        time.sleep(0.3)
    raise AssertionError(f"no mail to {address}")


def text_of(mail: EmailMessage) -> str:
    body = mail.get_body(("plain",))
    assert body is not None
    return str(body.get_content())


def words_of(pdf: bytes) -> str:
    return " ".join(page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages)
