"""Saved cards, autopay, and a customer's own details."""

from typing import Any

import pytest
from django.test import Client

from accounts.models import Customer
from audit.models import AuditEvent
from audit.reading import opened
from billing.models import PaymentMethod, PaymentProfile, StripeConnection
from tests.billing.portal import making
from tests.billing.portal.conftest import text
from tests.billing.portal.making import Account


@pytest.fixture
def connected(tenant: Any) -> None:
    StripeConnection.objects.create(
        kind="connect", account_id="acct_1", publishable_key="pk_test_1", connected_at=making.NOW
    )


def autopay_of(of: Customer) -> bool:
    return PaymentProfile.objects.filter(customer=of, autopay=True).exists()


class TestCards:
    @pytest.mark.usefixtures("connected")
    def test_at_first_one_is_asked_to_save_a_card(self, page: Client) -> None:
        answer = page.get("/cards/")
        assert "No card is saved" in text(answer)
        assert 'href="/cards/add/"' in answer.content.decode()

    def test_without_stripe_no_card_is_asked_for(self, page: Client) -> None:
        answer = page.get("/cards/")
        assert "No cards here yet" in text(answer)
        assert "/cards/add/" not in answer.content.decode()

    def test_cards_show_brand_digits_and_expiry(self, lind: Account, page: Client) -> None:
        making.card(lind.customer)
        making.card(lind.customer, "0005", brand="amex", default=False, exp_month=10, exp_year=2026)
        making.card(lind.customer, "9999", default=False, removed_at=making.NOW)
        words = text(page.get("/cards/"))
        assert "Visa •••• 4242 Default Expires 08/29" in words
        assert "American Express •••• 0005 Expired Expired 10/26" in words
        assert "9999" not in words

    def test_a_card_is_good_to_the_end_of_its_month(self, lind: Account, page: Client) -> None:
        making.card(lind.customer, exp_month=11, exp_year=2026)
        assert "Expires 11/26" in text(page.get("/cards/"))

    def test_another_card_becomes_the_default(self, lind: Account, page: Client) -> None:
        first, second = making.card(lind.customer), making.card(lind.customer, "4444", default=False)
        answer = page.post(f"/cards/{second.pk}/default/", follow=True)
        assert "Visa •••• 4444 is your default card now." in text(answer)
        assert [each.pk for each in PaymentMethod.objects.filter(is_default=True)] == [second.pk]
        assert PaymentMethod.objects.get(pk=first.pk).removed_at is None

    def test_removing_the_default_hands_on_to_another_and_keeps_autopay(
        self, lind: Account, page: Client
    ) -> None:
        first, second = making.card(lind.customer), making.card(lind.customer, "4444", default=False)
        making.autopay(lind.customer)
        page.post(f"/cards/{first.pk}/remove/")
        assert PaymentMethod.objects.get(is_default=True) == second
        assert autopay_of(lind.customer)

    def test_removing_the_last_turns_autopay_off_and_says_so(self, lind: Account, page: Client) -> None:
        card = making.card(lind.customer)
        making.autopay(lind.customer)
        assert "autopay is turned off with it" in text(page.get("/cards/"))
        answer = page.post(f"/cards/{card.pk}/remove/", follow=True)
        words = text(answer)
        assert "Visa •••• 4242 was removed." in words and "Autopay is off now" in words
        assert not autopay_of(lind.customer)

    def test_a_card_removed_already_is_not_there(self, lind: Account, page: Client) -> None:
        card = making.card(lind.customer, default=False, removed_at=making.NOW)
        assert page.post(f"/cards/{card.pk}/remove/").status_code == 404


class TestAutopay:
    def test_turning_it_on_says_what_one_agrees_to_and_is_on_record(
        self, lind: Account, page: Client
    ) -> None:
        making.card(lind.customer)
        making.invoice(lind.customer, due=making.TODAY)
        words = text(page.get("/cards/"))
        assert "It would charge next €16.66 today" in words
        assert "you agree that Alpha Hosting charges Visa •••• 4242 for each invoice" in words
        page.post("/autopay/", {"on": "1"})
        assert autopay_of(lind.customer)
        event = AuditEvent.objects.get(action="autopay.changed")
        assert (event.actor_id, event.details["after"]) == (str(lind.user.pk), {"autopay": True})

    def test_turning_it_off(self, lind: Account, page: Client) -> None:
        making.card(lind.customer)
        making.autopay(lind.customer)
        answer = page.post("/autopay/", {"on": "0"}, follow=True)
        assert "Autopay is off." in text(answer)
        assert not autopay_of(lind.customer)

    def test_without_a_card_it_is_refused_with_a_reason(self, lind: Account, page: Client) -> None:
        answer = page.post("/autopay/", {"on": "1"}, follow=True)
        assert "Add a card first" in text(answer)
        assert not autopay_of(lind.customer)

    @pytest.mark.parametrize("asked", ["", "yes", "2", "\x00"])
    def test_nothing_but_on_or_off_is_taken(self, lind: Account, page: Client, asked: str) -> None:
        making.card(lind.customer)
        making.autopay(lind.customer)
        page.post("/autopay/", {"on": asked})
        assert autopay_of(lind.customer)


class TestDetails:
    GOOD = {
        "name": "Nora Lind",
        "business_name": "Lind GmbH",
        "country": "AT",
        "city": "Wien",
        "postal_code": "1010",
    }

    def test_they_are_shown(self, page: Client) -> None:
        html = page.get("/details/").content.decode()
        assert 'value="Hafenstraße 12"' in html
        assert '<option value="DE" selected>' in html

    def test_they_are_corrected_and_the_change_is_on_record(self, lind: Account, page: Client) -> None:
        answer = page.post("/details/", self.GOOD, follow=True)
        assert "Saved." in text(answer)
        lind.customer.refresh_from_db()
        assert (lind.customer.business_name, lind.customer.country) == ("Lind GmbH", "AT")
        event = AuditEvent.objects.get(action="customer.changed")
        assert opened([event])[0].details["before"]["country"] == "DE"
        assert event.actor_id == str(lind.user.pk)

    def test_what_is_not_a_customers_to_change_stays(self, lind: Account, page: Client) -> None:
        more = {
            "email": "evil@lind.example",
            "currency": "JPY",
            "status": "closed",
            "external_id": "x",
            "locale": "de",
        }
        page.post("/details/", self.GOOD | more)
        lind.customer.refresh_from_db()
        kept = lind.customer
        assert (kept.email, kept.currency, kept.status, kept.external_id, kept.locale) == (
            "nora@lind.example", "EUR", "active", None, "en",
        )  # fmt: skip

    def test_an_issued_invoice_keeps_what_it_says(self, lind: Account, page: Client) -> None:
        invoice = making.invoice(lind.customer, due=making.TODAY)
        page.post("/details/", self.GOOD)
        assert "Lind & Söhne GmbH" in text(page.get(f"/invoices/{invoice.pk}/"))

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("name", ""), ("name", " "), ("name", "x" * 201), ("name", "a\x00b"), ("country", "XX"),
            ("country", ""), ("phone", "call me"), ("phone", "1" * 40), ("city", "Wien\u0007"),
            ("postal_code", "1" * 21), ("tax_id", "x" * 41), ("address_line1", "a\nb"),
        ],
    )  # fmt: skip
    def test_a_wrong_field_is_named_and_nothing_changes(
        self, lind: Account, page: Client, field: str, value: str
    ) -> None:
        answer = page.post("/details/", self.GOOD | {field: value})
        assert answer.status_code == 422
        html = answer.content.decode()
        assert 'role="alert"' in html and f'href="#id_{field}"' in html
        assert "Lind & Söhne GmbH" in text(page.get("/"))

    @pytest.mark.parametrize("name", ["O’Neill", "Πέτρος", "李小龍", "محمد", "Jürgen–Łukasz 😀"])
    def test_names_come_in_every_script(self, lind: Account, page: Client, name: str) -> None:
        assert page.post("/details/", self.GOOD | {"name": name}).status_code == 302
        lind.customer.refresh_from_db()
        assert lind.customer.name == name
