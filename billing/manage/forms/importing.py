"""The form that takes files of customers and subscriptions."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile

FILE_BYTES = 20 * 1024 * 1024


class ImportForm(forms.Form):
    """One file or both."""

    customers = forms.FileField(
        label="Customers",
        required=False,
        allow_empty_file=True,
        widget=forms.FileInput(attrs={"accept": ".csv,text/csv"}),
    )
    subscriptions = forms.FileField(
        label="Subscriptions", required=False, allow_empty_file=True,
        widget=forms.FileInput(attrs={"accept": ".csv,text/csv"}),
    )  # fmt: skip

    def clean_customers(self) -> UploadedFile | None:
        return _small(self.cleaned_data["customers"])

    def clean_subscriptions(self) -> UploadedFile | None:
        return _small(self.cleaned_data["subscriptions"])

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        if not self.errors and not data.get("customers") and not data.get("subscriptions"):
            raise ValidationError("Choose at least one file.")
        return data


def _small(upload: UploadedFile | None) -> UploadedFile | None:
    if upload is not None and (upload.size or 0) > FILE_BYTES:
        raise ValidationError("The file is larger than 20 MiB. Split it, or import it on the command line.")
    return upload
