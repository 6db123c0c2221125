"""The overview: what is due, what renews, how it is paid, in every state that it knows."""

from datetime import date, timedelta
from typing import Any

import pytest
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import Customer
from billing import customer_queries
from billing.models import Invoice, PaymentProfile, StripeConnection
from billing.money import Money
from tests.billing.portal import making
from tests.billing.portal.conftest import text
from tests.billing.portal.making import TODAY, Account

SOON = date(2026, 12, 4)


@pytest.fixture
def connected(tenant: Any) -> None:
    StripeConnection.objects.create(
        kind="connect", account_id="acct_1", publishable_key="pk_test_1", connected_at=making.NOW
    )


def test_at_first_there_is_nothing(page: Client) -> None:
    words = text(page.get("/"))
    assert "Nothing due" in words
    assert "No renewals are ahead." in words
    assert "Your invoices will stand here" in words
    assert "No card is saved." in words


def test_nothing_due_tells_the_next_charge(lind: Account, page: Client) -> None:
    making.tax_rate()
    making.subscription(lind.customer, making.price(), SOON)
    making.card(lind.customer)
    making.autopay(lind.customer)
    words = text(page.get("/"))
    assert "Nothing due Next charge for Dec 4, 2026: €16.66 , by Visa •••• 4242" in words
    assert "Autopay is on" in words


def test_without_autopay_the_next_is_an_invoice(lind: Account, page: Client) -> None:
    making.subscription(lind.customer, making.price(), SOON)
    making.card(lind.customer)
    words = text(page.get("/"))
    assert "Next invoice for Dec 4, 2026: €14.00" in words
    assert "You get an invoice for each." in words


def test_a_dispute_pauses_the_promise_of_a_charge(lind: Account, page: Client) -> None:
    making.subscription(lind.customer, making.price(), SOON)
    making.card(lind.customer)
    making.autopay(lind.customer)
    PaymentProfile.objects.update(paused_reason="dispute dp_1")
    words = text(page.get("/"))
    assert "Autopay is paused" in words and "Next charge" not in words and "dp_1" not in words


@pytest.mark.usefixtures("connected")
def test_one_open_invoice_is_paid_from_here(lind: Account, page: Client) -> None:
    invoice = making.invoice(lind.customer, due=SOON)
    answer = page.get("/")
    assert "€16.66 Due Dec 4, 2026" in text(answer)
    assert f'href="/invoices/{invoice.pk}/pay/">Pay €16.66</a>' in answer.content.decode()


@pytest.mark.usefixtures("connected")
def test_several_open_invoices_are_listed_with_the_oldest_first(lind: Account, page: Client) -> None:
    late = making.invoice(lind.customer, due=TODAY - timedelta(days=13))
    making.invoice(lind.customer, due=SOON, number="ALPHA-LATER")
    words = text(page.get("/"))
    assert "€33.32 €16.66 overdue since Nov 10, 2026" in words
    assert words.index(str(late.number)) < words.index("ALPHA-LATER")
    assert page.get("/").content.decode().count("/pay/") == 2


def test_without_stripe_nothing_offers_to_pay(lind: Account, page: Client) -> None:
    invoice = making.invoice(lind.customer, due=SOON)
    assert "/pay/" not in page.get("/").content.decode()
    assert "takes no cards here" in text(page.get(f"/invoices/{invoice.pk}/"))


def test_each_currency_is_due_by_itself(lind: Account, page: Client) -> None:
    making.invoice(lind.customer, due=SOON)
    making.invoice(lind.customer, due=TODAY, currency="JPY")
    assert [each.amount for each in customer_queries.balances(lind.customer, today=TODAY)] == [
        Money(1666, "JPY"),
        Money(1666, "EUR"),
    ]
    words = text(page.get("/"))
    assert "¥1,666 Due today" in words and "€16.66" in words


def test_what_is_paid_or_void_is_not_due(lind: Account, page: Client) -> None:
    making.pay(making.invoice(lind.customer, due=TODAY))
    void = making.invoice(lind.customer, due=TODAY)
    Invoice.objects.filter(pk=void.pk).update(status="void", voided_at=making.NOW)
    making.draft(lind.customer)
    assert customer_queries.balances(lind.customer, today=TODAY) == []
    assert "Nothing due" in text(page.get("/"))


def test_the_day_is_that_of_the_tenants_zone(
    lind: Account, page: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tenants import clock

    making.invoice(lind.customer, due=TODAY)
    monkeypatch.setattr(clock, "now", lambda: making.NOW.replace(hour=22, minute=59))
    assert "Due today" in text(page.get("/"))
    monkeypatch.setattr(clock, "now", lambda: making.NOW.replace(hour=23, minute=0))
    assert "overdue since Nov 23, 2026" in text(page.get("/"))


class TestRenewals:
    def test_what_falls_on_one_day_is_one_renewal_with_tax_setup_and_quantity(self, lind: Account) -> None:
        making.tax_rate()
        making.subscription(lind.customer, making.price(), SOON, quantity=3)
        setup = making.price("Mail", 500, setup_fee=1000)
        making.subscription(lind.customer, setup, SOON, setup_billed=False)
        found = customer_queries.renewals(lind.customer, limit=3)
        assert [(each.day, each.amount) for each in found] == [
            (SOON, Money((4200 + 1500) * 119 // 100, "EUR"))
        ]

    def test_it_is_what_the_run_will_bill(self, lind: Account) -> None:
        from datetime import UTC, datetime

        from billing.running import run_invoices

        making.tax_rate()
        making.subscription(lind.customer, making.price(amount=1399), SOON, quantity=7)
        said = customer_queries.renewals(lind.customer, limit=1)[0].amount
        run_invoices(actor=making.ACTOR, now=datetime(2026, 12, 1, tzinfo=UTC))
        assert Invoice.objects.get().total_money == said

    def test_currencies_and_days_stay_apart_and_the_first_come_first(self, lind: Account) -> None:
        days = [SOON + timedelta(days=back) for back in (9, 0, 5, 2)]
        for each in days:
            making.subscription(lind.customer, making.price(), each)
        making.subscription(lind.customer, making.price(currency="USD"), SOON)
        found = customer_queries.renewals(lind.customer, limit=3)
        assert [(each.day, each.amount.currency) for each in found] == [
            (SOON, "EUR"), (SOON, "USD"), (SOON + timedelta(days=2), "EUR"),
        ]  # fmt: skip

    def test_what_is_paused_or_anothers_does_not_renew(self, lind: Account) -> None:
        making.subscription(lind.customer, making.price(), SOON, status="paused")
        making.subscription(making.customer("Other"), making.price(), SOON)
        assert customer_queries.renewals(lind.customer, limit=3) == []

    def test_a_closed_customer_renews_nothing(self, lind: Account) -> None:
        making.subscription(lind.customer, making.price(), SOON)
        lind.customer.status = Customer.Status.CLOSED
        lind.customer.save()
        assert customer_queries.renewals(lind.customer, limit=3) == []


class TestNextCharge:
    def test_an_open_invoice_comes_before_a_later_renewal(self, lind: Account) -> None:
        invoice = making.invoice(lind.customer, due=SOON)
        making.subscription(lind.customer, making.price(), SOON + timedelta(days=31))
        found = customer_queries.next_charge(lind.customer, today=TODAY)
        assert found is not None and (found.day, found.amount, found.invoice) == (
            SOON,
            Money(1666, "EUR"),
            invoice,
        )

    def test_what_was_tried_is_not_charged_again(self, lind: Account) -> None:
        invoice = making.invoice(lind.customer, due=TODAY - timedelta(days=3))
        assert customer_queries.next_charge(lind.customer, today=TODAY).day == TODAY  # type: ignore[union-attr]
        invoice.payments.create(
            customer=lind.customer,
            method="autopay",
            state="failed",
            amount=1,
            currency="EUR",
            created_at=making.NOW,
        )
        assert customer_queries.next_charge(lind.customer, today=TODAY) is None


def test_the_overview_costs_the_same_with_one_invoice_and_with_hundreds(lind: Account, page: Client) -> None:
    from django.db import connection

    def cost() -> int:
        with CaptureQueriesContext(connection) as seen:
            assert page.get("/").status_code == 200
        return len(seen)

    making.invoice(lind.customer, due=SOON)
    making.subscription(lind.customer, making.price(), SOON)
    first = cost()
    for number in range(40):
        making.invoice(lind.customer, due=SOON - timedelta(days=number))
        making.subscription(lind.customer, making.price(), SOON + timedelta(days=number % 4))
    assert cost() == first
    assert first <= 25
