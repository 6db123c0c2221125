"""Forms of the desk for people's data."""

import hashlib
from typing import Any
from uuid import UUID

from django import forms
from django.contrib.admin.widgets import AdminDateWidget
from django.core.files.uploadedfile import UploadedFile

from privacy.classifying import Right
from privacy.deadlines import Law
from privacy.finding import Found, find_everywhere
from privacy.models import DataRequest, UnderageReport
from privacy.subjects import Subject
from tenants.directory import tenant_of_slug
from tenants.models import Tenant
from tenants.postgresql.base import PUBLIC

KINDS = (("customer", "Customer"), ("user", "Person who logs in"), ("tenant", "Whole workspace"))


def _area(rows: int) -> forms.Textarea:
    return forms.Textarea(attrs={"rows": rows, "cols": 80})


class AnswerForm(forms.Form):
    text = forms.CharField(
        label="Your words",
        widget=_area(10),
        required=False,
        help_text="Write to this person about their case. What was written to others, or is the checklist, "
        "is refused. Nothing that is held goes into it.",
    )
    is_final = forms.BooleanField(
        label="This answers the request and closes it", required=False, help_text="Leave it off to ask back."
    )


class SortForm(forms.Form):
    law = forms.ChoiceField(label="By the", choices=DataRequest.LAWS)
    right = forms.ChoiceField(label="Asks for", choices=DataRequest.RIGHTS)

    def sorted(self) -> tuple[Law, Right]:
        return Law(self.cleaned_data["law"]), Right(self.cleaned_data["right"])


class ReasonForm(forms.Form):
    reason = forms.CharField(label="Why", max_length=500, widget=_area(2), required=False)


class ClaimForm(forms.Form):
    """Nothing to fill in."""


class WriteDownForm(SortForm):
    channel = forms.ChoiceField(
        label="Came by", choices=[each for each in DataRequest.Channel.choices if each[0] != "mail"]
    )
    received_on = forms.DateField(label="Received on", widget=AdminDateWidget)
    address = forms.EmailField(label="Their e-mail address", max_length=254)
    text = forms.CharField(label="What they ask", widget=_area(6), max_length=50_000)
    field_order = ("channel", "received_on", "address", "law", "right", "text")


class SubjectForm(forms.Form):
    """Somebody, by the workspace that they are of, and their e-mail address or id."""

    workspace = forms.CharField(
        required=False, max_length=63, help_text="Its short name; leave it empty for ProEcommerce itself."
    )
    kind = forms.ChoiceField(choices=KINDS[:2])
    who = forms.CharField(label="E-mail address or id", max_length=254)

    def found(self) -> Found:
        """Whom it names, once it is valid."""
        found: Found = self.cleaned_data["found"]
        return found

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or {}
        if not self.errors:
            schema = self._schema(data["workspace"])
            data["found"] = self._found(schema, data["kind"], data["who"].strip())
        return data

    def _schema(self, slug: str) -> str:
        try:
            return tenant_of_slug(slug).schema_name if slug else PUBLIC
        except Tenant.DoesNotExist:
            raise forms.ValidationError({"workspace": "There is no workspace of this name."}) from None

    def _found(self, schema: str, kind: str, who: str) -> Found:
        try:
            return Found(schema, Subject(kind, str(UUID(who))))
        except ValueError:
            pass
        here = [each for each in find_everywhere(who) if each.schema_name == schema]
        same = [each for each in here if each.subject.kind == kind]
        if len(same) != 1:
            said = "Nobody" if not same else "More than one"
            raise forms.ValidationError({"who": f"{said} of that kind has this address there; give the id."})
        return same[0]


class ChildForm(SubjectForm):
    ground = forms.CharField(
        label="What it rests on",
        widget=_area(4),
        max_length=5000,
        help_text="Who says so, and how they know.",
    )


class DecisionForm(forms.Form):
    decision = forms.ChoiceField(choices=UnderageReport.Decision.choices, widget=forms.RadioSelect)
    reason = forms.CharField(label="Why", max_length=500, widget=_area(3), required=False)


class HoldForm(SubjectForm):
    kind = forms.ChoiceField(choices=KINDS)
    reason = forms.CharField(
        max_length=500, widget=_area(3), help_text="The case, and what must be kept for it."
    )
    review_on = forms.DateField(
        required=False, widget=AdminDateWidget, help_text="Within 90 days; those if left empty."
    )

    def _found(self, schema: str, kind: str, who: str) -> Found:
        if kind != "tenant":
            return super()._found(schema, kind, who)
        try:
            return Found(PUBLIC, Subject("tenant", str(tenant_of_slug(who).pk)))
        except Tenant.DoesNotExist:
            raise forms.ValidationError({"who": "For a whole workspace, give its short name here."}) from None


class ReviewForm(forms.Form):
    reason = forms.CharField(max_length=500, widget=_area(3), help_text="Why it still stands.")
    review_on = forms.DateField(
        required=False, widget=AdminDateWidget, help_text="Within 90 days; those if left empty."
    )


class DisclosureForm(forms.Form):
    authority = forms.CharField(max_length=200, required=False, help_text="Who asks.")
    reference = forms.CharField(
        max_length=100, required=False, help_text="Their number of the order or file."
    )
    basis = forms.CharField(
        max_length=500, required=False, widget=_area(2), help_text="The law or order that obliges us."
    )
    received_on = forms.DateField(widget=AdminDateWidget)
    about = forms.CharField(max_length=500, required=False, help_text="Whom it is about.")
    disclosed = forms.CharField(
        label="What is disclosed",
        required=False,
        max_length=100_000,
        widget=_area(8),
        help_text="Exactly, a line for each row or field. Only what the request requires.",
    )
    file = forms.FileField(
        label="The file handed out",
        required=False,
        help_text="Its name and SHA-256 are kept, the file itself is not.",
    )

    def digest(self) -> tuple[str, str]:
        """The file's name and hash; both empty without one."""
        file = self.cleaned_data["file"]
        if not isinstance(file, UploadedFile):
            return "", ""
        hashed = hashlib.sha256()
        for chunk in file.chunks():
            hashed.update(chunk)
        return str(file.name)[:200], hashed.hexdigest()
