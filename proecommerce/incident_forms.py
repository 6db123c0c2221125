"""What the platform's staff fill in about an incident."""

from datetime import UTC, datetime
from typing import Any

from django import forms

from privacy.incident_record import TITLES
from privacy.incidents import Found
from privacy.inventory import Category
from privacy.models import Incident
from privacy.rotating import titles
from privacy.scoping import Reach, kinds
from tenants.directory import every_tenant
from tenants.postgresql.base import PUBLIC

PLATFORM = "The platform itself: who wrote to us, who asked about their data, our staff"


class Moment(forms.DateTimeField):
    """An instant in UTC, to the minute."""

    widget = forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")

    def to_python(self, value: Any) -> datetime | None:
        found = super().to_python(value)
        return found.replace(tzinfo=UTC) if found else None


def area(rows: int = 4) -> forms.Textarea:
    return forms.Textarea(attrs={"rows": rows, "cols": 90})


class DeclareForm(forms.Form):
    title = forms.CharField(
        max_length=200, help_text="In a few words, such as: laptop with a session stolen."
    )
    nature = forms.CharField(widget=area(), help_text="What happened, as far as you know now.")
    found_at = Moment(
        label="Found at (UTC)", help_text="When somebody of us first knew. The 72 hours run from here."
    )
    is_drill = forms.BooleanField(label="This is an exercise", required=False)

    def found(self) -> Found:
        data = self.cleaned_data
        return Found(data["title"], data["nature"], data["found_at"], data["is_drill"])


class ScopeForm(forms.Form):
    """Who is affected: whole workspaces, or whom the acts of one actor or of a time concern."""

    tenants = forms.MultipleChoiceField(
        label="Places", widget=forms.CheckboxSelectMultiple, help_text="Those that it reached."
    )
    kinds = forms.MultipleChoiceField(
        label="People",
        widget=forms.CheckboxSelectMultiple,
        help_text="Those of them that there are in the places chosen.",
    )
    categories = forms.MultipleChoiceField(
        label="Data",
        required=False,
        widget=forms.CheckboxSelectMultiple,
        choices=[(each.value, TITLES[each.value]) for each in Category],
        help_text="None chosen: all that is held.",
    )
    actor_id = forms.UUIDField(
        label="Acts of", required=False, help_text="Id of the log-in that was misused, from the audit log."
    )
    since = Moment(label="From (UTC)", required=False)
    until = Moment(label="To (UTC)", required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        tenants = self.fields["tenants"]
        assert isinstance(tenants, forms.MultipleChoiceField)
        workspaces = [(each.schema_name, f"{each.name} ({each.slug})") for each in every_tenant()]
        tenants.choices = [(PUBLIC, PLATFORM), *workspaces]
        people = self.fields["kinds"]
        assert isinstance(people, forms.MultipleChoiceField)
        people.choices = [(each.name, each.title) for each in kinds()]
        people.initial = [each.name for each in kinds()]

    def reach(self) -> Reach:
        data = self.cleaned_data
        return Reach(
            tuple(data["tenants"]),
            tuple(data["kinds"]),
            tuple(data["categories"]),
            str(data["actor_id"] or ""),
            data["since"],
            data["until"],
        )


class WordsForm(forms.ModelForm):  # type: ignore[type-arg]
    """The texts: for the register, for those affected, for everybody."""

    class Meta:
        model = Incident
        fields = ("consequences", "measures", "mail_subject", "mail_text", "public_title", "public_text")
        widgets = {
            "consequences": area(3),
            "measures": area(3),
            "mail_subject": forms.TextInput(attrs={"size": 90}),
            "mail_text": area(6),
            "public_title": forms.TextInput(attrs={"size": 90}),
            "public_text": area(6),
        }
        help_texts = {
            "consequences": "What may follow for people. It goes into their mail as well.",
            "measures": "What was done, and what they should do. It goes into their mail as well.",
            "mail_text": "What happened, in plain words. Greeting, texts above and our address are added.",
            "public_text": "Stands at /notices/. No names, no details that help an attacker.",
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in self.fields:
            mailed = name.startswith("mail_") and self.instance.notices_asked_at
            shown = name.startswith("public_") and self.instance.published_at
            self.fields[name].disabled = bool(mailed or shown)


class TickForm(forms.Form):
    row = forms.ChoiceField(label="What")
    note = forms.CharField(label="What was done", max_length=300)

    def __init__(self, *args: Any, incident: Incident, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        row, names = self.fields["row"], titles()
        assert isinstance(row, forms.ChoiceField)
        waiting = incident.rotations.filter(done_at__isnull=True).order_by("schema_name", "name")
        row.choices = [
            (each.pk, f"{names.get(each.name, each.name)} ({each.schema_name})") for each in waiting
        ]


class ReviewForm(forms.Form):
    found = forms.CharField(
        label="What the audit log shows", widget=area(4),
        help_text="Whose acts, from where, since when; or that it shows nothing unusual.",
    )  # fmt: skip


class GiveUpForm(forms.Form):
    because = forms.CharField(
        label="Why they cannot be told by mail", max_length=300,
        help_text="And how they hear of it instead, such as by telephone.",
    )  # fmt: skip


class AuthorityForm(forms.Form):
    authority = forms.CharField(max_length=200, required=False, label="Authority")
    reference = forms.CharField(max_length=200, required=False)
    at = Moment(label="Told at (UTC)", required=False)
    because = forms.CharField(
        widget=area(2), required=False, label="Or: why nobody is told",
        help_text="Only where a risk to people is unlikely: Art. 33(1) GDPR.",
    )  # fmt: skip

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or {}
        if not data.get("because") and not (data.get("authority") and data.get("at")):
            raise forms.ValidationError("Give the authority and when it was told, or why it is not.")
        return data
