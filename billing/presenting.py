"""From an invoice's rows to the document that is printed and mailed: what stood on it at issue."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal

from billing import pay_links
from billing.documents import DocumentLine, DocumentStatus, InvoiceDocument, Party, TaxSummaryLine
from billing.formats import format_rate, locale_of
from billing.models import BillingSettings, Invoice, InvoiceLine
from billing.money import Money
from billing.periods import Period, local_date
from billing.snapshots import BUYER_FIELDS, party, seller_of
from billing.wording import locale_to_write
from tenants.context import current_tenant

# Where the postal code stands behind city and state.
_CODE_LAST = frozenset(["AU", "BR", "CA", "CN", "GB", "HK", "IE", "IN", "NZ", "PR", "SG", "TW", "US"])


def document_of(invoice: Invoice, *, now: datetime, with_pay_link: bool = True) -> InvoiceDocument:
    """Build the document of an invoice of the tenant entered. A draft shows both parties as they are now."""
    settings = BillingSettings.objects.get()
    seller, buyer, note = _parties(invoice, settings)
    lines = list(invoice.lines.all())
    inclusive = bool(lines) and all(line.tax_inclusive for line in lines)
    zone = current_tenant().zone
    pay_url = pay_links.url_for(invoice, now) if with_pay_link and _is_payable(invoice) else ""
    return InvoiceDocument(
        number=invoice.number or "",
        status=DocumentStatus(invoice.status),
        issue_date=invoice.issued_on or local_date(now, zone),
        due_date=invoice.due_on,
        currency=invoice.currency,
        locale=invoice.locale,
        seller=_party(seller, invoice.locale),
        buyer=_party(buyer, invoice.locale),
        lines=tuple(_line(line, invoice, inclusive=inclusive) for line in lines),
        taxes=_taxes(invoice),
        subtotal=Money(invoice.subtotal, invoice.currency),
        total=invoice.total_money,
        amount_paid=Money(invoice.amount_paid, invoice.currency),
        amount_due=invoice.amount_due,
        prices_include_tax=inclusive,
        paid_on=local_date(invoice.paid_at, zone) if invoice.paid_at else None,
        notes=note,
        pay_url=pay_url,
        logo=bytes(settings.logo) if settings.logo else None,
        brand_colour=settings.brand_colour,
    )


def address_lines(fields: Mapping[str, str], locale: str) -> tuple[str, ...]:
    """Write a postal address: street, place in the country's order, the country's name in the locale."""
    country = fields.get("country", "").upper()
    city, state, code = fields.get("city", ""), fields.get("state", ""), fields.get("postal_code", "")
    if country in _CODE_LAST:
        place = ", ".join(part for part in (city, f"{state} {code}".strip()) if part)
    else:
        place = ", ".join(part for part in (f"{code} {city}".strip(), state) if part)
    name = locale_of(locale_to_write(locale)).territories.get(country, country)
    lines = (fields.get("address_line1", ""), fields.get("address_line2", ""), place, str(name))
    return tuple(line for line in lines if line)


def _is_payable(invoice: Invoice) -> bool:
    return invoice.status == Invoice.Status.OPEN and invoice.amount_due.minor > 0


def _parties(invoice: Invoice, settings: BillingSettings) -> tuple[Mapping[str, str], Mapping[str, str], str]:
    if invoice.status == Invoice.Status.DRAFT:
        seller = seller_of(settings, current_tenant().name)
        return seller, party(invoice.customer, BUYER_FIELDS), invoice.note or settings.invoice_note
    return invoice.seller, invoice.buyer, invoice.note


def _party(fields: Mapping[str, str], locale: str) -> Party:
    return Party(
        name=fields.get("name", ""),
        business_name=fields.get("business_name", ""),
        address_lines=address_lines(fields, locale),
        country=fields.get("country", ""),
        tax_id=fields.get("tax_id", ""),
        email=fields.get("email", ""),
        phone=fields.get("phone", ""),
    )


def _line(line: InvoiceLine, invoice: Invoice, *, inclusive: bool) -> DocumentLine:
    # Beside lines before tax, one priced with tax shows what it comes to, and no unit price that misleads.
    same_kind = line.tax_inclusive == inclusive
    span = None
    if line.period_start is not None and line.period_end is not None:
        span = Period(line.period_start, line.period_end)
    return DocumentLine(
        description=line.description,
        amount=Money(line.gross if inclusive else line.net, invoice.currency),
        quantity=Decimal(line.quantity),
        unit_price=Money(line.unit_amount, invoice.currency) if same_kind else None,
        period=span,
        tax_label=format_rate(line.rate_ppm, locale_to_write(invoice.locale)) if line.rate_ppm else "",
    )


def _taxes(invoice: Invoice) -> tuple[TaxSummaryLine, ...]:
    summary: Sequence[Mapping[str, object]] = invoice.tax_summary
    return tuple(
        TaxSummaryLine(
            name=str(each["name"]),
            rate_ppm=_whole(each["rate_ppm"]),
            base=Money(_whole(each["net"]), invoice.currency),
            amount=Money(_whole(each["tax"]), invoice.currency),
        )
        for each in summary
        if each["rate_ppm"]
    )


def _whole(value: object) -> int:
    assert type(value) is int
    return value
