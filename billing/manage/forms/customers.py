"""Forms about customers and the people who act for them."""

import re

from django import forms
from django.core.exceptions import ValidationError

from accounts.models import Customer
from accounts.places import currency_choices
from billing.manage.forms.parts import SearchField, country_field, language_field, one_line

PHONE = re.compile(r"[+0-9][0-9 ()./-]{4,30}")


def text(
    label: str,
    length: int,
    *,
    required: bool = False,
    auto: str = "off",
    help: str = "",  # noqa: A002
) -> forms.CharField:
    """A field of one line."""
    return forms.CharField(
        label=label,
        max_length=length,
        required=required,
        help_text=help,
        validators=[one_line],
        widget=forms.TextInput(attrs={"autocomplete": auto}),
    )


class CustomerForm(forms.Form):
    """Who is billed, and the address that stands on invoices."""

    name = text("Name", 200, required=True, help="The person, or the business when no person is known.")
    business_name = text("Business name", 200, help="Stands first on invoices when it is given.")
    email = forms.EmailField(
        label="E-mail address", max_length=254, help_text="Invoices go here.",
        widget=forms.EmailInput(attrs={"autocomplete": "off"}),
    )  # fmt: skip
    phone = text("Phone", 32)
    address_line1 = text("Address", 200)
    address_line2 = text("Address, second line", 200)
    postal_code = text("Postal code", 20)
    city = text("City", 100)
    state = text("State or region", 100)
    country = country_field(label="Country", help_text="Decides which tax rate applies.")
    tax_id = text("Tax ID", 40, help="VAT number or the like, as it should stand on invoices.")
    currency = forms.ChoiceField(choices=currency_choices)
    locale = language_field(label="Language of invoices and mails")

    def clean_phone(self) -> str:
        phone: str = self.cleaned_data["phone"]
        if phone and not PHONE.fullmatch(phone):
            raise ValidationError("Enter a phone number: digits, spaces, and a leading + for the country.")
        return phone


class CustomerFilter(forms.Form):
    q = SearchField(placeholder="Name, business, e-mail")
    status = forms.ChoiceField(required=False, choices=[("", "Any"), *Customer.Status.choices])
    sort = forms.ChoiceField(
        label="Order", required=False, choices=[("", "By name"), ("newest", "Newest first")]
    )


class FindCustomer(forms.Form):
    q = SearchField("Find a customer", "Name, business, e-mail")
