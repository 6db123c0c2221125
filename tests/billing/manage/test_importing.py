"""Importing on the page: sent, looked at, confirmed."""

from collections.abc import Callable
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from accounts.models import Customer
from billing.models import Subscription

CUSTOMERS = (
    "external_id,name,email,phone,address_line1,city,state,postal_code,country,tax_id,currency\n"
    "C-1,Ida Holm,ida@holm.example,,,Kiel,,,DE,,EUR\n"
    "C-2,Bo Lund,bo@lund.example,,,Lund,,,SE,,EUR\n"
)
SUBSCRIPTIONS = (
    "external_id,customer_external_id,product_code,product_name,cycle,currency,unit_amount,quantity,"
    "started_on,next_due_on\n"
    "S-1,C-1,hosting,Hosting,monthly,EUR,9.95,1,2026-01-31,2026-12-31\n"
)


def file(text: str | bytes, name: str) -> SimpleUploadedFile:
    return SimpleUploadedFile(name, text.encode() if isinstance(text, str) else text, "text/csv")


def send(
    client: Client, customers: str | bytes | None = None, subscriptions: str | bytes | None = None
) -> Any:
    files = {"customers": customers, "subscriptions": subscriptions}
    data = {name: file(text, f"{name}.csv") for name, text in files.items() if text is not None}
    return client.post("/manage/import/", data)


def test_nothing_is_written_before_it_is_confirmed(staff: Client) -> None:
    sent = send(staff, CUSTOMERS, SUBSCRIPTIONS)
    page = staff.get(sent["Location"]).content.decode()
    assert "Ready to import" in page
    assert "ida@holm.example" in page
    assert not Customer.objects.exists()
    done = staff.post(sent["Location"], follow=True).content.decode()
    assert "2 customers added" in done
    assert "1 subscriptions added" in done
    assert (Customer.objects.count(), Subscription.objects.count()) == (2, 1)


def test_problems_are_listed_with_line_column_and_reason(staff: Client) -> None:
    sent = send(staff, CUSTOMERS.replace("bo@lund.example", "bo"), SUBSCRIPTIONS.replace("9.95", "9,95,"))
    page = staff.get(sent["Location"]).content.decode()
    assert "The files need another look" in page
    assert "“bo” is not an email address" in page
    assert "has 12 cells instead of 10" in page
    assert "Import now" not in page
    assert staff.post(sent["Location"]).status_code == 422
    assert not Customer.objects.exists()


def test_what_is_here_already_says_so(staff: Client) -> None:
    staff.post(send(staff, CUSTOMERS)["Location"])
    page = staff.get(send(staff, CUSTOMERS)["Location"]).content.decode()
    assert "Everything is here already" in page
    assert "Import now" not in page


def test_a_file_is_needed_and_an_empty_one_is_told(staff: Client) -> None:
    answer = staff.post("/manage/import/", {})
    assert answer.status_code == 422
    assert "Choose at least one file" in answer.content.decode()
    page = staff.get(send(staff, customers="")["Location"]).content.decode()
    assert "the file is empty" in page


def test_odd_bytes_are_told(staff: Client) -> None:
    for odd in (b"\xff\xfe\x00", b"PK\x03\x04", b"\x00" * 100, b"a;b;c"):
        page = staff.get(send(staff, customers=odd)["Location"]).content.decode()
        assert "need another look" in page


def test_a_ticket_is_its_senders_own_and_ends(browse: Callable[[str], Client]) -> None:
    staff, owner = browse("billing"), browse("owner")
    path = send(staff, CUSTOMERS)["Location"]
    assert "no longer here" in owner.get(path, follow=True).content.decode()
    assert "no longer here" in owner.post(path, follow=True).content.decode()
    assert staff.post(path).status_code == 302
    assert "no longer here" in staff.post(path, follow=True).content.decode()
    assert "no longer here" in staff.get("/manage/import/nonsense/", follow=True).content.decode()


def test_what_is_done_otherwise_than_the_file_says_is_noted(staff: Client) -> None:
    sent = send(staff, CUSTOMERS, SUBSCRIPTIONS.replace("2026-12-31", "2026-12-15"))
    page = staff.get(sent["Location"]).content.decode()
    assert "Ready to import" in page
    assert "Good to know" in page
    assert "periods are counted from 2026-12-15 instead" in page
    assert "Import now" in page
