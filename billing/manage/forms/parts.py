"""Fields and inputs that several forms share: amounts, days, one-line texts."""

from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError

from accounts.places import country_choices
from billing.money import Money, MoneyError


class DayInput(forms.DateInput):
    """A day, by the browser's own picker."""

    input_type = "date"

    def __init__(self, **attrs: Any) -> None:
        super().__init__(attrs=attrs, format="%Y-%m-%d")


class DayField(forms.DateField):
    """A day as browsers send it."""

    widget = DayInput

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(input_formats=["%Y-%m-%d"], **kwargs)


class SearchField(forms.CharField):
    """Words to look for."""

    def __init__(self, label: str = "Search", placeholder: str = "") -> None:
        widget = forms.TextInput(attrs={"type": "search", "placeholder": placeholder})
        widget.input_type = "search"
        super().__init__(label=label, required=False, max_length=200, widget=widget)


class AmountField(forms.CharField):
    """An amount in major units, as text until the form knows its currency: see `amount_of`."""

    def __init__(self, **kwargs: Any) -> None:
        widget = forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"})
        super().__init__(max_length=24, widget=widget, **kwargs)


def amount_of(form: forms.Form, name: str, currency: str, *, least: int = 0) -> int | None:
    """Return the minor units that the field says; on nonsense the form has an error there."""
    text = form.cleaned_data.get(name)
    if not text or not currency:
        return None
    try:
        amount = Money.parse(text, currency)
    except MoneyError as error:
        form.add_error(name, f"{str(error)[0].upper()}{str(error)[1:]}.")
        return None
    if amount.minor < least:
        form.add_error(name, "Enter an amount above zero." if least else "Enter an amount of zero or more.")
        return None
    return amount.minor


def digits(minor: int, currency: str) -> str:
    """An amount as its field takes it: `24.90`."""
    return format(Money(minor, currency).to_decimal(), "f")


def one_line(text: str) -> None:
    """Refuse text that is more than one line of printable characters."""
    if any(ord(char) < 32 or ord(char) == 127 for char in text):
        raise ValidationError("Use one line, without control characters.")


def country_field(**kwargs: Any) -> forms.ChoiceField:
    return forms.ChoiceField(choices=lambda: [("", "Choose…"), *country_choices()], **kwargs)


def language_field(**kwargs: Any) -> forms.ChoiceField:
    return forms.ChoiceField(choices=settings.LANGUAGES, **kwargs)
