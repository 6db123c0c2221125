"""The list of invoices, one invoice, and its PDF."""

from datetime import date, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from billing.models import Dispute, Invoice, Payment, Refund, StripeConnection
from tests.billing.portal import making
from tests.billing.portal.conftest import text
from tests.billing.portal.making import TODAY, Account

SOON = date(2026, 12, 4)


@pytest.fixture
def some(lind: Account) -> dict[str, Invoice]:
    """One invoice of each kind, the paid one of the year before."""
    made = {
        "open": making.invoice(lind.customer, due=SOON, number="ALPHA-2026-000901"),
        "late": making.invoice(lind.customer, due=TODAY - timedelta(days=1), number="ALPHA-2026-000902"),
        "paid": making.invoice(lind.customer, due=date(2025, 5, 4), number="ALPHA-2025-000903"),
        "void": making.invoice(lind.customer, due=date(2026, 2, 4), number="ALPHA-2026-000904"),
    }
    making.pay(made["paid"])
    Invoice.objects.filter(pk=made["void"].pk).update(status="void", voided_at=making.NOW)
    return made


def shown(page: Client, query: str = "") -> set[str]:
    answer = page.get(f"/invoices/{query}")
    assert answer.status_code == 200
    return {row[-6:] for row in text(answer).split() if row.startswith("ALPHA-20")}


@pytest.mark.usefixtures("some")
class TestList:
    def test_all_are_there_with_their_state(self, page: Client) -> None:
        assert shown(page) == {"000901", "000902", "000903", "000904"}
        words = text(page.get("/invoices/"))
        assert "All 4 Open 2 Overdue 1 Paid 1 Void 1" in words

    @pytest.mark.parametrize(
        ("query", "numbers"),
        [
            ("?status=open", {"000901", "000902"}),
            ("?status=overdue", {"000902"}),
            ("?status=paid", {"000903"}),
            ("?status=void", {"000904"}),
            ("?year=2025", {"000903"}),
            ("?q=0090", {"000901", "000902", "000903", "000904"}),
            ("?q=alpha-2026", {"000901", "000902", "000904"}),
            ("?q=000902&status=open&year=2026", {"000902"}),
        ],
    )
    def test_it_narrows(self, page: Client, query: str, numbers: set[str]) -> None:
        assert shown(page, query) == numbers

    @pytest.mark.parametrize(
        "query",
        ["?status=draft", "?status=x", "?year=x", "?year=1999", "?year=99999999999", "?after=x",
         "?before=%00", "?after=WyJ4IiwgInkiXQ", "?page=9", "?q=", "?q=%20"],
    )  # fmt: skip
    def test_what_it_does_not_understand_narrows_nothing(self, page: Client, query: str) -> None:
        assert len(shown(page, query)) == 4

    @pytest.mark.parametrize("query", ["?q=%00", "?q='%3B--", "?q=%25", "?q=" + "9" * 80, "?q=_"])
    def test_no_search_breaks_it(self, page: Client, query: str) -> None:
        assert page.get(f"/invoices/{query}").status_code == 200

    def test_no_match_offers_to_clear_the_filters(self, page: Client) -> None:
        words = text(page.get("/invoices/?q=zz"))
        assert "Nothing matches" in words and "Clear filters" in words

    def test_the_form_keeps_what_was_asked(self, page: Client) -> None:
        html = page.get("/invoices/?status=open&q=0009&year=2026").content.decode()
        assert 'name="status" value="open"' in html
        assert 'value="0009"' in html
        assert '<option value="2026" selected>' in html


def test_at_first_the_list_says_what_will_come(page: Client) -> None:
    words = text(page.get("/invoices/"))
    assert "No invoices yet" in words and "Search" not in words


def test_nothing_open_is_good_news(lind: Account, page: Client) -> None:
    making.pay(making.invoice(lind.customer, due=TODAY))
    assert "You have paid everything." in text(page.get("/invoices/?status=open"))
    assert "Nothing is overdue" in text(page.get("/invoices/?status=overdue"))


def test_pages_hold_every_invoice_once_and_cost_the_same(lind: Account, page: Client) -> None:
    making.invoice(lind.customer, due=SOON)

    def look(path: str) -> tuple[Any, int]:
        with CaptureQueriesContext(connection) as seen:
            answer = page.get(path)
        return answer, len(seen)

    _, cost = look("/invoices/")
    for number in range(59):
        making.invoice(lind.customer, due=SOON - timedelta(days=number // 3))
    path, numbers = "/invoices/?q=ALPHA", []
    while path:
        answer, queries = look(path)
        assert queries == cost
        numbers += [word for word in text(answer).split() if word.startswith("ALPHA-2026-")]
        context = answer.context["page"]
        path = f"/invoices/?q=ALPHA&after={context.next}" if context.next else ""
    assert len(numbers) == len(set(numbers)) == 60
    assert 'rel="prev"' in answer.content.decode()


class TestInvoice:
    @pytest.fixture(autouse=True)
    def connected(self, tenant: Any) -> None:
        StripeConnection.objects.create(
            kind="connect", account_id="acct_1", publishable_key="pk_test_1", connected_at=making.NOW
        )

    def test_lines_taxes_and_parties_are_there(self, lind: Account, page: Client) -> None:
        lines = (("Web hosting M", 1400), ("lind.example", 1799))
        invoice = making.invoice(lind.customer, due=SOON, lines=lines)
        words = text(page.get(f"/invoices/{invoice.pk}/"))
        for said in (
            "Web hosting M Dec 4, 2026 – Jan 2, 2027 1 €14.00 19% €14.00",
            "Before tax €31.99 VAT 19% €6.07 Total €38.06 To be paid €38.06",
            "From Alpha Hosting Germany",
            "To Lind & Söhne GmbH Nora Lind Germany",
            "Pay €38.06",
        ):
            assert said in words

    def test_it_shows_the_parties_as_they_were(self, lind: Account, page: Client) -> None:
        invoice = making.invoice(lind.customer, due=SOON, buyer={"name": "Nora Old", "city": "Bremen"})
        assert "To Nora Old Bremen" in text(page.get(f"/invoices/{invoice.pk}/"))

    def test_what_a_tenant_writes_is_text(self, lind: Account, page: Client) -> None:
        evil = "<script>alert(1)</script>"
        invoice = making.invoice(
            lind.customer, due=SOON, lines=((evil, 100),), note=evil, buyer={"name": evil}
        )
        assert evil not in page.get(f"/invoices/{invoice.pk}/").content.decode()

    def test_one_paid_says_thank_you_and_how(self, lind: Account, page: Client) -> None:
        invoice = making.invoice(lind.customer, due=SOON)
        making.pay(invoice, card=making.card(lind.customer))
        words = text(page.get(f"/invoices/{invoice.pk}/"))
        assert "Paid on Nov 23, 2026 By Visa •••• 4242. Thank you." in words
        assert "Payment received" in words and "Succeeded" in words
        assert "To be paid" not in words and "Pay €" not in words

    def test_one_void_asks_for_nothing(self, lind: Account, page: Client) -> None:
        invoice = making.invoice(lind.customer, due=SOON)
        Invoice.objects.filter(pk=invoice.pk).update(status="void", voided_at=making.NOW)
        words = text(page.get(f"/invoices/{invoice.pk}/"))
        assert "This invoice is void" in words and "Voided" in words and "Pay €" not in words

    def test_one_overdue_says_since_when(self, lind: Account, page: Client) -> None:
        invoice = making.invoice(lind.customer, due=TODAY - timedelta(days=1))
        assert "This was due on Nov 22, 2026" in text(page.get(f"/invoices/{invoice.pk}/"))

    def test_autopay_says_that_nothing_is_to_be_done(self, lind: Account, page: Client) -> None:
        invoice = making.invoice(lind.customer, due=SOON)
        making.card(lind.customer)
        making.autopay(lind.customer)
        words = text(page.get(f"/invoices/{invoice.pk}/"))
        assert "Visa •••• 4242 will be charged €16.66 on Dec 4, 2026." in words

    @pytest.mark.parametrize(
        ("state", "said", "may_pay"),
        [
            ("processing", "A payment is on its way", False),
            ("unknown", "We are finding out what became of a payment", False),
            ("parked", "We are finding out what became of a payment", False),
            ("needs_action", "Your bank asks you to confirm a payment", True),
            ("failed", "The last payment failed No funds. Nothing was charged.", True),
        ],
    )
    def test_a_payment_under_way_says_what_to_do(
        self, lind: Account, page: Client, state: str, said: str, may_pay: bool
    ) -> None:
        invoice = making.invoice(lind.customer, due=SOON)
        Payment.objects.create(
            invoice=invoice, customer=lind.customer, method="card", state=state, amount=1666, currency="EUR",
            failure_message="No funds." if state == "failed" else "", created_at=making.NOW,
        )  # fmt: skip
        words = text(page.get(f"/invoices/{invoice.pk}/"))
        assert said in words
        assert ("Pay €16.66" in words) is may_pay

    def test_refunds_and_disputes_stand_in_the_timeline(self, lind: Account, page: Client) -> None:
        invoice = making.invoice(lind.customer, due=SOON)
        payment = making.pay(invoice)
        Refund.objects.create(
            payment=payment,
            external_id="re_1",
            amount=500,
            currency="EUR",
            created_at=making.NOW + timedelta(hours=1),
        )
        Dispute.objects.create(
            payment=payment, external_id="dp_1", status="needs_response", amount=1666, currency="EUR",
            opened_at=making.NOW + timedelta(hours=2),
        )  # fmt: skip
        words = text(page.get(f"/invoices/{invoice.pk}/"))
        assert (
            "Refund Nov 23, 2026, 11:30\u202fAM €5.00" in words
            or "Refund Nov 23, 2026, 11:30 AM €5.00" in words
        )
        assert words.index("Payment disputed") < words.index("Refunded") < words.index("Payment received")

    def test_it_costs_the_same_with_one_line_and_with_many(self, lind: Account, page: Client) -> None:
        few = making.invoice(lind.customer, due=SOON)
        many = making.invoice(lind.customer, due=SOON, lines=tuple((f"Item {n}", 100) for n in range(60)))
        costs = []
        for invoice in (few, many):
            with CaptureQueriesContext(connection) as seen:
                page.get(f"/invoices/{invoice.pk}/")
            costs.append(len(seen))
        assert costs[0] == costs[1]

    def test_the_pdf_is_one_click_away(self, lind: Account, page: Client) -> None:
        invoice = making.invoice(lind.customer, due=SOON)
        assert f'href="/invoices/{invoice.pk}/pdf/"' in page.get(f"/invoices/{invoice.pk}/").content.decode()
        answer = page.get(f"/invoices/{invoice.pk}/pdf/")
        assert answer["Content-Type"] == "application/pdf"
        assert answer["Content-Disposition"] == f'attachment; filename="{invoice.number}.pdf"'
        assert answer["Cache-Control"] == "no-store"
        assert answer.content.startswith(b"%PDF-")
