"""The filters of the audit log."""

from typing import Any

from django import forms
from django.db.models import Q

from accounts.models import User
from billing import trail
from billing.manage.forms.parts import DayField

# The most that a list of people to choose from may hold; others are found by following a link to them.
PEOPLE = 200


class AuditFilter(forms.Form):
    """By what was done, by whom, to what, and when."""

    action = forms.ChoiceField(required=False, choices=lambda: [("", "Anything"), *trail.action_choices()])
    person = forms.ChoiceField(required=False)
    kind = forms.CharField(required=False, max_length=32, widget=forms.HiddenInput)
    subject = forms.CharField(required=False, max_length=64, widget=forms.HiddenInput)
    since = DayField(label="From", required=False)
    until = DayField(label="To", required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        staff = User.objects.filter(~Q(role=User.Role.CONTACT)).order_by("name", "email")[:PEOPLE]
        people = [(str(user.pk), user.name or user.email) for user in staff]
        systems = [("system", "The system"), ("vendor", "Stripe"), ("visitor", "Visitors")]
        self.fields["person"].choices = [("", "Anybody"), *people, *systems]  # type: ignore[attr-defined]
