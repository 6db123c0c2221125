"""Invoices: drafts with their rows, issuing, sending, voiding, payments by hand, the PDF."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from accounts.models import Customer
from billing.models import Invoice, Payment, PaymentProfile, Price
from billing.periods import local_date
from tenants import clock
from tenants.models import Job

from . import rows


def form(*lines: tuple[str, str, str], due_on: str = "2027-01-15", **more: str) -> dict[str, str]:
    """What the page sends: lines of (description, quantity, amount), and empty rows up to three."""
    data = {
        "due_on": due_on,
        "note": "",
        "lines-INITIAL_FORMS": "0",
        "lines-TOTAL_FORMS": str(max(3, len(lines))),
    }
    for at in range(max(3, len(lines))):
        description, quantity, amount = lines[at] if at < len(lines) else ("", "1", "")
        data |= {
            f"lines-{at}-description": description,
            f"lines-{at}-quantity": quantity,
            f"lines-{at}-amount": amount,
            f"lines-{at}-tax_class": "standard",
        }
    return data | more


@pytest.fixture
def path(customer: Customer, price: Price) -> str:
    return f"/manage/invoices/new/?customer={customer.pk}"


def test_a_draft_is_written_and_issued(staff: Client, path: str, customer: Customer) -> None:
    answer = staff.post(path, form(("Moving", "2", "50.00"), ("Advice", "1", "10")), follow=True)
    invoice = Invoice.objects.get()
    assert (invoice.status, invoice.total) == ("draft", 13090)
    page = answer.content.decode()
    assert "Issue and send" in page
    assert "€130.90" in page
    page = staff.post(f"/manage/invoices/{invoice.pk}/issue/", follow=True).content.decode()
    invoice.refresh_from_db()
    assert invoice.number and invoice.status == "open"
    assert f"Issued as {invoice.number}" in page
    assert "Record payment" in page


def test_more_rows_come_without_losing_what_was_typed(staff: Client, path: str) -> None:
    typed = form(("Moving", "2", "nonsense"), note="Thanks", more_rows="1")
    answer = staff.post(path, typed)
    assert answer.status_code == 200
    page = answer.content.decode()
    assert answer.context["rows"].total_form_count() == 6
    for words in ('value="Moving"', 'value="nonsense"', "Thanks", 'value="2027-01-15"'):
        assert words in page
    assert 'role="alert"' not in page
    assert not Invoice.objects.exists()


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        ([], "at least one line"),
        ([("", "1", "5.00")], "Say what this line is for"),
        ([("Moving", "1", "")], "Enter the price of one unit"),
        ([("Moving", "1", "5,00")], "is not an amount"),
        ([("Moving", "1", "-5")], "zero or more"),
        ([("Moving", "0", "5")], "greater than or equal to 1"),
        ([("Moving", "x", "5")], "whole number"),
        ([("two\nlines", "1", "5")], "one line"),
        ([("x" * 301, "1", "5")], "300"),
    ],
)
def test_a_line_with_a_mistake_is_told(
    staff: Client, path: str, lines: list[tuple[str, str, str]], says: str
) -> None:
    answer = staff.post(path, form(*lines))
    assert answer.status_code == 422
    assert says in answer.content.decode()
    assert not Invoice.objects.exists()


def test_a_bad_day_is_told(staff: Client, path: str) -> None:
    answer = staff.post(path, form(("Moving", "1", "5"), due_on="soon"))
    assert answer.status_code == 422
    assert "due_on" in answer.context["form"].errors


@pytest.mark.parametrize("forms", ["", "x", "-1", "99999999", "1001"])
def test_forged_numbers_of_rows_break_nothing(staff: Client, path: str, forms: str) -> None:
    for more in ({}, {"more_rows": "1"}):
        data = form(("Moving", "1", "5"), **{"lines-TOTAL_FORMS": forms}, **more)
        assert staff.post(path, data).status_code in {200, 422}


def test_a_draft_is_changed_until_it_is_issued(
    staff: Client, customer: Customer, price: Price, actor: Any, now: Any
) -> None:
    invoice = rows.draft(customer, actor=actor, now=now, quantity=3)
    path = f"/manage/invoices/{invoice.pk}/change/"
    page = staff.get(path).content.decode()
    assert 'value="99.00"' in page
    assert 'value="3"' in page
    assert staff.post(path, form(("Moving", "1", "1.00"))).status_code == 302
    invoice.refresh_from_db()
    assert invoice.total == 119
    staff.post(f"/manage/invoices/{invoice.pk}/issue/")
    assert "never changes" in staff.get(path, follow=True).content.decode()
    assert "never changes" in staff.post(path, form(("Moving", "1", "9.00")), follow=True).content.decode()
    invoice.refresh_from_db()
    assert invoice.total == 119


def test_a_draft_is_thrown_away_and_an_invoice_is_not(
    staff: Client, customer: Customer, actor: Any, now: Any
) -> None:
    draft, issued = rows.draft(customer, actor=actor, now=now), rows.issued(customer, actor=actor, now=now)
    for invoice in (draft, issued):
        staff.post(f"/manage/invoices/{invoice.pk}/discard/")
    assert list(Invoice.objects.all()) == [issued]


def test_issuing_twice_is_told(staff: Client, customer: Customer, actor: Any, now: Any) -> None:
    invoice = rows.issued(customer, actor=actor, now=now)
    page = staff.post(f"/manage/invoices/{invoice.pk}/issue/", follow=True).content.decode()
    assert "never changes" in page


def test_sending_again_asks_for_the_mail(staff: Client, customer: Customer, actor: Any, now: Any) -> None:
    invoice = rows.issued(customer, actor=actor, now=now)
    page = staff.post(f"/manage/invoices/{invoice.pk}/send/", follow=True).content.decode()
    assert "on its way to ida@holm.example" in page
    asked = Job.objects.filter(name="billing.mail_invoice", key=None)
    assert [job.args["again"] for job in asked] == [False], "never sent: of several jobs the first sends it"
    Invoice.objects.filter(pk=invoice.pk).update(sent_at=now)
    staff.post(f"/manage/invoices/{invoice.pk}/send/")
    assert sorted(job.args["again"] for job in asked.all()) == [False, True]
    draft = rows.draft(customer, actor=actor, now=now)
    assert "is not sent" in staff.post(f"/manage/invoices/{draft.pk}/send/", follow=True).content.decode()


def test_voiding_asks_first(staff: Client, customer: Customer, actor: Any, now: Any) -> None:
    invoice = rows.issued(customer, actor=actor, now=now)
    path = f"/manage/invoices/{invoice.pk}/void/"
    assert "This cannot be taken back" in staff.get(path).content.decode()
    page = staff.post(path, {"reason": "Wrong customer"}, follow=True).content.decode()
    assert "is void" in page
    again = staff.post(path, {"reason": ""})
    assert again.status_code == 422
    assert "only an open one" in again.content.decode()


def test_a_payment_is_recorded_in_parts(staff: Client, customer: Customer, actor: Any, now: Any) -> None:
    invoice = rows.issued(customer, actor=actor, now=now)
    path = f"/manage/invoices/{invoice.pk}/payment/"
    today = local_date(clock.now(), customer_zone()).isoformat()
    assert 'value="99.00"' in staff.get(path).content.decode()
    staff.post(path, {"amount": "40.00", "received_on": today, "note": "Bank 17"})
    page = staff.get(f"/manage/invoices/{invoice.pk}/").content.decode()
    assert "€59.00" in page
    assert "Bank 17" in page
    staff.post(path, {"amount": "59.00", "received_on": today, "note": ""})
    invoice.refresh_from_db()
    assert invoice.status == "paid"
    assert Payment.objects.count() == 2


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("amount", "99.01", "At most 99.00"), ("amount", "0", "above zero"), ("amount", "x", "not an amount"),
        ("amount", "", "required"), ("received_on", "x", "valid date"),
    ],
)  # fmt: skip
def test_a_payment_with_a_mistake_is_not_recorded(
    staff: Client, customer: Customer, actor: Any, now: Any, field: str, value: str, says: str
) -> None:
    invoice = rows.issued(customer, actor=actor, now=now)
    data = {"amount": "5", "received_on": "2026-11-20", "note": ""} | {field: value}
    answer = staff.post(f"/manage/invoices/{invoice.pk}/payment/", data)
    assert answer.status_code == 422
    assert says in answer.content.decode()
    assert not Payment.objects.exists()


def test_money_of_tomorrow_is_refused(staff: Client, customer: Customer, actor: Any, now: Any) -> None:
    invoice = rows.issued(customer, actor=actor, now=now)
    day = local_date(clock.now(), customer_zone()) + timedelta(days=1)
    data = {"amount": "5", "received_on": day.isoformat(), "note": ""}
    answer = staff.post(f"/manage/invoices/{invoice.pk}/payment/", data)
    assert answer.status_code == 422
    assert "still to come" in answer.content.decode()


def test_the_invoices_page_shows_both_parties_tax_and_what_happened(
    staff: Client, customer: Customer, price: Price, actor: Any, now: Any
) -> None:
    invoice = rows.issued(customer, actor=actor, now=now)
    page = staff.get(f"/manage/invoices/{invoice.pk}/").content.decode()
    for words in ("Alpha Hosting", "Holm Boats", "VAT 19%", "€117.81", "Invoice issued", "/pay/"):
        assert words in page


def test_the_pdf_is_downloaded_under_its_number(
    staff: Client, customer: Customer, actor: Any, now: Any
) -> None:
    invoice = rows.issued(customer, actor=actor, now=now)
    answer = staff.get(f"/manage/invoices/{invoice.pk}/pdf/")
    assert answer.content.startswith(b"%PDF-")
    assert answer["Content-Disposition"] == f'attachment; filename="{invoice.number}.pdf"'
    assert answer["Content-Type"] == "application/pdf"
    draft = rows.draft(customer, actor=actor, now=now)
    assert staff.get(f"/manage/invoices/{draft.pk}/pdf/").content.startswith(b"%PDF-")


def customer_zone() -> Any:
    from tenants.context import current_tenant

    return current_tenant().zone


def test_a_parked_payment_has_two_ways_out(staff: Client, customer: Customer, actor: Any, now: Any) -> None:
    invoice = rows.issued(customer, actor=actor, now=now)
    payment = Payment.objects.create(
        invoice=invoice, customer=customer, method="card", state="parked", amount=100, currency="EUR",
        note="look in Stripe", created_at=now,
    )  # fmt: skip
    page = staff.get(f"/manage/invoices/{invoice.pk}/").content.decode()
    path = f"/manage/invoices/{invoice.pk}/payments/{payment.pk}"
    assert f'action="{path}/ask/"' in page
    assert f'href="{path}/absent/"' in page
    assert "look in Stripe" in staff.get(f"{path}/absent/").content.decode()
    # No account is connected: nobody can be asked, and a person's word counts once the call is a day old.
    Payment.objects.update(sent_at=clock.now())
    assert "not set up here yet" in staff.post(f"{path}/ask/", follow=True).text
    assert "23 hours" in staff.post(f"{path}/absent/", {"reason": "x"}).text
    payment.refresh_from_db()
    assert payment.state == "parked"
    Payment.objects.update(sent_at=now)
    assert staff.post(f"{path}/absent/", {"reason": "x"}).status_code == 302
    payment.refresh_from_db()
    assert payment.state == "canceled"


def test_issuing_what_is_due_today_has_autopay_look_at_once(
    staff: Client, customer: Customer, actor: Any, now: Any
) -> None:
    PaymentProfile.objects.create(customer=customer, autopay=True)
    invoice = rows.draft(customer, actor=actor, now=now)
    Invoice.objects.filter(pk=invoice.pk).update(due_on=local_date(clock.now(), customer_zone()))
    asked = Job.objects.filter(name="billing.collect_due")
    before = asked.count()
    staff.post(f"/manage/invoices/{invoice.pk}/issue/")
    assert asked.count() == before + 1
