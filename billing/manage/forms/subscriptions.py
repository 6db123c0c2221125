"""Forms about subscriptions."""

from collections.abc import Sequence
from itertools import groupby
from typing import Any

from django import forms

from billing.formats import format_money
from billing.manage.forms.customers import text
from billing.manage.forms.parts import DayField, SearchField
from billing.models import Price, Subscription
from billing.models.catalog import CYCLES
from billing.money import Money
from billing.pricing import MAX_QUANTITY


class SubscriptionForm(forms.Form):
    """A customer's agreement to a price."""

    price = forms.ChoiceField(label="Product and price")
    quantity = forms.IntegerField(min_value=1, max_value=MAX_QUANTITY, initial=1)
    started_on = DayField(
        label="Starts on",
        help_text="The first period starts on this day; later ones on the same day of the month.",
    )
    description = text("Description", 200, help="Stands on the invoice instead of the product's name.")

    def __init__(self, *args: Any, prices: Sequence[Price], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.prices = {str(price.pk): price for price in prices}
        groups = groupby(prices, key=lambda price: price.product.name)
        self.fields["price"].choices = [  # type: ignore[attr-defined]
            ("", "Choose…"),
            *((name, [(str(price.pk), price_words(price)) for price in group]) for name, group in groups),
        ]

    def clean_price(self) -> Price:
        return self.prices[self.cleaned_data["price"]]


class CancelForm(forms.Form):
    """Why a subscription ends."""

    reason = text("Reason", 200, help="For the record; customers do not see it.")


class PauseForm(forms.Form):
    """Why a subscription rests."""

    reason = text("Reason", 200, help="For the record; customers do not see it.")


class SubscriptionFilter(forms.Form):
    q = SearchField(placeholder="Customer, product, description")
    cycle = forms.ChoiceField(label="Billed", required=False, choices=[("", "Any"), *CYCLES[1:]])
    status = forms.ChoiceField(
        required=False, choices=[("", ""), *Subscription.Status.choices], widget=forms.HiddenInput
    )
    customer = forms.UUIDField(required=False, widget=forms.HiddenInput)


def price_words(price: Price) -> str:
    """`€9.95 monthly, €5.00 setup`."""
    words = f"{format_money(price.money, 'en')} {price.get_cycle_display().lower()}"
    if price.setup_fee:
        words += f", {format_money(Money(price.setup_fee, price.currency), 'en')} setup"
    return words + (" incl. tax" if price.tax_inclusive else "")
