"""Settings: business, invoices, region, brand, taxes, people."""

import io
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from PIL import Image

from accounts.models import Invitation
from audit.models import AuditEvent
from billing.models import BillingSettings, NumberSeries, TaxRate
from tenants import clock
from tenants.directory import tenant_of_slug

BUSINESS = {
    "business_name": "Alpha GmbH", "email": "billing@alpha.example", "phone": "", "address_line1": "Weg 1",
    "address_line2": "", "postal_code": "10115", "city": "Berlin", "state": "", "country": "DE",
    "tax_id": "DE123456789",
}  # fmt: skip
TERMS = {
    "days_ahead": "7", "payment_days": "10", "number_prefix": "AL",
    "number_format": "{prefix}-{year}-{n:04d}",
    "invoice_note": "Thank you.",
}  # fmt: skip
REGION = {"name": "Alpha", "country": "AT", "time_zone": "Europe/Vienna", "currency": "EUR", "locale": "de"}


def picture(kind: str, size: tuple[int, int] = (40, 20)) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, "#336699").save(out, format=kind)
    return out.getvalue()


def upload(data: bytes, name: str = "logo.png") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, data, "image/png")


def test_the_business_stands_on_its_settings(owner: Client) -> None:
    page = owner.post("/manage/settings/", BUSINESS, follow=True).content.decode()
    assert "Saved." in page
    assert BillingSettings.objects.get().tax_id == "DE123456789"
    event = AuditEvent.objects.get(action="settings.changed")
    assert event.details["after"]["business_name"] == "Alpha GmbH"


ASKING = {
    "/manage/settings/": BUSINESS, "/manage/settings/invoices/": TERMS, "/manage/settings/region/": REGION,
    "/manage/settings/taxes/new/": {"country": "AT", "tax_class": "standard", "name": "USt", "percent": "20"},
}  # fmt: skip


def test_what_decides_on_money_is_changed_by_who_has_just_confirmed(owner: Client) -> None:
    """An open screen, or a stolen session, shows the settings and changes none of them."""
    rate = TaxRate.objects.create(tax_class="standard", country="DE", name="VAT", rate_ppm=190_000)
    session = owner.session
    del session["confirmed_at"]
    session.save()
    of_rate = {
        f"/manage/settings/taxes/{rate.pk}/{end}": {"name": "Tax", "percent": "1"} for end in ("", "remove/")
    }
    for path, form in (ASKING | of_rate).items():
        assert path.endswith("remove/") or owner.get(path).status_code == 200, path
        assert owner.post(path, form)["Location"].startswith("/account/confirm/?next="), path
    assert not AuditEvent.objects.filter(action__in=["settings.changed", "tenant.changed"]).exists()
    assert [(each.name, each.rate_ppm) for each in TaxRate.objects.all()] == [("VAT", 190_000)]
    assert owner.post("/manage/settings/brand/", {"brand_colour": "#336699"})["Location"] == (
        "/manage/settings/brand/"
    )
    session = owner.session
    session["confirmed_at"] = clock.now().timestamp()
    session.save()
    for path, form in ASKING.items():
        assert "/confirm/" not in owner.post(path, form)["Location"], path
    assert TaxRate.objects.count() == 2


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("business_name", ""),
        ("address_line1", ""),
        ("city", ""),
        ("country", ""),
        ("email", "x"),
        ("phone", "x"),
    ],
)
def test_a_business_with_a_mistake_is_not_saved(owner: Client, field: str, value: str) -> None:
    answer = owner.post("/manage/settings/", BUSINESS | {field: value})
    assert answer.status_code == 422
    assert field in answer.context["form"].errors
    assert BillingSettings.objects.get().business_name == "Alpha Hosting"


def test_the_next_number_is_shown_before_and_after(owner: Client) -> None:
    NumberSeries.objects.create(key="AL/2026", last=41)
    page = owner.post("/manage/settings/invoices/", TERMS | {"preview": "1"}).content.decode()
    assert "AL-2026-0042" in page
    assert BillingSettings.objects.get().number_prefix == "ALPHA"
    page = owner.post("/manage/settings/invoices/", TERMS, follow=True).content.decode()
    assert "AL-2026-0042" in page
    assert BillingSettings.objects.get().days_ahead == 7


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("number_format", "{year}"), ("number_format", "{n} {n}"), ("number_format", "{0.__class__}"),
        ("number_format", "{month}-{n}"), ("number_prefix", "a b"), ("days_ahead", "61"),
        ("days_ahead", "-1"),
        ("payment_days", "366"),
    ],
)  # fmt: skip
def test_terms_with_a_mistake_are_not_saved(owner: Client, field: str, value: str) -> None:
    for more in ({}, {"preview": "1"}):
        answer = owner.post("/manage/settings/invoices/", TERMS | {field: value} | more)
        assert answer.status_code == 422
        assert field in answer.context["form"].errors
    assert BillingSettings.objects.get().number_prefix == "ALPHA"


def test_the_region_is_changed(owner: Client) -> None:
    assert owner.post("/manage/settings/region/", REGION).status_code == 302
    assert tenant_of_slug("alpha").time_zone == "Europe/Vienna"
    answer = owner.post("/manage/settings/region/", REGION | {"time_zone": "Mars/Olympus"})
    assert answer.status_code == 422


@pytest.mark.parametrize(("kind", "mime"), [("PNG", "image/png"), ("JPEG", "image/jpeg")])
def test_a_logo_is_known_by_what_it_is(owner: Client, kind: str, mime: str) -> None:
    data = {"brand_colour": "#AA0000", "logo": upload(picture(kind), "anything.txt")}
    page = owner.post("/manage/settings/brand/", data, follow=True).content.decode()
    settings = BillingSettings.objects.get()
    assert (settings.brand_colour, settings.logo_type) == ("#aa0000", mime)
    assert "Present logo" in page
    logo = owner.get("/brand/logo/")
    assert logo["Content-Type"] == "image/svg+xml"
    assert "sandbox" in logo["Content-Security-Policy"]
    owner.post("/manage/settings/brand/no-logo/")
    assert owner.get("/brand/logo/").status_code == 404


def test_an_svg_logo_is_taken_when_it_is_harmless(owner: Client) -> None:
    good = b'<svg xmlns="http://www.w3.org/2000/svg" width="8" height="8"><rect width="8" height="8"/></svg>'
    data = {"brand_colour": "#aa0000", "logo": upload(good, "logo.svg")}
    assert owner.post("/manage/settings/brand/", data).status_code == 302
    assert BillingSettings.objects.get().logo_type == "image/svg+xml"


@pytest.mark.parametrize(
    "data",
    [
        b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
        b"<html><body>hello</body></html>",
        b"\x89PNG\r\n\x1a\nnot really",
        b"GIF89a....",
        b"MZ\x90\x00",
        picture("PNG") + b"\0" * (512 * 1024),
    ],
    ids=["script", "html", "half a png", "gif", "exe", "too large"],
)
def test_other_files_are_no_logo(owner: Client, data: bytes) -> None:
    answer = owner.post("/manage/settings/brand/", {"brand_colour": "#aa0000", "logo": upload(data)})
    assert answer.status_code == 422
    assert "logo" in answer.context["form"].errors
    assert BillingSettings.objects.get().logo is None


@pytest.mark.parametrize("colour", ["red", "#fff", "#12345g", "#123456;}", "#123456\n"])
def test_only_a_colour_is_a_colour(owner: Client, colour: str) -> None:
    assert owner.post("/manage/settings/brand/", {"brand_colour": colour}).status_code in {302, 422}
    assert BillingSettings.objects.get().brand_colour in {"#3b5bdb", "#123456"}


def test_a_light_colour_is_told_to_be_darkened_for_text(owner: Client) -> None:
    page = owner.post("/manage/settings/brand/", {"brand_colour": "#ffdd00"}, follow=True).content.decode()
    assert "Too light for text on white" in page


def test_the_colour_is_a_stylesheet_that_browsers_ask_again_for(owner: Client) -> None:
    first = owner.get("/brand.css")
    assert first.content == b":root{--brand:#3b5bdb}"
    assert first["Content-Type"] == "text/css"
    again = owner.get("/brand.css", headers={"if-none-match": first["ETag"]})
    assert again.status_code == 304
    owner.post("/manage/settings/brand/", {"brand_colour": "#aa0000"})
    assert owner.get("/brand.css", headers={"if-none-match": first["ETag"]}).status_code == 200


def test_a_rate_is_added_changed_and_taken_out(owner: Client) -> None:
    new = {"country": "DE", "tax_class": "standard", "name": "MwSt.", "percent": "19"}
    owner.post("/manage/settings/taxes/new/", new)
    rate = TaxRate.objects.get()
    assert rate.rate_ppm == 190_000
    page = owner.get("/manage/settings/taxes/").content.decode()
    assert "Germany" in page
    assert "19%" in page
    path = f"/manage/settings/taxes/{rate.pk}/"
    owner.post(path, {"country": "FR", "tax_class": "reduced", "name": "MwSt.", "percent": "8.875"})
    rate.refresh_from_db()
    assert (rate.country, rate.tax_class, rate.rate_ppm) == ("DE", "standard", 88_750)
    owner.post(f"{path}remove/")
    assert not TaxRate.objects.exists()


@pytest.mark.parametrize(
    ("field", "value"),
    [("percent", "101"), ("percent", "x"), ("percent", "19,5"), ("name", ""), ("country", "EU")],
)
def test_a_rate_with_a_mistake_is_not_saved(owner: Client, field: str, value: str) -> None:
    new = {"country": "DE", "tax_class": "standard", "name": "MwSt.", "percent": "19"} | {field: value}
    answer = owner.post("/manage/settings/taxes/new/", new)
    assert answer.status_code == 422
    assert field in answer.context["form"].errors
    assert not TaxRate.objects.exists()


def test_people_are_listed_and_invited(owner: Client, person: Any) -> None:
    person("billing")
    page = owner.get("/manage/settings/staff/").content.decode()
    assert "billing@lind.example" in page
    assert "(you)" in page
    new = {"name": "Jo", "email": "jo@alpha.example", "role": "billing"}
    page = owner.post("/manage/settings/staff/invite/", new, follow=True).content.decode()
    assert Invitation.objects.get().role == "billing"
    assert "Invited" in page


@pytest.mark.parametrize(
    ("field", "value"),
    [("email", "x"), ("email", "OWNER@lind.example"), ("role", "contact"), ("role", "platform")],
)
def test_a_person_is_not_invited_by_mistake(owner: Client, field: str, value: str) -> None:
    new = {"name": "Jo", "email": "jo@alpha.example", "role": "billing"} | {field: value}
    answer = owner.post("/manage/settings/staff/invite/", new)
    assert answer.status_code == 422
    assert field in answer.context["form"].errors
    assert not Invitation.objects.exists()
