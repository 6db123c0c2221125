"""Forms of the portal: narrowing invoices, correcting one's own details, asking for a fresh link."""

from typing import Any

from django import forms
from django.core.validators import RegexValidator

from accounts.humans import HumanForm
from accounts.models import Customer
from accounts.places import country_choices
from billing.customer_queries import OVERDUE, STATUSES, InvoiceFilter

PRINTABLE = RegexValidator(
    r"[\x00-\x1f\x7f]", "Write it on one line, without control characters.", inverse_match=True
)
PHONE = RegexValidator(r"^[+0-9][-0-9 ()/.]{3,31}$", "Write digits, like +49 40 123456.")


class FilterForm(forms.Form):
    """A GET form; what it does not understand narrows nothing."""

    q = forms.CharField(
        label="Invoice number",
        required=False,
        max_length=80,
        widget=forms.TextInput(attrs={"type": "search"}),
    )
    year = forms.TypedChoiceField(coerce=int, empty_value=None, required=False)
    status = forms.ChoiceField(
        choices=[(value, value) for value in ("", *STATUSES, OVERDUE)],
        required=False,
        widget=forms.HiddenInput,
    )

    def __init__(self, *args: Any, years: list[int], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        year = self.fields["year"]
        assert isinstance(year, forms.TypedChoiceField)
        year.choices = [("", "Any year"), *((each, str(each)) for each in years)]

    def wanted(self) -> InvoiceFilter:
        """Return what the list is narrowed to."""
        self.is_valid()
        data = self.cleaned_data
        return InvoiceFilter(data.get("q") or "", data.get("status") or "", data.get("year"))


class DetailsForm(forms.ModelForm):  # type: ignore[type-arg]
    """What stands on the next invoices. Mail address and currency are the business's to change."""

    country = forms.ChoiceField(
        choices=country_choices, widget=forms.Select(attrs={"autocomplete": "country"})
    )

    class Meta:
        model = Customer
        fields = (
            "name", "business_name", "phone", "address_line1", "address_line2", "postal_code", "city",
            "state", "country", "tax_id",
        )  # fmt: skip
        labels = {
            "name": "Name",
            "business_name": "Business name",
            "address_line1": "Street and number",
            "address_line2": "Second line",
            "state": "State or region",
            "tax_id": "Tax number",
        }
        help_texts = {"tax_id": "Your VAT, GST or other tax number, as it should stand on invoices."}
        widgets = {
            "name": forms.TextInput(attrs={"autocomplete": "name"}),
            "business_name": forms.TextInput(attrs={"autocomplete": "organization"}),
            "phone": forms.TextInput(attrs={"autocomplete": "tel", "inputmode": "tel"}),
            "address_line1": forms.TextInput(attrs={"autocomplete": "address-line1"}),
            "address_line2": forms.TextInput(attrs={"autocomplete": "address-line2"}),
            "postal_code": forms.TextInput(attrs={"autocomplete": "postal-code"}),
            "city": forms.TextInput(attrs={"autocomplete": "address-level2"}),
            "state": forms.TextInput(attrs={"autocomplete": "address-level1"}),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["phone"].validators.append(PHONE)
        for name, field in self.fields.items():
            if isinstance(field, forms.CharField) and name != "phone":
                field.validators.append(PRINTABLE)

    def _post_clean(self) -> None:
        """Leave the customer as it is: the rule changes it, under its lock."""


class FreshLinkForm(HumanForm):
    """Whom a fresh link to an invoice goes to; only the invoice's own address gets one."""

    purpose = "pay-link"
    email = forms.EmailField(
        label="E-mail address", max_length=254, widget=forms.EmailInput(attrs={"autocomplete": "email"})
    )
