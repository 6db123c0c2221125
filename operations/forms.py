"""What the platform's staff fill in: a search in the log of requests, a note to an alert."""

from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from typing import Any

from django import forms

from operations.searching import Search
from tenants.models import Tenant

STATUS = [("0", "any"), *((str(n), f"{n}xx") for n in range(1, 6))]
_TIME = forms.DateTimeInput(attrs={"type": "datetime-local", "step": "1"}, format="%Y-%m-%dT%H:%M:%S")


class SearchForm(forms.Form):
    """A search; what is left empty may be anything."""

    since = forms.DateTimeField(label="From (UTC)", widget=_TIME)
    until = forms.DateTimeField(label="Until (UTC)", widget=_TIME)
    tenant = forms.CharField(
        required=False, max_length=63, help_text="Its short name, or “platform” for our own hosts."
    )
    host = forms.CharField(required=False, max_length=253)
    network = forms.CharField(
        required=False,
        max_length=49,
        label="IP address",
        help_text="Or a network: 192.0.2.0/24, 2001:db8::/64.",
    )
    user = forms.UUIDField(required=False, label="User id")
    path = forms.CharField(required=False, max_length=500, label="Path begins with", strip=True)
    status = forms.TypedChoiceField(required=False, choices=STATUS, coerce=int, empty_value="0")
    event = forms.CharField(
        required=False, max_length=24, help_text="As in the security log: login_failed, limit_hit …"
    )

    @staticmethod
    def first(now: datetime) -> dict[str, datetime]:
        """Return what the fields hold at first: the last day."""
        return {"since": now - timedelta(days=1), "until": now + timedelta(minutes=1)}

    def clean_tenant(self) -> str:
        slug = self.cleaned_data["tenant"]
        if slug in {"", "platform"}:
            return "public" if slug else ""
        tenant = Tenant.objects.filter(slug=slug).first() or Tenant.objects.filter(schema_name=slug).first()
        if tenant is None:
            raise forms.ValidationError("There is no tenant of that short name.")
        return tenant.schema_name

    def clean_network(self) -> str:
        asked = self.cleaned_data["network"]
        try:
            return str(ip_network(asked, strict=False)) if asked else ""
        except ValueError:
            raise forms.ValidationError("Write an address, or a network as 192.0.2.0/24.") from None

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        since, until = data.get("since"), data.get("until")
        if since and until and since >= until:
            self.add_error("until", "This has to be after the beginning.")
        return data

    def search(self) -> Search:
        """Return what is asked for, once the form is valid."""
        data = self.cleaned_data
        times = {name: data[name].astimezone(UTC) for name in ("since", "until")}
        texts = {name: data[name] for name in ("tenant", "host", "network", "path", "event")}
        return Search(**times, **texts, user=str(data["user"] or ""), status=int(data["status"]))


class NoteForm(forms.Form):
    """What came of an alert."""

    note = forms.CharField(
        max_length=500,
        label="What you found, or did about it",
        widget=forms.Textarea(attrs={"rows": 3, "cols": 60}),
    )
