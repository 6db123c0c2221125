"""Documents to draw: a plain one, changed at will."""

import io
import re
from datetime import date
from decimal import Decimal
from typing import Any

from PIL import Image, ImageDraw
from pypdf import PdfReader

from billing.documents import DocumentLine, DocumentStatus, InvoiceDocument, Party, TaxSummaryLine
from billing.money import Money
from billing.periods import Period

PAY_URL = "https://acme.proecommerce.com/i/Wk9fZ3J1bmQtdG9rZW4tZm9yLXRoZS1pbnZvaWNl"
DECEMBER = Period(date(2026, 12, 1), date(2027, 1, 1))

SELLER = Party(
    name="Anna Acme",
    business_name="Acme Hosting GmbH",
    address_lines=("Torstraße 12", "10119 Berlin", "Germany"),
    country="DE",
    tax_id="DE123456789",
    email="billing@acme.example",
)
BUYER = Party(
    name="Jörg Müller",
    business_name="Müller & Söhne KG",
    address_lines=("Hauptstr. 5", "80331 München", "Germany"),
    country="DE",
)


def line(number: int = 1, currency: str = "EUR", **changes: Any) -> DocumentLine:
    values: dict[str, Any] = {
        "description": f"Managed hosting {number:03d}",
        "detail": f"server-{number:03d}.example.net",
        "quantity": Decimal(1),
        "unit_price": Money(1990, currency),
        "amount": Money(1990, currency),
        "period": DECEMBER,
        "tax_label": "19%",
    }
    return DocumentLine(**(values | changes))


def invoice(positions: int = 3, currency: str = "EUR", **changes: Any) -> InvoiceDocument:
    """An open invoice of so many positions at 19.90 plus 19 % tax."""
    net = 1990 * positions
    tax = (net * 19 + 50) // 100
    values: dict[str, Any] = {
        "number": "ACME-2026-000123",
        "status": DocumentStatus.OPEN,
        "issue_date": date(2026, 11, 23),
        "due_date": date(2026, 12, 7),
        "currency": currency,
        "locale": "en",
        "seller": SELLER,
        "buyer": BUYER,
        "lines": tuple(line(n, currency) for n in range(1, positions + 1)),
        "taxes": (
            TaxSummaryLine(
                name="VAT", rate_ppm=190_000, base=Money(net, currency), amount=Money(tax, currency)
            ),
        ),
        "subtotal": Money(net, currency),
        "total": Money(net + tax, currency),
        "amount_paid": Money(0, currency),
        "amount_due": Money(net + tax, currency),
        "notes": "Thank you for your business.",
        "pay_url": PAY_URL,
        "brand_colour": "#0f766e",
    }
    return InvoiceDocument(**(values | changes))


def paid_invoice(**changes: Any) -> InvoiceDocument:
    document = invoice()
    settled: dict[str, Any] = {
        "status": DocumentStatus.PAID,
        "paid_on": date(2026, 12, 3),
        "amount_paid": document.total,
        "amount_due": Money(0, "EUR"),
    }
    return invoice(**(settled | changes))


def png_logo(width: int = 600, height: int = 200) -> bytes:
    image = Image.new("RGBA", (width, height), (0, 0, 0, 0))
    ImageDraw.Draw(image).ellipse((10, 10, height - 10, height - 10), fill=(15, 118, 110, 255))
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


def reader(pdf: bytes) -> PdfReader:
    return PdfReader(io.BytesIO(pdf))


def text_of(pdf: bytes) -> str:
    """All words of a document, with every kind of space made one."""
    return re.sub(r"[\u00a0\u2009\u202f]", " ", "\n".join(page.extract_text() for page in reader(pdf).pages))


def links_of(pdf: bytes) -> set[str]:
    return {
        str(annotation.get_object()["/A"]["/URI"])
        for page in reader(pdf).pages
        for annotation in page.get("/Annots", [])
        if annotation.get_object().get("/Subtype") == "/Link"
    }
