"""Pay links open one invoice of one tenant, for a time."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest

from billing import pay_links
from billing.models import Invoice
from billing.pay_links import LinkBad, LinkExpired
from billing.running import run_invoices
from tenants.context import enter
from tests.billing.invoicing import making


@pytest.fixture
def invoice(tenant: Any, actor: Any, now: datetime) -> Invoice:
    making.subscription()
    run_invoices(actor=actor, now=now)
    return Invoice.objects.get()


def test_a_link_stands_on_the_tenants_host_and_opens_its_invoice(invoice: Invoice, now: datetime) -> None:
    url = urlsplit(pay_links.url_for(invoice, now))
    assert (url.hostname or "").startswith("alpha.")
    token = url.path.removeprefix("/pay/").removesuffix("/")
    assert pay_links.resolve(token, now) == invoice.pk
    assert len(url.geturl()) < 220


def test_it_is_the_same_all_day(invoice: Invoice, now: datetime) -> None:
    assert pay_links.token_for(invoice, now) == pay_links.token_for(invoice, now + timedelta(hours=3))


def test_it_holds_through_the_thirtieth_day_after_the_due_date_where_the_tenant_is(
    invoice: Invoice, now: datetime
) -> None:
    token = pay_links.token_for(invoice, now)
    end = datetime(2026, 12, 31, 23, tzinfo=UTC)  # midnight in Berlin; due on 1 December
    assert pay_links.resolve(token, end - timedelta(seconds=1)) == invoice.pk
    with pytest.raises(LinkExpired) as expired:
        pay_links.resolve(token, end)
    assert expired.value.invoice == invoice.pk


def test_of_an_overdue_invoice_it_holds_thirty_days_from_now_but_120_from_issue_at_most(
    invoice: Invoice, now: datetime
) -> None:
    later = datetime(2027, 3, 1, 12, tzinfo=UTC)
    token = pay_links.token_for(invoice, later)
    last = datetime(2027, 3, 23, 23, tzinfo=UTC)  # 120 days after 23 November
    assert pay_links.resolve(token, last - timedelta(seconds=1)) == invoice.pk
    with pytest.raises(LinkExpired):
        pay_links.resolve(token, last)
    assert pay_links.url_for(invoice, last) == ""


def test_a_changed_token_opens_nothing(invoice: Invoice, now: datetime) -> None:
    token = pay_links.token_for(invoice, now)
    body, _, signature = token.rpartition(":")
    for wrong in ("", "x", token[:-1], token + "x", f"{body[:-2]}AA:{signature}", "x" * 5000, "\0", "é:ü"):
        with pytest.raises(LinkBad):
            pay_links.resolve(wrong, now)


def test_another_tenant_does_not_take_it(invoice: Invoice, now: datetime, two_tenants: Any) -> None:
    token = pay_links.token_for(invoice, now)
    with enter(two_tenants[1]), pytest.raises(LinkBad):
        pay_links.resolve(token, now)


def test_a_draft_has_none(invoice: Invoice, now: datetime) -> None:
    draft = Invoice(customer=invoice.customer, currency="EUR", due_on=date(2026, 12, 1), created_at=now)
    assert pay_links.url_for(draft, now) == ""
