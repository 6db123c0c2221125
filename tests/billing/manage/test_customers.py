"""Customers: added, changed, and the people who act for them."""

from typing import Any

import pytest
from django.test import Client

from accounts.models import Customer, Invitation
from audit.models import AuditEvent
from audit.reading import opened
from billing.models import PaymentMethod, PaymentProfile, Subscription

from . import rows

GOOD = {
    "name": "Ida Holm", "business_name": "Holm Boats", "email": "ida@holm.example",
    "phone": "+45 12 34 56 78",
    "address_line1": "Havnen 1", "address_line2": "", "postal_code": "1000", "city": "København", "state": "",
    "country": "DK", "tax_id": "DK12345678", "currency": "DKK", "locale": "en",
}  # fmt: skip


def test_a_customer_is_added_and_shown(staff: Client) -> None:
    answer = staff.post("/manage/customers/new/", GOOD, follow=True)
    made = Customer.objects.get()
    assert answer.redirect_chain == [(f"/manage/customers/{made.pk}/", 302)]
    page = answer.content.decode()
    for words in ("Holm Boats is a customer now.", "Havnen 1", "1000 København", "Denmark", "DK12345678"):
        assert words in page
    event = AuditEvent.objects.get(action="customer.created")
    found = opened([event])[0]
    assert (found.label, found.ip) == ("The billing <billing@lind.example>", "127.0.0.1")


def test_a_new_customer_starts_with_the_tenants_place(staff: Client) -> None:
    form = staff.get("/manage/customers/new/").context["form"]
    assert (form["country"].value(), form["currency"].value()) == ("DE", "EUR")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""), ("name", " "), ("name", "x" * 201), ("name", "two\nlines"), ("email", "nobody"),
        ("email", ""),
        ("phone", "call me"), ("country", "XX"), ("country", ""), ("currency", "BTC"), ("locale", "tlh"),
        ("postal_code", "x" * 21),
    ],
)  # fmt: skip
def test_a_mistake_is_told_and_nothing_typed_is_lost(staff: Client, field: str, value: str) -> None:
    answer = staff.post("/manage/customers/new/", GOOD | {field: value})
    assert answer.status_code == 422
    assert field in answer.context["form"].errors
    page = answer.content.decode()
    assert 'role="alert"' in page
    assert 'value="Havnen 1"' in page
    assert not Customer.objects.exists()


def test_a_change_is_kept_with_what_stood_before(staff: Client, customer: Customer) -> None:
    answer = staff.post(f"/manage/customers/{customer.pk}/change/", GOOD)
    assert answer.status_code == 302
    customer.refresh_from_db()
    assert (customer.country, customer.currency) == ("DK", "DKK")
    event = AuditEvent.objects.get(action="customer.changed")
    details = opened([event])[0].details
    assert (details["before"]["country"], details["after"]["country"]) == ("DE", "DK")


def test_a_change_with_a_mistake_changes_nothing(staff: Client, customer: Customer) -> None:
    assert staff.post(f"/manage/customers/{customer.pk}/change/", GOOD | {"email": "x"}).status_code == 422
    customer.refresh_from_db()
    assert customer.email == "ida@holm.example"


def test_the_customers_page_shows_all_that_belongs_to_it(
    staff: Client, customer: Customer, subscription: Subscription, actor: Any, now: Any
) -> None:
    invoice = rows.issued(customer, actor=actor, now=now, amount=10_000)
    PaymentMethod.objects.create(
        customer=customer, external_id="pm_1", brand="visa", last4="4242", is_default=True, saved_at=now
    )
    PaymentProfile.objects.create(customer=customer, autopay=True)
    page = staff.get(f"/manage/customers/{customer.pk}/").content.decode()
    for words in ("€119.00", str(invoice.number), "Hosting", "Visa •••• 4242", "next due Nov 30, 2026"):
        assert words in page


def test_a_contact_is_invited_by_mail(staff: Client, customer: Customer) -> None:
    path = f"/manage/customers/{customer.pk}/invite/"
    assert staff.get(path).context["form"]["email"].value() == "ida@holm.example"
    answer = staff.post(path, {"name": "Jo", "email": "jo@holm.example", "is_owner": "on"}, follow=True)
    invitation = Invitation.objects.get()
    assert (invitation.role, invitation.customer, invitation.email) == (
        "contact",
        customer,
        "jo@holm.example",
    )
    assert "jo@holm.example" in answer.content.decode()
    assert staff.post(path, {"name": "Jo", "email": "jo"}).status_code == 422


def test_names_are_shown_as_text_never_as_markup(staff: Client) -> None:
    nasty = "<script>alert(1)</script>"
    staff.post("/manage/customers/new/", GOOD | {"name": nasty, "business_name": nasty})
    made = Customer.objects.get()
    for path in ("customers/", f"customers/{made.pk}/", "audit/", f"invoices/new/?customer={made.pk}"):
        page = staff.get(f"/manage/{path}").content.decode()
        assert nasty not in page
        assert "&lt;script&gt;" in page
