"""What is kept about customers and money (C1, C3, C4, C6, P6), and what of it leaves (S1, S3, S4)."""

import json
from datetime import datetime
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from django.conf import settings
from django.core import mail
from django.core.exceptions import ImproperlyConfigured
from django.db import connection
from django.test import Client

from accounts.customers import change_customer
from accounts.jobs import mail_reset
from accounts.privacy_scope import of_user
from audit.models import AuditEvent
from audit.reading import opened
from billing import payments
from billing.models import JournalEntry, Payment, PaymentMethod, PaymentProfile
from privacy import consenting, inventory, news, policy_tables
from privacy.errors import Refused
from privacy.inventory import Category, Recipient
from privacy.marketing import Offer, send_marketing
from proecommerce.env import Environment
from tests.billing.payments import standin
from tests.billing.payments.conftest import customer, invoice, now, shop
from tests.billing.portal import making
from tests.vault.aws import free_port

__all__ = ["customer", "invoice", "now", "shop"]
FULL_NUMBER = "4242424242424242"
# Account data as the promise names it: names, business, e-mail, phone, postal address, and their kin.
ACCOUNT = {
    "name", "business_name", "email", "old_email", "new_email", "phone", "address_line1", "address_line2",
    "city", "state", "postal_code", "country", "tax_id", "external_id", "time_zone", "hostname", "logo",
    "invoice_note",
}  # fmt: skip


def everything_in(schema: str) -> str:
    """All rows of all tables of the schema, as text."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT table_name FROM information_schema.tables WHERE table_schema = %s", [schema])
        tables = [row[0] for row in cursor.fetchall()]
        found = []
        for table in tables:
            cursor.execute(f'SELECT string_agg(t::text, chr(10)) FROM "{schema}"."{table}" t')
            found.append(str(cursor.fetchone()[0]))
    return "\n".join(found)


def fields_of(category: Category) -> set[str]:
    return {
        name
        for holding in inventory.holdings()
        for name, data in holding.personal.items()
        if data.category is category
    }


def paid_by_card(of: Any, now: datetime) -> Payment:
    standin.with_card(of.customer, now)
    assert payments.collect_due(actor=standin.SYSTEM, now=now) == 1
    standin.work(now)
    payment = Payment.objects.get(invoice=of)
    assert payment.state == Payment.State.SUCCEEDED
    return payment


def test_c1_account_data_is_what_the_promise_names_and_no_more(tenant: Any, actor: Any) -> None:
    assert fields_of(Category.ACCOUNT) <= ACCOUNT
    account = making.account()
    told = {"name": "Nora Lind", "phone": "+49 30 1", "address_line1": "Elm 1", "city": "Bern"}
    change_customer(account.customer, actor=actor, now=making.NOW, **told)
    account.customer.refresh_from_db()
    assert {name: getattr(account.customer, name) for name in told} == told


def test_c3_a_saved_card_is_a_reference_at_stripe_and_never_a_number(
    shop: Any, invoice: Any, now: datetime
) -> None:
    payment = paid_by_card(invoice, now)
    card = PaymentMethod.objects.get()
    assert card.external_id.startswith("pm_") and card.last4 == FULL_NUMBER[-4:]
    assert PaymentProfile.objects.get().stripe_customer.startswith("cus_")
    assert str(payment.external_id).startswith("pi_")
    assert FULL_NUMBER not in everything_in(shop.schema_name)


def test_c4_invoices_payments_and_what_belongs_to_them_are_kept_as_billing_data(
    shop: Any, invoice: Any, now: datetime
) -> None:
    paid_by_card(invoice, now)
    kept = {
        holding.label
        for holding in inventory.about("customer")
        if any(data.category is Category.BILLING for data in holding.personal.values())
    }
    assert kept >= {
        "billing.Invoice", "billing.InvoiceLine", "billing.Payment", "billing.Refund", "billing.Dispute",
        "billing.JournalEntry", "billing.Posting",
    }  # fmt: skip
    for label in ("billing.Invoice", "billing.InvoiceLine", "billing.Payment", "billing.Posting"):
        holding = inventory.holding_of(label)
        path = holding.path_of("customer")
        assert holding.model._default_manager.filter(**{f"{path}": invoice.customer.pk}).exists(), label


def test_c6_what_a_person_does_is_on_record_with_who_when_and_what(tenant: Any, actor: Any) -> None:
    account = making.account()
    change_customer(account.customer, actor=actor, now=making.NOW, city="Bern")
    (event,) = opened(AuditEvent.objects.filter(action="customer.changed"))
    assert (event.event.at, event.label, event.ip) == (making.NOW, actor.label, actor.ip)
    assert event.details["after"] == {"city": "Bern"}


def test_p6_every_entry_in_the_ledger_has_its_event_on_record(shop: Any, invoice: Any, now: datetime) -> None:
    paid_by_card(invoice, now)
    entries = JournalEntry.objects.select_related("audit_event")
    assert entries.count() >= 3  # issued, paid, the fee
    for entry in entries:
        assert entry.audit_event.action.startswith(("invoice.", "payment.", "fee."))
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT is_nullable FROM information_schema.columns WHERE table_schema = %s"
            " AND table_name = 'billing_journalentry' AND column_name = 'audit_event_id'",
            [shop.schema_name],
        )
        assert cursor.fetchone() == ("NO",)


def test_s1_stripe_gets_name_address_tokens_and_amounts_on_the_tenants_own_account(
    shop: Any, invoice: Any, now: datetime
) -> None:
    person = invoice.customer
    change_customer(
        person, actor=standin.SYSTEM, now=now, phone="+49 30 5550199", address_line1="Canary Street 1"
    )
    paid_by_card(invoice, now)
    (there,) = standin.objects("customer")
    assert (there["name"], there["email"]) == (person.name, person.email)
    sent = json.dumps([standin.objects(kind) for kind in ("customer", "payment_intent", "charge")])
    for private in ("5550199", "Canary Street", person.tax_id or "no tax id"):
        assert private not in sent
    assert [row["amount"] for row in standin.succeeded()] == [invoice.total]


def test_s3_the_mail_provider_gets_address_subject_and_body_by_its_one_setting(tenant: Any) -> None:
    account = making.account()
    mail_reset(user_id=str(account.user.pk))
    (sent,) = mail.outbox
    assert sent.to == [account.user.email] and sent.cc == [] and sent.bcc == []
    assert sent.subject and "/reset/" in sent.body
    assert set(sent.extra_headers) <= {"Message-ID", "Auto-Submitted"}
    shared = {
        data.category
        for holding in inventory.holdings()
        for data in holding.personal.values()
        if Recipient.MAIL in data.recipients
    }
    assert Category.AUTHENTICATION not in shared


class Box:
    """What a mail server took."""

    def __init__(self) -> None:
        self.taken: list[str] = []

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802 — aiosmtpd's name
        self.taken += envelope.rcpt_tos
        return "250 taken"


def test_s3_news_leave_by_a_server_of_their_own_or_not_at_all(tenant: Any, settings: Any) -> None:
    """Two real servers: all that belongs to the service goes to the one, news to the other alone."""
    account = making.account()
    subject = of_user(account.user)
    consenting.give(subject, how="privacy page", actor=making.ACTOR, now=making.NOW)
    offer = Offer("Autumn", "Cheaper hosting.")
    service, apart = (Controller(Box(), hostname="127.0.0.1", port=free_port()) for _ in range(2))
    service.start()
    apart.start()
    try:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", service.port
        settings.NEWS_MAIL = Environment({"X": f"smtp://127.0.0.1:{apart.port}"}).mail_server("X", "")
        assert send_marketing(offer, subject)
        assert (service.handler.taken, apart.handler.taken) == ([], [account.user.email])
        mail_reset(user_id=str(account.user.pk))
        assert (service.handler.taken, len(apart.handler.taken)) == ([account.user.email], 1)
        settings.NEWS_MAIL = {}
        with pytest.raises(Refused, match="NEWS_EMAIL_URL"):
            send_marketing(offer, subject)
        with pytest.raises(Refused, match="NEWS_EMAIL_URL"):
            news.publish(offer, asked_by="1", actor=making.ACTOR, now=making.NOW)
        assert len(service.handler.taken) == 1
    finally:
        service.stop()
        apart.stop()
    same = {"EMAIL_URL": "smtps://mail.example", "NEWS_EMAIL_URL": "smtps://news@mail.example"}
    with pytest.raises(ImproperlyConfigured, match="NEWS_EMAIL_URL is the server of EMAIL_URL"):
        Environment(same).mail_server("NEWS_EMAIL_URL", "", apart_from="EMAIL_URL")
    (row,) = (each for each in policy_tables.shared(inventory.holdings()) if each.number == "S3")
    assert "News and offers never go there" in row.why


def test_s4_the_certificate_authority_learns_the_name_of_a_host_and_nothing_else(tenant: Any) -> None:
    answer = Client(HTTP_HOST=settings.SITE_HOST).get("/internal/certificate/", {"domain": "alpha.localhost"})
    assert (answer.status_code, answer.content) == (200, b"yes")
    shared = {
        f"{holding.label}.{name}"
        for holding in inventory.holdings()
        for name, data in holding.personal.items()
        if Recipient.CERTIFICATES in data.recipients
    }
    assert shared == {"tenants.Host.hostname"}
