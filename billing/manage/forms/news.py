"""What news say."""

from django import forms


class NewsForm(forms.Form):
    title = forms.CharField(label="Subject", max_length=150)
    text = forms.CharField(
        label="Text",
        max_length=20_000,
        help_text="Plain text; an empty line begins a new paragraph. The link that stops them is added.",
        widget=forms.Textarea(attrs={"rows": 10}),
    )
