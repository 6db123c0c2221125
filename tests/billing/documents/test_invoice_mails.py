import re
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from html.parser import HTMLParser

import pytest

from billing.documents import DocumentStatus, InvoiceDocument
from billing.mail_labels import LANGUAGES, decline_reason
from billing.mails import authentication_required_mail, invoice_mail, payment_failed_mail, receipt_mail
from billing.money import Money
from tenants.message import RenderedMail
from tests.billing.documents.samples import BUYER, PAY_URL, SELLER, invoice, paid_invoice

Render = Callable[[InvoiceDocument], RenderedMail]

MAILS: dict[str, Render] = {
    "invoice": invoice_mail,
    "failed": lambda document: payment_failed_mail(
        document, decline_code="expired_card", card="Visa •••• 4242"
    ),
    "confirm": lambda document: authentication_required_mail(document, confirm_url=PAY_URL),
    "receipt": lambda document: receipt_mail(document, paid=document.total, paid_on=date(2026, 12, 3)),
}


class Page(HTMLParser):
    """The words, links and tags of a mail."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.words: list[str] = []
        self.links: list[str] = []
        self.tags: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.links += [value or "" for name, value in attrs if name in {"href", "src", "action"}]

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


def plain(text: str) -> str:
    return text.replace("\u00a0", " ").replace("\u202f", " ")


def test_an_invoice_mail_says_what_is_due_and_where_to_pay() -> None:
    mail = invoice_mail(invoice(), pdf=b"%PDF-1.7")
    assert mail.subject == "Invoice ACME-2026-000123 from Acme Hosting GmbH"
    assert mail.from_name == "Acme Hosting GmbH"
    assert mail.reply_to == "billing@acme.example"
    assert [(a.name, a.mime, a.data) for a in mail.attachments] == [
        ("Invoice-ACME-2026-000123.pdf", "application/pdf", b"%PDF-1.7")
    ]
    for said in (mail.text, Page(mail.html).text):
        assert "Hello Jörg Müller," in said
        assert "Here is your invoice ACME-2026-000123 for €71.04, due on December 7, 2026." in said
        assert "The invoice is attached as a PDF." in said
        assert PAY_URL in said
    assert set(Page(mail.html).links) == {PAY_URL}


def test_the_text_part_is_written_and_its_link_stands_alone_on_a_line() -> None:
    text = invoice_mail(invoice()).text
    assert f"\n{PAY_URL}\n" in text
    assert "\n\n\n" not in text
    assert "&" not in text.replace(PAY_URL, "")
    assert "\n-- \nAcme Hosting GmbH\nTorstraße 12\n" in text


def test_with_autopay_the_customer_is_told_that_nothing_need_be_done() -> None:
    mail = invoice_mail(invoice(locale="nl"), autopay_card="Visa •••• 4242", autopay_on=date(2026, 12, 7))
    assert "U hoeft niets te doen" in mail.text
    assert "Visa •••• 4242" in mail.text


def test_a_failed_payment_says_why_and_when_the_next_attempt_is() -> None:
    mail = payment_failed_mail(
        invoice(locale="de"),
        decline_code="insufficient_funds",
        card="Visa •••• 0341",
        next_attempt=date(2026, 12, 10),
    )
    assert mail.subject == "Die Zahlung für Rechnung ACME-2026-000123 ist fehlgeschlagen"
    assert "nicht ausreichend gedeckt" in mail.text
    assert "Am 10. Dezember 2026 versuchen wir es erneut." in mail.text
    assert PAY_URL in mail.text


def test_without_a_next_attempt_the_customer_is_asked_to_pay() -> None:
    mail = payment_failed_mail(invoice(), decline_code="do_not_honor")
    assert "The bank declined the payment without giving a reason." in mail.text
    assert "Please pay with the button below." in mail.text


@pytest.mark.parametrize("code", ["lost_card", "stolen_card", "fraudulent", "pickup_card", "", "nonsense"])
def test_suspicions_of_the_bank_are_not_passed_on(code: str) -> None:
    assert decline_reason(code, "en") == decline_reason("generic_decline", "en")


def test_a_payment_to_confirm_leads_to_its_page() -> None:
    mail = authentication_required_mail(invoice(), confirm_url="https://acme.example/i/token?confirm=1&x=2")
    assert "Your bank asks you to confirm the payment of €71.04" in mail.text
    assert "https://acme.example/i/token?confirm=1&x=2" in mail.text
    assert set(Page(mail.html).links) == {"https://acme.example/i/token?confirm=1&x=2"}


def test_a_receipt_for_all_of_it_says_that_nothing_is_left() -> None:
    mail = receipt_mail(
        paid_invoice(), paid=Money(7104, "EUR"), paid_on=date(2026, 12, 3), card="Visa •••• 4242", pdf=b"%PDF"
    )
    assert "We received €71.04 for invoice ACME-2026-000123 on December 3, 2026." in mail.text
    assert "Paid with Visa •••• 4242." in mail.text
    assert "paid in full" in mail.text
    assert PAY_URL not in mail.text + mail.html
    assert len(mail.attachments) == 1


def test_a_receipt_for_a_part_names_the_rest() -> None:
    document = invoice(amount_paid=Money(2104, "EUR"), amount_due=Money(5000, "EUR"))
    mail = receipt_mail(document, paid=Money(2104, "EUR"), paid_on=date(2026, 12, 3))
    assert "€50.00 of this invoice remains to be paid." in mail.text
    assert PAY_URL in mail.text


@pytest.mark.parametrize("language", sorted(LANGUAGES))
@pytest.mark.parametrize("kind", sorted(MAILS))
def test_every_mail_is_whole_in_every_language(kind: str, language: str) -> None:
    mail = MAILS[kind](invoice(locale=language))
    for part in (mail.subject, mail.text, Page(mail.html).text):
        assert not re.search(r"{\w*}|{{|{%|None", part)
        assert "ACME-2026-000123" in part
    assert f'<html lang="{language}"' in mail.html
    assert mail.headers["Content-Language"] == language
    assert mail.headers["Auto-Submitted"] == "auto-generated"


@pytest.mark.parametrize("language", sorted(LANGUAGES))
def test_no_sentence_is_missing_and_placeholders_agree(language: str) -> None:
    english, other = LANGUAGES["en"], LANGUAGES[language]
    assert set(other.declined) == set(english.declined)
    for name in set(english.__slots__) - {"declined"}:
        assert getattr(other, name).strip(), name
        fields = re.findall(r"{\w+}", getattr(english, name))
        assert sorted(re.findall(r"{\w+}", getattr(other, name))) == sorted(fields), name


@pytest.mark.parametrize("kind", sorted(MAILS))
def test_the_html_loads_nothing_runs_nothing_and_needs_no_style_sheet(kind: str) -> None:
    html = MAILS[kind](invoice()).html
    page = Page(html)
    assert not {"script", "link", "img", "iframe", "object", "form"} & set(page.tags)
    assert all(link.startswith("https://") for link in page.links)
    assert 'style="' in html
    assert "prefers-color-scheme" in html
    assert "var(" not in html


HOSTILE = (
    "Evil <script>alert(1)</script> {{ seller }} {% now %} {number}\r\nBcc: victim@example.com\u202e\x00"
)


@pytest.mark.parametrize("kind", sorted(MAILS))
def test_hostile_names_stay_text_and_forge_no_header(kind: str) -> None:
    document = invoice(
        buyer=replace(BUYER, name=HOSTILE, business_name=""),
        seller=replace(SELLER, business_name=HOSTILE, email="a@b.example\r\nBcc: victim@example.com"),
        number="N-1\r\nBcc: victim@example.com",
    )
    mail = MAILS[kind](document)
    for header in (mail.subject, mail.from_name, mail.reply_to, *mail.headers.values()):
        assert not re.search(r"[\r\n\x00\u202e]", header)
    assert mail.reply_to == ""
    assert "script" not in Page(mail.html).tags
    assert "{{ seller }} {% now %} {number}" in mail.text
    assert "\nBcc:" not in mail.text
    assert not re.search(r"[\x00\u202e]", mail.text + mail.html)


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "data:text/html,x", "https://a.example/\r\nBcc: x", "//a.example"]
)
def test_a_mail_links_to_web_addresses_only(url: str) -> None:
    with pytest.raises(ValueError, match="web addresses"):
        authentication_required_mail(invoice(), confirm_url=url)


@pytest.mark.parametrize(
    ("colour", "fill", "text"), [("#f5c400", "#f5c400", "#000000"), ("#0f766e", "#0f766e", "#fff")]
)
def test_the_brand_colour_carries_readable_text(colour: str, fill: str, text: str) -> None:
    html = invoice_mail(invoice(brand_colour=colour)).html
    bar = re.search(r'<td class="bar" style="([^"]*)"', html)
    assert bar is not None
    assert f"background-color: {fill}" in bar[1]
    assert f"color: {text}" in bar[1]


def test_a_brand_colour_that_is_none_becomes_the_default() -> None:
    html = invoice_mail(invoice(brand_colour="red;} body{background:url(https://evil.example)}")).html
    assert "evil.example" not in html


def test_an_invoice_that_is_not_open_has_no_pay_button() -> None:
    mail = invoice_mail(invoice(status=DocumentStatus.VOID))
    assert PAY_URL not in mail.text + mail.html
