"""Forms of the settings: who the business is, how its invoices look and are numbered, taxes, staff."""

import re
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile

from accounts.models import LogInPolicy
from accounts.places import currency_choices, time_zone_choices
from billing.manage.forms.customers import PHONE, text
from billing.manage.forms.parts import country_field, language_field
from billing.models.catalog import TaxClass
from billing.numbering import NumberingError, check_prefix, parse
from billing.pdf.images import logo_svg
from billing.tax import TaxError, parse_percent

LOGO_BYTES = 512 * 1024
_SVG = re.compile(rb"\A(?:\xef\xbb\xbf)?\s*(?:<\?xml|<!--|<svg)")


class BusinessForm(forms.Form):
    """What stands on invoices as their sender."""

    business_name = text("Business name", 200, required=True, auto="organization")
    email = forms.EmailField(
        label="E-mail address", max_length=254, required=False,
        help_text="Customers' answers to invoices go here.",
    )  # fmt: skip
    phone = text("Phone", 32, auto="tel")
    address_line1 = text("Address", 200, required=True, auto="address-line1")
    address_line2 = text("Address, second line", 200, auto="address-line2")
    postal_code = text("Postal code", 20, auto="postal-code")
    city = text("City", 100, required=True, auto="address-level2")
    state = text("State or region", 100, auto="address-level1")
    country = country_field(label="Country")
    tax_id = text("Tax ID", 40, help="VAT number or the like.")

    def clean_phone(self) -> str:
        phone: str = self.cleaned_data["phone"]
        if phone and not PHONE.fullmatch(phone):
            raise ValidationError("Enter a phone number: digits, spaces, and a leading + for the country.")
        return phone


class InvoicingForm(forms.Form):
    """When invoices are made, when they are due, how they are numbered, what stands below."""

    days_ahead = forms.IntegerField(
        label="Days ahead", min_value=0, max_value=60,
        help_text="How long before its due date an invoice is made and mailed.",
    )  # fmt: skip
    payment_days = forms.IntegerField(
        label="Days to pay", min_value=0, max_value=365,
        help_text="For invoices written by hand: due so many days after their issue.",
    )  # fmt: skip
    number_prefix = text("Prefix", 20, required=True)
    number_format = text(
        "Number format", 60, required=True,
        help="Fields: {prefix}, {year}, {month}, {n}; {n:06d} fills up with zeros. "
        "With {year} the count begins anew each year.",
    )  # fmt: skip
    invoice_note = forms.CharField(
        label="Note on every invoice",
        max_length=2000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
    )

    def clean_number_prefix(self) -> str:
        try:
            return check_prefix(self.cleaned_data["number_prefix"])
        except NumberingError as error:
            raise ValidationError(sentence(error)) from error

    def clean_number_format(self) -> str:
        template: str = self.cleaned_data["number_format"]
        try:
            parse(template)
        except NumberingError as error:
            raise ValidationError(sentence(error)) from error
        return template


class RegionForm(forms.Form):
    """Where the business is: its days, its money, its language."""

    name = text(
        "Name of the business", 200, required=True, help="As customers read it on pages and in mails."
    )
    country = country_field(label="Country")
    time_zone = forms.ChoiceField(
        label="Time zone", choices=time_zone_choices, help_text="Its midnight is when a day begins."
    )
    currency = forms.ChoiceField(
        label="Currency",
        choices=currency_choices,
        help_text="For new customers and prices; each may have another.",
    )
    locale = language_field(label="Language", help_text="For new customers.")


class BrandForm(forms.Form):
    """Colour and logo."""

    brand_colour = forms.RegexField(
        r"^#[0-9a-fA-F]{6}\Z",
        label="Colour",
        widget=forms.TextInput(attrs={"type": "color"}),
        error_messages={"invalid": "Enter a colour as # and six hexadecimal digits, like #3b5bdb."},
    )
    logo = forms.FileField(
        required=False,
        help_text="PNG, JPEG or SVG, at most 512 KiB. It stands on invoices and pages.",
        widget=forms.FileInput(attrs={"accept": "image/png,image/jpeg,image/svg+xml"}),
    )

    def clean_brand_colour(self) -> str:
        return str(self.cleaned_data["brand_colour"]).lower()

    def clean_logo(self) -> tuple[bytes, str] | None:
        """Return the picture and what it really is, whatever its name says."""
        upload: UploadedFile | None = self.cleaned_data["logo"]
        if upload is None:
            return None
        if (upload.size or 0) > LOGO_BYTES:
            raise ValidationError("The picture is larger than 512 KiB. Make it smaller.")
        data = upload.read()
        kind = sniffed(data)
        if not kind or not logo_svg(data):
            raise ValidationError(
                "This is no picture that can be used. Choose a PNG, a JPEG, or an SVG without scripts, "
                "text or links to elsewhere."
            )
        return data, kind


class TaxRateForm(forms.Form):
    """The tax on a class of products for customers of one country."""

    country = country_field(label="Customer's country")
    tax_class = forms.ChoiceField(
        label="Products taxed as", choices=[c for c in TaxClass.choices if c[0] != TaxClass.EXEMPT]
    )
    name = text("Name", 40, required=True, help="As printed on invoices: VAT, MwSt., GST.")
    percent = forms.CharField(
        label="Rate",
        max_length=8,
        widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
    )

    def clean_percent(self) -> int:
        """Return parts per million."""
        try:
            return parse_percent(self.cleaned_data["percent"])
        except TaxError as error:
            raise ValidationError(sentence(error)) from error


class DemandForm(forms.Form):
    """Of whom a second factor is demanded."""

    demand = forms.ChoiceField(
        label="Demand a second factor of", choices=LogInPolicy.Demand.choices, widget=forms.RadioSelect
    )


def sniffed(data: bytes) -> str:
    """Say what picture the bytes are, by their beginning; empty for anything else."""
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if data.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    return "image/svg+xml" if _SVG.match(data) else ""


def sentence(error: Any) -> str:
    """A rule's message as a sentence."""
    words = str(error)
    return f"{words[:1].upper()}{words[1:]}{'' if words.endswith('.') else '.'}"
