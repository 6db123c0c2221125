"""Paying in a browser when something comes between: a declined card, a tab that is closed too early."""

import os
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.browsing import is_accessible
from tests.journeys.conftest import Site, Watch
from tests.journeys.walking import (
    ASKS_THE_BANK,
    CHALLENGE,
    NO_MONEY,
    VISA,
    begin,
    send_card,
    stands_at,
)

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("journeys"), pytest.mark.timeout(240)]
PAYERS = ("declined", "challenged", "confirmed", "late")
WHOLE = 9900


@dataclass
class Shop:
    """A connected business and a pay link for each of its payers."""

    site: Site
    slug: str
    links: dict[str, str]

    def payments(self, payer: str) -> list[tuple[Any, ...]]:
        """State and amount of all that was tried for the payer's invoice, and the invoice's own state."""
        schema = f"t_{self.slug}"
        return self.site.sql(
            f"SELECT p.state, p.amount, i.status FROM {schema}.billing_payment p"
            f" JOIN {schema}.billing_invoice i ON i.id = p.invoice_id"
            f" JOIN {schema}.accounts_customer c ON c.id = i.customer_id WHERE c.email = %s",
            self.email(payer),
        )

    def settled_by(self, payer: str) -> list[str]:
        """Who booked the payer's money: the actors of the audit events."""
        schema = f"t_{self.slug}"
        rows = self.site.sql(
            f"SELECT e.actor_label FROM {schema}.audit_auditevent e WHERE e.action = 'payment.succeeded'"
            f" AND e.subject_id IN (SELECT p.id::text FROM {schema}.billing_payment p"
            f" JOIN {schema}.accounts_customer c ON c.id = p.customer_id WHERE c.email = %s)",
            self.email(payer),
        )
        return [label for (label,) in rows]

    def wait_until_paid(self, payer: str, seconds: float = 60) -> None:
        end = time.monotonic() + seconds
        while self.payments(payer) != [("succeeded", WHOLE, "paid")]:
            assert time.monotonic() < end, self.payments(payer)
            time.sleep(0.2)

    def charges(self, payer: str) -> list[tuple[str, int]]:
        """What Stripe tried to take from the payer's cards, refused or not."""
        dump = self._control(action="dump", kinds=["charge", "customer"])
        rows = [account for account in dump.values() if account["customer"]]
        names = {c["id"]: c["email"] for account in rows for c in account["customer"]}
        charges = [c for account in rows for c in account["charge"]]
        return [(c["status"], c["amount"]) for c in charges if names.get(c["customer"]) == self.email(payer)]

    def email(self, payer: str) -> str:
        return f"{payer}@{self.slug}.example"

    def _control(self, **asked: Any) -> dict[str, Any]:
        answer = httpx.post(f"{self.site.env['STRIPE_API_BASE']}/_control", json=asked, trust_env=False)
        answer.raise_for_status()
        found: dict[str, Any] = answer.json()
        return found


@pytest.fixture(scope="module")
def shop(site: Site) -> Iterator[Shop]:
    made = Shop(site, f"sound{os.getpid()}", {})
    printed = site.python("tests.journeys.shop", made.slug, *map(made.email, PAYERS))
    made.links = dict(zip(PAYERS, printed.split(), strict=True))
    yield made
    assert "whole" in site.python("tests.journeys.proof", made.slug)


def test_a_declined_card_says_why_and_what_to_do_and_another_one_pays_on_the_same_page(
    shop: Shop, watched: tuple[Page, Watch]
) -> None:
    page, watch = watched
    frame = begin(page, shop.links["declined"])
    address = page.url
    send_card(frame, NO_MONEY)
    problem = frame.get_by_role("alert")
    expect(problem).to_have_text(
        "Your card has insufficient funds. Use another card, or try again when there is money on this one."
    )
    assert shop.payments("declined")[0][2] == "open"
    is_accessible(page)
    send_card(frame, VISA)
    stands_at(page, "paid")
    assert page.url == address
    shop.wait_until_paid("declined")
    assert sorted(shop.charges("declined")) == [("failed", WHOLE), ("succeeded", WHOLE)]
    assert [line for line in watch.complaints if "Content Security Policy" in line] == []


def test_who_leaves_while_the_bank_asks_finds_the_invoice_still_to_pay_and_pays_once(
    shop: Shop, watched: tuple[Page, Watch]
) -> None:
    page, _ = watched
    send_card(begin(page, shop.links["challenged"]), ASKS_THE_BANK)
    bank = page.frame_locator("iframe.card-frame").frame_locator(CHALLENGE)
    expect(bank.get_by_role("button", name="Complete")).to_be_visible()
    page.close()
    again = page.context.new_page()
    frame = begin(again, shop.links["challenged"])
    assert shop.payments("challenged") == [("needs_action", WHOLE, "open")]
    assert shop.charges("challenged") == []
    is_accessible(again)
    send_card(frame, ASKS_THE_BANK)
    again.frame_locator("iframe.card-frame").frame_locator(CHALLENGE).get_by_role(
        "button", name="Complete"
    ).click()
    stands_at(again, "paid")
    assert shop.payments("challenged") == [("succeeded", WHOLE, "paid")]
    assert shop.charges("challenged") == [("succeeded", WHOLE)]


def test_who_leaves_once_confirmed_is_booked_by_the_event_and_comes_back_to_a_paid_invoice(
    shop: Shop, watched: tuple[Page, Watch]
) -> None:
    page, _ = watched
    # The page never hears how it went, and so can neither turn nor have Stripe asked.
    page.route(re.compile(r"/pay/[^/]+/status/"), lambda route: route.abort())
    send_card(begin(page, shop.links["confirmed"]), VISA)
    expect(page.locator("[data-said-by-script]")).to_contain_text("Thank you.")
    page.close()
    shop.wait_until_paid("confirmed")
    assert shop.settled_by("confirmed") == ["Stripe"]
    again = page.context.new_page()
    again.goto(shop.links["confirmed"])
    expect(again.get_by_text("Thank you.")).to_be_visible()
    expect(again.get_by_role("button", name=re.compile("Pay"))).to_have_count(0)
    is_accessible(again)
    again.goto(f"{shop.links['confirmed']}card/")
    stands_at(again, "paid")
    is_accessible(again)
    assert shop.charges("confirmed") == [("succeeded", WHOLE)]


def test_a_second_tab_that_was_left_open_cannot_pay_again(shop: Shop, watched: tuple[Page, Watch]) -> None:
    first, _ = watched
    stale = begin(first, shop.links["late"])
    first.route(re.compile(r"/pay/[^/]+/status/"), lambda route: route.abort())  # it sleeps in the background
    second = first.context.new_page()
    send_card(begin(second, shop.links["late"]), VISA)
    stands_at(second, "paid")
    send_card(stale, VISA)
    expect(stale.get_by_role("status")).to_have_text("This was paid already. This card was not charged.")
    expect(stale.get_by_role("alert")).to_be_hidden()
    first.unroute_all()  # it wakes up
    stands_at(first, "paid")
    assert shop.payments("late") == [("succeeded", WHOLE, "paid")]
    assert shop.charges("late") == [("succeeded", WHOLE)]
