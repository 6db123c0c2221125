"""Catalog, subscriptions, invoices, ledger, payments and the Stripe connection of one tenant."""

from billing.models.catalog import Price, Product, TaxRate
from billing.models.invoices import Invoice, InvoiceLine, InvoiceRun, NumberSeries
from billing.models.ledger import JournalEntry, Posting
from billing.models.payments import Dispute, Payment, PaymentMethod, PaymentProfile, Refund
from billing.models.settings import BillingSettings
from billing.models.stripe import StripeConnection, StripeEvent
from billing.models.subscriptions import Subscription

__all__ = [
    "BillingSettings",
    "Dispute",
    "Invoice",
    "InvoiceLine",
    "InvoiceRun",
    "JournalEntry",
    "NumberSeries",
    "Payment",
    "PaymentMethod",
    "PaymentProfile",
    "Posting",
    "Price",
    "Product",
    "Refund",
    "StripeConnection",
    "StripeEvent",
    "Subscription",
    "TaxRate",
]
