"""Forms of the privacy pages."""

from collections.abc import Sequence
from typing import Any

from django import forms

from accounts.privacy_scope import Scope


class NameForm(forms.Form):
    name = forms.CharField(
        label="Your name", max_length=120, widget=forms.TextInput(attrs={"autocomplete": "name"})
    )


class RestrictForm(forms.Form):
    """For whom, and why."""

    whose = forms.ChoiceField(label="Whose data")
    reason = forms.CharField(
        label="Why",
        max_length=500,
        help_text="For example: an invoice is wrong and you want it looked into first.",
        widget=forms.Textarea(attrs={"rows": 3}),
    )

    def __init__(self, *args: Any, scopes: Sequence[Scope], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        whose = self.fields["whose"]
        assert isinstance(whose, forms.ChoiceField)
        # A customer first: it is what disputes are about.
        whose.choices = [
            (each.key, each.title) for each in sorted(scopes, key=lambda each: not each.customer)
        ]
