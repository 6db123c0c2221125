"""Forms about products and their prices."""

import re
from typing import Any

from django import forms
from django.utils.text import slugify

from accounts.places import currency_choices
from billing.manage.forms.customers import text
from billing.manage.forms.parts import AmountField, SearchField, amount_of
from billing.models.catalog import CYCLES, TaxClass

CODE = re.compile(r"[a-z0-9][a-z0-9_-]{0,59}")


class ProductForm(forms.Form):
    """Something that is sold."""

    name = text("Name", 200, required=True, help="As it stands on invoices.")
    code = text(
        "Code",
        60,
        help="For imports and integrations: letters, digits, hyphens. Made from the name if empty.",
    )
    description = forms.CharField(max_length=2000, required=False, widget=forms.Textarea(attrs={"rows": 3}))
    tax_class = forms.ChoiceField(label="Taxed as", choices=TaxClass.choices, initial=TaxClass.STANDARD)

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        code = str(data.get("code") or slugify(data.get("name", ""))[:60]).lower()
        if "code" in data and "name" in data:
            if not CODE.fullmatch(code):
                self.add_error("code", "Enter a code of letters a-z, digits and hyphens.")
            data["code"] = code
        return data


class ProductChangeForm(ProductForm):
    """A product that exists; retired ones are no longer offered, subscriptions go on."""

    is_active = forms.BooleanField(
        label="Offered",
        required=False,
        help_text="Taken out, it is not sold any more; subscriptions to it go on.",
    )


class PriceForm(forms.Form):
    """A price point, in one currency and cycle."""

    currency = forms.ChoiceField(choices=currency_choices)
    cycle = forms.ChoiceField(label="Billed", choices=CYCLES, initial="monthly")
    amount = AmountField(label="Price per unit")
    setup_fee = AmountField(label="Setup fee", required=False, help_text="Once, on the first invoice.")
    tax_inclusive = forms.TypedChoiceField(
        label="Tax",
        choices=[("no", "Is added to the price"), ("yes", "Is in the price already")],
        coerce=lambda choice: choice == "yes",
        initial="no",
        widget=forms.RadioSelect,
    )

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        currency = data.get("currency", "")
        data["amount"] = amount_of(self, "amount", currency)
        data["setup_fee"] = amount_of(self, "setup_fee", currency) or 0
        return data


class ProductFilter(forms.Form):
    q = SearchField(placeholder="Name or code")
    active = forms.ChoiceField(
        label="Offered", required=False, choices=[("", "Any"), ("active", "Yes"), ("retired", "No")]
    )
