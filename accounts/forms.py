"""Forms of log-in, passwords and invitations."""

from typing import Any

from django import forms
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.utils.html import format_html

from accounts.grants import LABELS, Grant, Permission
from accounts.humans import HumanForm
from accounts.models import User
from accounts.validators import ALONE, least_length

PASSWORD_HELP = "At least 15 characters: four words that only you would put together do well."
WITH_FACTOR_HELP = "At least 12 characters, as you have a second factor."


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


class EmailChangeForm(forms.Form):
    email = forms.EmailField(
        label="New address",
        max_length=254,
        help_text="A link is mailed to it. Until you open that, you go on logging in with the present one.",
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
    )

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user

    def clean_email(self) -> str:
        email: str = self.cleaned_data["email"]
        if email.casefold() == self.user.email.casefold():
            raise forms.ValidationError("That is the address that you log in with already.")
        return email


class AskResetForm(HumanForm):
    purpose = "reset"
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
        if least_length(user) < ALONE:
            self.fields["password"].help_text = WITH_FACTOR_HELP

    def clean_password(self) -> str:
        password: str = self.cleaned_data["password"]
        validate_password(password, self.user)
        return password


class AcceptForm(NewPasswordForm):
    """Makes a log-in, or proves the one that the address has, whose password is not a new one."""

    name = forms.CharField(
        label="Your name", max_length=200, widget=forms.TextInput(attrs={"autocomplete": "name"})
    )
    field_order = ["name", "password"]

    def __init__(self, *args: Any, known: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.known = known

    def clean_password(self) -> str:
        password: str = self.cleaned_data["password"]
        return password if self.known else super().clean_password()


class ChangePasswordForm(NewPasswordForm):
    old = forms.CharField(
        label="Present password",
        strip=False,
        max_length=128,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password", "autofocus": True}),
    )
    field_order = ["old", "password"]


class AppCodeForm(forms.Form):
    code = forms.CharField(
        label="Code from your app",
        max_length=12,
        widget=forms.TextInput(
            attrs={
                "autocomplete": "one-time-code",
                "inputmode": "numeric",
                "autofocus": True,
                "spellcheck": "false",
            }
        ),
    )


class BackupCodeForm(forms.Form):
    code = forms.CharField(
        label="Backup code",
        max_length=40,
        widget=forms.TextInput(
            attrs={
                "autocomplete": "off",
                "autocapitalize": "characters",
                "autofocus": True,
                "spellcheck": "false",
            }
        ),
    )


class PasswordAgainForm(forms.Form):
    password = forms.CharField(
        label="Your password",
        strip=False,
        max_length=128,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )


class PasskeyAnswerForm(forms.Form):
    """What the browser's script fills in: the answer of the authenticator, and what to call the passkey."""

    answer = forms.JSONField(widget=forms.HiddenInput)
    name = forms.CharField(max_length=60, required=False)

    def clean_answer(self) -> dict[str, Any]:
        answer = self.cleaned_data["answer"]
        if not isinstance(answer, dict):
            raise forms.ValidationError("This is no answer of a passkey.")
        return answer


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
