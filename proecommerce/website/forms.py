"""The sign-up form."""

from typing import Any

from django import forms
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError

from accounts.forms import PASSWORD_HELP
from accounts.humans import HumanForm
from accounts.models import User
from accounts.places import country_choices, currency_choices, time_zone_choices
from tenants.errors import SlugRefused, SlugTaken
from tenants.provisioning import NewTenant, check_slug


class SignUpForm(HumanForm):
    """A business, its address here, its owner."""

    purpose = "sign-up"

    business = forms.CharField(
        label="Business name", max_length=200, widget=forms.TextInput(attrs={"autocomplete": "organization"})
    )
    slug = forms.CharField(
        label="Address",
        max_length=40,
        help_text="The first part of your address here: letters, digits and hyphens.",
        widget=forms.TextInput(attrs={"autocapitalize": "none", "spellcheck": "false"}),
    )
    name = forms.CharField(
        label="Your name", max_length=200, widget=forms.TextInput(attrs={"autocomplete": "name"})
    )
    email = forms.EmailField(
        label="E-mail address", widget=forms.EmailInput(attrs={"autocomplete": "username"})
    )
    password = forms.CharField(
        strip=False,
        max_length=128,
        help_text=PASSWORD_HELP,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )
    country = forms.ChoiceField(choices=country_choices, initial="US")
    time_zone = forms.ChoiceField(label="Time zone", choices=time_zone_choices, initial="UTC")
    currency = forms.ChoiceField(choices=currency_choices, initial="USD")

    def clean_slug(self) -> str:
        try:
            return check_slug(self.cleaned_data["slug"])
        except (SlugRefused, SlugTaken) as refused:
            raise ValidationError(str(refused)) from refused

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        if password := data.get("password"):
            person = User(email=data.get("email", ""), name=data.get("name", ""))
            try:
                validate_password(password, person)
            except ValidationError as refused:
                self.add_error("password", refused)
        return data

    def new_tenant(self) -> NewTenant:
        """Return what the valid form asks for."""
        data = self.cleaned_data
        return NewTenant(
            slug=data["slug"],
            name=data["business"],
            country=data["country"],
            currency=data["currency"],
            time_zone=data["time_zone"],
        )
