"""Behind a mailed link: the invoice while it holds, a way to a fresh one after, nothing to strangers."""

from datetime import date, timedelta
from typing import Any

import pytest
from django.test import Client

from billing import pay_links
from billing.models import Invoice
from tenants.models import Job
from tests.billing.portal import making
from tests.billing.portal.making import NOW, Account
from tests.humans import stamped

PAGES = ["", "card/", "status/", "pdf/"]


@pytest.fixture
def bill(lind: Account) -> Invoice:
    return making.invoice(lind.customer, due=date(2026, 12, 4))


def asking(email: str) -> dict[str, str]:
    return {"email": email} | stamped("pay-link", work=False)


def link(bill: Invoice) -> str:
    return f"/pay/{pay_links.token_for(bill, NOW)}/"


def expired(bill: Invoice) -> str:
    """A link of a year ago."""
    year = timedelta(365)
    assert bill.issued_on is not None
    old = Invoice(pk=bill.pk, due_on=bill.due_on - year, issued_on=bill.issued_on - year)
    return f"/pay/{pay_links.token_for(old, NOW - year)}/"


def test_a_link_shows_its_invoice_its_pdf_and_where_it_stands(bill: Invoice, browser: Any) -> None:
    page = browser().get(link(bill))
    assert page.status_code == 200
    assert bill.number in page.content.decode()
    assert (page["Cache-Control"], page["X-Robots-Tag"]) == ("no-store", "noindex")
    pdf = browser().get(link(bill) + "pdf/")
    assert (pdf.status_code, pdf["Content-Type"]) == (200, "application/pdf")
    assert pdf.content.startswith(b"%PDF-")
    status = browser().get(link(bill) + "status/")
    assert status.status_code == 200
    assert status["Content-Type"] == "application/json"
    assert browser().post(link(bill)).status_code == 405


@pytest.mark.parametrize("path", PAGES)
def test_an_expired_link_offers_a_fresh_one_and_tells_nobody_the_address(
    bill: Invoice, browser: Any, path: str
) -> None:
    client: Client = browser()
    offer = client.get(expired(bill) + path)
    assert offer.status_code == 410
    assert b"Send me a fresh link" in offer.content
    assert str(bill.number) not in offer.content.decode()
    mails = Job.objects.filter(name="billing.mail_invoice")
    stranger = client.post(expired(bill) + path, asking("eve@example.org"))
    assert not mails.exists()
    known = client.post(expired(bill) + path, asking(bill.customer.email.upper()))
    assert mails.count() == 1
    assert (stranger.status_code, stranger.content) == (known.status_code, known.content)


def test_the_form_of_an_expired_link_holds_against_forgery_and_works(bill: Invoice, browser: Any) -> None:
    client: Client = browser(enforce_csrf_checks=True)
    assert client.post(expired(bill), {"email": "x@example.org"}).status_code == 403
    client.get(expired(bill))
    given = asking("x@example.org") | {"csrfmiddlewaretoken": client.cookies["csrftoken"].value}
    assert client.post(expired(bill), given).status_code == 200


@pytest.mark.parametrize("path", PAGES)
def test_a_changed_link_or_one_of_another_tenant_opens_nothing(
    bill: Invoice, browser: Any, path: str
) -> None:
    assert browser().get("/pay/forged/" + path).status_code == 404
    assert browser().get(link(bill)[:-2] + "/" + path).status_code == 404
    assert browser(slug="beta").get(link(bill) + path).status_code == 404


def test_a_void_invoice_is_shown_and_a_draft_is_not(bill: Invoice, browser: Any) -> None:
    address = link(bill)
    Invoice.objects.filter(pk=bill.pk).update(status="void", voided_at=NOW)
    assert b"oid" in browser().get(address).content
    draft = making.draft(bill.customer)
    draft.issued_on = bill.issued_on
    assert browser().get(link(draft)).status_code == 404
