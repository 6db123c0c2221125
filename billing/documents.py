"""An invoice as it is printed and mailed: plain values, drawn by `billing.pdf`."""

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum

from billing.money import Money
from billing.periods import Period


class DocumentStatus(StrEnum):
    DRAFT = "draft"
    OPEN = "open"
    PAID = "paid"
    VOID = "void"


@dataclass(frozen=True, slots=True, kw_only=True)
class Party:
    """A side of the invoice. `country` is ISO 3166 alpha-2; `address_lines` are as printed, country last."""

    name: str
    business_name: str = ""
    address_lines: tuple[str, ...] = ()
    country: str = ""
    tax_id: str = ""
    email: str = ""
    phone: str = ""
    website: str = ""

    @property
    def title(self) -> str:
        """The name the party goes by: the business's, or the person's."""
        return self.business_name.strip() or self.name.strip()

    @property
    def contact(self) -> str:
        """The person behind a business, where one is named besides it."""
        name = self.name.strip()
        return name if self.business_name.strip() and name != self.business_name.strip() else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentLine:
    """One position. `amount` is what the line adds up to: net, or gross with `prices_include_tax`.

    `period` is what service it pays for. `tax_label` is short: "19 %", "0 %", "exempt".
    """

    description: str
    amount: Money
    quantity: Decimal = Decimal(1)
    unit_price: Money | None = None
    detail: str = ""
    period: Period | None = None
    tax_label: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TaxSummaryLine:
    """The tax of one rate. `rate_ppm` is in parts per million; `note` tells, say, of reverse charge."""

    name: str
    rate_ppm: int
    base: Money
    amount: Money
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoiceDocument:
    """Everything that stands on one invoice. All money is in `currency`; `locale` is the customer's.

    `subtotal` is before tax; `total` = `subtotal` + taxes; `amount_due` is what remains to be paid.
    `logo` is PNG, JPEG, WebP or SVG data; `brand_colour` is `#rrggbb`; both come from the seller.
    """

    number: str
    status: DocumentStatus
    issue_date: date
    due_date: date | None
    currency: str
    locale: str
    seller: Party
    buyer: Party
    lines: tuple[DocumentLine, ...]
    taxes: tuple[TaxSummaryLine, ...]
    subtotal: Money
    total: Money
    amount_paid: Money
    amount_due: Money
    prices_include_tax: bool = False
    paid_on: date | None = None
    reference: str = ""
    notes: str = ""
    footer: str = ""
    payment_details: tuple[tuple[str, str], ...] = ()
    pay_url: str = ""
    logo: bytes | None = field(default=None, repr=False)
    brand_colour: str = ""

    @property
    def payable(self) -> bool:
        return self.status == DocumentStatus.OPEN and self.amount_due.minor > 0
