"""Forms of log-in, passwords and invitations."""

from typing import Any

from django import forms
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.utils.html import format_html

from accounts.grants import LABELS, Grant, Permission
from accounts.models import User

PASSWORD_HELP = "At least 15 characters: four words that only you would put together do well."


class LogInForm(forms.Form):
    email = forms.EmailField(
        label="E-mail address", widget=forms.EmailInput(attrs={"autocomplete": "username", "autofocus": True})
    )
    password = forms.CharField(
        strip=False,
        max_length=128,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )


class ConfirmForm(forms.Form):
    password = forms.CharField(
        label="Your password",
        strip=False,
        max_length=128,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password", "autofocus": True}),
    )


class AskResetForm(forms.Form):
    email = forms.EmailField(
        label="E-mail address", widget=forms.EmailInput(attrs={"autocomplete": "username", "autofocus": True})
    )


class NewPasswordForm(forms.Form):
    password = forms.CharField(
        label="New password",
        strip=False,
        max_length=128,
        help_text=PASSWORD_HELP,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    def __init__(self, *args: Any, user: User | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user

    def clean_password(self) -> str:
        password: str = self.cleaned_data["password"]
        validate_password(password, self.user)
        return password


class AcceptForm(NewPasswordForm):
    name = forms.CharField(
        label="Your name", max_length=200, widget=forms.TextInput(attrs={"autocomplete": "name"})
    )
    field_order = ["name", "password"]


class GrantForm(forms.Form):
    """What a contact may do: everything as an owner, or these; offers what whoever fills it in may give."""

    is_owner = forms.BooleanField(
        label="Owner",
        required=False,
        help_text="May do everything, whatever is ticked below.",
    )
    permissions = forms.MultipleChoiceField(
        label="May do", required=False, widget=forms.CheckboxSelectMultiple
    )

    def __init__(self, *args: Any, limit: Grant, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not limit.is_owner:
            del self.fields["is_owner"]
        offered = self.fields["permissions"]
        assert isinstance(offered, forms.MultipleChoiceField)
        words = '<span><strong>{}</strong> <span class="help">{}</span></span>'
        offered.choices = [
            (each.value, format_html(words, *LABELS[each]))
            for each in Permission
            if each in limit.permissions
        ]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        if not self.errors and not self.grant.permissions:
            self.add_error("permissions", ValidationError("Choose at least one thing that they may do."))
        return data

    @property
    def grant(self) -> Grant:
        """What the valid form grants."""
        data = self.cleaned_data
        return Grant.of(data.get("permissions") or (), is_owner=bool(data.get("is_owner")))


class InviteContactForm(GrantForm):
    """Whom to invite to act for a customer, and for what."""

    name = forms.CharField(label="Name", max_length=200, required=False)
    email = forms.EmailField(label="E-mail address", max_length=254)
    field_order = ["name", "email", "is_owner", "permissions"]

    def clean_name(self) -> str:
        """One line: it stands in a mail."""
        name: str = self.cleaned_data["name"]
        if not name.isprintable():
            raise ValidationError("Use one line, without control characters.")
        return name
