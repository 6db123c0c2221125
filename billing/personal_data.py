"""What is held about money: most of it stays for seven years, because the law wants it."""

from privacy import personal_data as below
from privacy.inventory import (
    About,
    Basis,
    Category,
    Data,
    Erasure,
    Export,
    Purpose,
    Recipient,
    Retention,
    holds,
    spread,
)

BOOKS = "tax and commercial law: § 147 AO, § 257 HGB, Art. 244 Directive 2006/112/EC, 26 U.S.C. § 6001"
CUSTOMER = [About("customer", "customer")]

BOOKED = Data(
    category=Category.BILLING,
    purposes=(Purpose.SERVICE, Purpose.LAW),
    basis=Basis.LEGAL_OBLIGATION,
    retention=Retention.BILLING,
    erasure=Erasure.KEPT,
    law=BOOKS,
)
INVOICED = BOOKED.but(recipients=(Recipient.STRIPE, Recipient.MAIL))
CARD = Data(
    category=Category.PLAN_AND_CARD,
    purposes=(Purpose.SERVICE,),
    basis=Basis.CONTRACT,
    retention=Retention.ACCOUNT,
    erasure=Erasure.BLANK,
    recipients=(Recipient.STRIPE,),
)
PLAN = BOOKED.but(category=Category.PLAN_AND_CARD)
BUSINESS = below.BUSINESS.but(recipients=(Recipient.MAIL,))

# What is sold, and how the business bills.
holds(
    "billing.Product",
    "Product",
    none=["id", "code", "name", "description", "tax_class", "is_active", "created_at"],
)
holds(
    "billing.Price",
    "Price",
    none=[
        "id",
        "product",
        "currency",
        "cycle",
        "amount",
        "setup_fee",
        "tax_inclusive",
        "is_active",
        "created_at",
    ],
)
holds("billing.TaxRate", "Tax rate", none=["id", "tax_class", "country", "name", "rate_ppm"])
holds("billing.NumberSeries", "Number series", none=["key", "last", "purged"])
holds(
    "billing.InvoiceRun",
    "Invoice run",
    none=["id", "started_at", "finished_at", "run_for", "invoices", "lines", "totals", "skipped", "error"],
)
holds(
    "billing.BillingSettings",
    "The business on its invoices",
    about=[About("business", "pk")],
    personal=spread(
        BUSINESS,
        "business_name", "email", "phone", "address_line1", "address_line2", "city", "state", "postal_code",
        "country", "tax_id", "logo", "invoice_note",
    ),
    none=["id", "days_ahead", "payment_days", "number_prefix", "number_format", "brand_colour", "logo_type"],
)  # fmt: skip
holds(
    "billing.StripeConnection",
    "Connection to Stripe",
    about=[About("business", "pk")],
    personal={
        **spread(BUSINESS.but(category=Category.PLAN_AND_CARD, recipients=(Recipient.STRIPE,)),
                 "account_id", "business_name"),
        **spread(BUSINESS.but(category=Category.PLAN_AND_CARD, recipients=(Recipient.STRIPE,),
                              export=Export.WITHHELD),
                 "sealed_key", "sealed_webhook_secret", "publishable_key"),
    },
    none=["id", "kind", "webhook_endpoint", "livemode", "connected_at", "disconnected_at", "swept_until"],
)  # fmt: skip
holds(
    "billing.StripeEvent",
    "What Stripe told us",
    personal={
        "object_id": Data(
            category=Category.PLAN_AND_CARD,
            purposes=(Purpose.SERVICE,),
            basis=Basis.CONTRACT,
            retention=Retention.VENDOR_EVENT,
            erasure=Erasure.ROW,
            recipients=(Recipient.STRIPE,),
        )
    },
    none=["id", "external_id", "type", "created_at", "received_at", "handled_at", "outcome"],
    unfindable="It names an object at Stripe by its id, and is forgotten 35 days after it was handled.",
)

# What customers are sold, and pay.
holds(
    "billing.Subscription",
    "Subscription",
    about=CUSTOMER,
    personal={
        **spread(
            PLAN, "price", "quantity", "description", "status", "started_on", "next_due_on", "created_at"
        ),
        "paused_reason": CARD.but(recipients=()),
        "external_id": CARD.but(recipients=()),
    },
    none=["id", "customer", "anchored_on", "next_index", "setup_billed"],
    instead={"external_id": lambda subscription: None},
)
holds(
    "billing.Invoice",
    "Invoice",
    about=CUSTOMER,
    personal=spread(
        INVOICED,
        "number", "status", "currency", "subtotal", "tax", "total", "amount_paid", "tax_summary", "seller",
        "buyer", "note", "issued_on", "due_on", "issued_at", "paid_at", "voided_at", "sent_at",
    ),
    none=["id", "customer", "locale", "created_at", "collection_paused"],
)  # fmt: skip
holds(
    "billing.InvoiceLine",
    "Line of an invoice",
    about=[About("customer", "invoice__customer")],
    personal=spread(
        INVOICED,
        "kind", "description", "period_start", "period_end", "quantity", "unit_amount", "net", "tax", "gross",
    ),
    none=["id", "invoice", "position", "subscription", "tax_inclusive", "tax_class", "tax_name", "rate_ppm"],
)  # fmt: skip
holds(
    "billing.JournalEntry",
    "Entry in the ledger",
    about=CUSTOMER,
    personal=spread(BOOKED, "key", "booked_at", "booked_on"),
    none=["id", "audit_event", "customer", "invoice"],
)
holds(
    "billing.Posting",
    "Posting",
    about=[About("customer", "entry__customer")],
    personal=spread(BOOKED, "account", "amount", "currency"),
    none=["id", "entry"],
)
holds(
    "billing.PaymentProfile",
    "How a customer pays",
    about=[About("customer")],
    personal=spread(CARD, "stripe_customer", "autopay", "paused_reason"),
    none=["customer"],
    instead={"autopay": lambda profile: False},
)
holds(
    "billing.PaymentMethod",
    "Saved card",
    about=CUSTOMER,
    personal=spread(CARD, "external_id", "brand", "last4", "exp_month", "exp_year"),
    none=["id", "customer", "is_default", "saved_at", "removed_at"],
    instead={
        "external_id": lambda method: f"erased-{method.pk}",
    },
)
holds(
    "billing.Payment",
    "Payment",
    about=CUSTOMER,
    personal={
        **spread(
            INVOICED,
            "method", "state", "amount", "currency", "failure_code", "failure_message", "note", "created_at",
            "settled_at", "fee",
        ),
        "external_id": BOOKED.but(category=Category.PLAN_AND_CARD, recipients=(Recipient.STRIPE,)),
    },
    none=[
        "id", "invoice", "customer", "payment_method", "save_card", "sent_at", "ask_at", "asked",
        "unanswered_by",
    ],
)  # fmt: skip
holds(
    "billing.Refund",
    "Refund",
    about=[About("customer", "payment__customer")],
    personal=spread(INVOICED, "external_id", "amount", "currency", "created_at", "failed_at"),
    none=["id", "payment"],
)
holds(
    "billing.Dispute",
    "Dispute",
    about=[About("customer", "payment__customer")],
    personal=spread(INVOICED, "external_id", "status", "reason", "amount", "currency", "opened_at"),
    none=["id", "payment", "customer_resumed_at", "invoice_resumed_at"],
)
