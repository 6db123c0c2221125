"""Invoices go out by mail: once, with the PDF, in the tenant's name, whatever the server does."""

import smtplib
from datetime import date, datetime
from decimal import Decimal
from email.message import EmailMessage
from typing import Any

import pytest
from django.core import mail as outbox_of
from pypdf import PdfReader

from audit.actions import Action
from audit.models import AuditEvent
from audit.reading import opened
from billing import mailing, presenting
from billing.documents import DocumentStatus
from billing.models import BillingSettings, Invoice, PaymentMethod, PaymentProfile
from billing.money import Money
from billing.running import run_invoices
from tests.billing.invoicing import making


@pytest.fixture
def invoice(tenant: Any, actor: Any, now: datetime) -> Invoice:
    BillingSettings.objects.update(
        business_name="Alpha Hosting GmbH", email="hello@alpha.example", address_line1="Torstr. 12",
        postal_code="10119", city="Berlin", country="DE", tax_id="DE123456789",
    )  # fmt: skip
    making.vat()
    someone = making.customer(
        name="Jörg Müller", business_name="Müller & Söhne", email="joerg@customer.example"
    )
    making.subscription(someone, making.price(1990, name="Web hosting L"), quantity=2)
    run_invoices(actor=actor, now=now)
    return Invoice.objects.select_related("customer").get()


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch, settings: Any) -> list[Any]:
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    outbox_of.outbox = []
    return outbox_of.outbox


def test_the_mail_carries_the_invoice_and_its_link(
    invoice: Invoice, sent: list[Any], actor: Any, now: datetime, tmp_path: Any
) -> None:
    assert mailing.deliver(invoice.pk, again=False, actor=actor, now=now)
    message: EmailMessage = sent[0].message()
    assert message["To"] == "joerg@customer.example"
    assert message["From"].startswith("Alpha Hosting GmbH <")
    assert message["Reply-To"] == "hello@alpha.example"
    assert invoice.number is not None and invoice.number in sent[0].subject
    assert "/pay/" in sent[0].body
    name, data, kind = sent[0].attachments[0]
    assert (kind, name.endswith(".pdf")) == ("application/pdf", True)
    path = tmp_path / "invoice.pdf"
    path.write_bytes(data)
    text = PdfReader(path).pages[0].extract_text()
    for expected in (invoice.number, "Müller & Söhne", "Web hosting L", "47,36"):
        assert expected in text


def test_that_it_was_sent_is_recorded_and_it_is_sent_once(
    invoice: Invoice, sent: list[Any], actor: Any, now: datetime
) -> None:
    assert mailing.deliver(invoice.pk, again=False, actor=actor, now=now)
    assert not mailing.deliver(invoice.pk, again=False, actor=actor, now=now)
    assert mailing.deliver(invoice.pk, again=True, actor=actor, now=now)
    assert len(sent) == 2
    invoice.refresh_from_db()
    assert invoice.sent_at == now
    event = AuditEvent.objects.filter(action=Action.INVOICE_SENT).order_by("seq")[0]
    assert (opened([event])[0].details["to"], event.details["number"]) == (
        "joerg@customer.example",
        invoice.number,
    )
    assert "@" in event.details["message_id"]


def test_a_mail_server_that_is_down_raises_and_nothing_is_recorded(
    invoice: Invoice, actor: Any, now: datetime, settings: Any
) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    with pytest.raises((OSError, smtplib.SMTPException)):
        mailing.deliver(invoice.pk, again=False, actor=actor, now=now)
    invoice.refresh_from_db()
    assert invoice.sent_at is None


def test_a_void_invoice_is_not_sent(invoice: Invoice, sent: list[Any], actor: Any, now: datetime) -> None:
    Invoice.objects.update(status="void", voided_at=now)
    assert not mailing.deliver(invoice.pk, again=True, actor=actor, now=now)
    assert sent == []


def test_who_pays_by_saved_card_is_told_so(
    invoice: Invoice, sent: list[Any], actor: Any, now: datetime
) -> None:
    PaymentProfile.objects.create(customer=invoice.customer, autopay=True)
    PaymentMethod.objects.create(
        customer=invoice.customer,
        external_id="pm_1",
        brand="visa",
        last4="4242",
        is_default=True,
        saved_at=now,
    )
    mailing.deliver(invoice.pk, again=False, actor=actor, now=now)
    assert "4242" in sent[0].body


def test_the_document_says_what_stood_on_the_invoice(invoice: Invoice, now: datetime) -> None:
    BillingSettings.objects.update(business_name="New name", brand_colour="#0f766e")
    invoice.customer.name = "Changed"
    invoice.customer.save()
    document = presenting.document_of(Invoice.objects.get(pk=invoice.pk), now=now)
    assert (document.seller.title, document.buyer.name) == ("Alpha Hosting GmbH", "Jörg Müller")
    assert document.seller.address_lines == ("Torstr. 12", "10119 Berlin", "Deutschland")
    assert (document.status, document.due_date) == (DocumentStatus.OPEN, date(2026, 12, 1))
    assert (document.subtotal.minor, document.total.minor, document.amount_due.minor) == (3980, 4736, 4736)
    assert [(tax.base.minor, tax.amount.minor) for tax in document.taxes] == [(3980, 756)]
    line = document.lines[0]
    assert (line.description, line.quantity) == ("Web hosting L", Decimal(2))
    assert (line.unit_price, line.amount) == (Money(1990, "EUR"), Money(3980, "EUR"))
    assert (line.tax_label, document.brand_colour) == ("19\xa0%", "#0f766e")


@pytest.mark.parametrize(
    ("fields", "locale", "lines"),
    [
        (
            {
                "address_line1": "1 Main St",
                "city": "Austin",
                "state": "TX",
                "postal_code": "78701",
                "country": "US",
            },
            "en",
            ("1 Main St", "Austin, TX 78701", "United States"),
        ),
        (
            {"city": "Zürich", "postal_code": "8001", "country": "CH"},
            "fr",
            ("8001 Zürich", "Suisse"),
        ),
        (
            {"city": "Saint Paul", "state": "Minnesota", "country": "US"},
            "en",
            ("Saint Paul, Minnesota", "United States"),
        ),
        ({}, "en", ()),
    ],
)
def test_addresses_are_written_as_the_country_does(
    fields: dict[str, str], locale: str, lines: tuple[str, ...]
) -> None:
    assert presenting.address_lines(fields, locale) == lines
