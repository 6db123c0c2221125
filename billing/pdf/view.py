"""What stands where on the page: an invoice as the strings that the template sets. No word is left to it."""

from decimal import Decimal
from typing import TypeAlias
from urllib.parse import urlsplit

from billing.colours import brand
from billing.documents import DocumentLine, DocumentStatus, InvoiceDocument, Party, TaxSummaryLine
from billing.pdf.fonts import faces
from billing.pdf.images import logo_svg, qr_svg
from billing.periods import Period
from billing.text import breakable, clean, clean_line
from billing.wording import Wording

# CLDR, supplemental data, paperSize.
LETTER_COUNTRIES = frozenset(
    ["BZ", "CA", "CL", "CO", "CR", "GT", "MX", "NI", "PA", "PH", "PR", "SV", "US", "VE"]
)
# A row this long may be taller than a page, so it may break.
_LONG_DESCRIPTION = 600

Data: TypeAlias = dict[str, object]


def _line(text: str) -> str:
    return breakable(clean_line(text))


def _text(text: str) -> str:
    return breakable(clean(text)).strip()


def _party(party: Party, locale: str, wording: Wording) -> Data:
    contact = clean_line(party.contact)
    tax_id = clean_line(party.tax_id)
    return {
        "title": _line(party.title),
        "contact": breakable(wording.labels.attention.format(name=contact)) if contact else "",
        "lines": [line for line in map(_line, party.address_lines) if line],
        "tax_id": breakable(f"{wording.labels.tax_id} {tax_id}") if tax_id else "",
        "reach": [line for line in map(_line, (party.email, party.phone, party.website)) if line],
        "faces": faces(party.country, locale),
    }


def _position(line: DocumentLine, wording: Wording) -> Data:
    details = [_text(line.detail), wording.period(line.period)]
    description = _text(line.description)
    return {
        "description": description,
        "details": [detail for detail in details if detail],
        "quantity": wording.number(line.quantity),
        "unit_price": wording.money(line.unit_price) if line.unit_price is not None else "",
        "tax": _line(line.tax_label),
        "amount": wording.money(line.amount),
        "breakable": len(description) + len(details[0]) > _LONG_DESCRIPTION,
    }


def _columns(document: InvoiceDocument) -> list[str]:
    """The columns that say something: quantity and tax are left out where no line has any."""
    counted = any(line.quantity != Decimal(1) or line.unit_price is not None for line in document.lines)
    taxed = any(line.tax_label for line in document.lines)
    optional = [*(["quantity", "unit_price"] if counted else []), *(["tax"] if taxed else [])]
    return ["description", *optional, "amount"]


def _tax(tax: TaxSummaryLine, document: InvoiceDocument, wording: Wording) -> Data:
    name = f"{clean_line(tax.name)} {wording.rate(tax.rate_ppm)}"
    said = wording.labels.tax_on.format(name=name, base=wording.money(tax.base))
    if document.prices_include_tax:
        said = wording.labels.tax_included.format(name=said)
    return {"label": breakable(said), "value": wording.money(tax.amount), "note": _text(tax.note)}


def _totals(document: InvoiceDocument, wording: Wording) -> list[Data]:
    """The sums from top to bottom; `kind` is plain, sum (ruled off) or due (the one that counts)."""
    labels, taxes = wording.labels, [_tax(tax, document, wording) for tax in document.taxes]
    rows: list[Data] = []

    def add(kind: str, label: str, value: str, note: str = "") -> None:
        rows.append({"kind": kind, "label": label, "value": value, "note": note})

    if taxes and not document.prices_include_tax:
        add("plain", labels.subtotal, wording.money(document.subtotal))
        rows.extend({"kind": "plain", **tax} for tax in taxes)
    add("sum", labels.total, wording.money(document.total))
    if document.prices_include_tax:
        rows.extend({"kind": "plain", **tax} for tax in taxes)
    if document.amount_paid.minor:
        day = f" ({wording.short_day(document.paid_on)})" if document.paid_on else ""
        add("plain", labels.amount_paid + day, wording.money(document.amount_paid))
    if document.status in {DocumentStatus.OPEN, DocumentStatus.PAID}:
        add("due", labels.amount_due, wording.money(document.amount_due))
    return rows


def _meta(document: InvoiceDocument, wording: Wording) -> list[list[str]]:
    labels = wording.labels
    periods = [line.period for line in document.lines if line.period is not None]
    span = Period(min(p.start for p in periods), max(p.end_exclusive for p in periods)) if periods else None
    rows = [
        [labels.number, _line(document.number)],
        [labels.issued, wording.day(document.issue_date)],
        [labels.due, wording.day(document.due_date) if document.due_date else ""],
        [labels.paid_on, wording.day(document.paid_on) if document.paid_on else ""],
        [labels.period, wording.period(span)],
        [labels.reference, _line(document.reference)],
    ]
    return [row for row in rows if row[1]]


def _headline(document: InvoiceDocument, wording: Wording) -> str:
    labels = wording.labels
    if document.status == DocumentStatus.DRAFT:
        return labels.draft_note
    if document.status == DocumentStatus.VOID:
        return labels.void_note
    if not document.payable:
        return labels.settled_note
    amount = wording.money(document.amount_due)
    if document.due_date is None:
        return labels.due_now.format(amount=amount)
    return labels.due_by.format(amount=amount, date=wording.day(document.due_date))


def _payment(document: InvoiceDocument) -> Data | None:
    """How to pay: the link with its QR code, the bank details; nothing when nothing is to be paid."""
    if not document.payable or not (document.pay_url or document.payment_details):
        return None
    if document.pay_url and urlsplit(document.pay_url).scheme not in {"https", "http"}:
        raise ValueError("pay_url must be a web address")
    return {
        "url": document.pay_url,
        "shown_url": breakable(document.pay_url),
        "qr": qr_svg(document.pay_url) if document.pay_url else "",
        "details": [[_line(label), _line(value)] for label, value in document.payment_details],
    }


def _words(document: InvoiceDocument, wording: Wording) -> Data:
    labels = wording.labels
    names = (
        "invoice bill_to from_ description quantity unit_price tax amount pay_online pay_hint scan_hint"
        " qr_alt bank_transfer notes page"
    )
    return {
        **{name: getattr(labels, name) for name in names.split()},
        "continued": labels.continued.format(number=clean_line(document.number)),
        "logo_alt": labels.logo_alt.format(name=clean_line(document.seller.title)),
        "badge": "" if document.status == DocumentStatus.OPEN else getattr(labels, document.status.value),
    }


def page_data(document: InvoiceDocument) -> Data:
    """All that the template needs, ready for JSON."""
    wording = Wording.of(document.locale)
    colours = brand(document.brand_colour)
    return {
        "language": wording.labels.language,
        "paper": "us-letter" if document.seller.country.upper() in LETTER_COUNTRIES else "a4",
        "title": f"{wording.labels.invoice} {clean_line(document.number)}",
        "number": _line(document.number),
        "status": document.status.value,
        "date": [document.issue_date.year, document.issue_date.month, document.issue_date.day],
        "brand": {"fill": colours.fill, "ink": colours.ink, "on_fill": colours.on_fill},
        "logo": logo_svg(document.logo) if document.logo else "",
        "faces": faces(document.buyer.country, document.locale),
        "seller": _party(document.seller, document.locale, wording),
        "buyer": _party(document.buyer, document.locale, wording),
        "meta": _meta(document, wording),
        "headline": _headline(document, wording),
        "columns": _columns(document),
        "lines": [_position(line, wording) for line in document.lines],
        "totals": _totals(document, wording),
        "payment": _payment(document),
        "notes": _text(document.notes),
        "footer": _line(document.footer) or _line(document.seller.title),
        "words": _words(document, wording),
    }
