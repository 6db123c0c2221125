"""Forms about those who work here."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from accounts.models import WORKING, User
from billing.manage.forms.customers import text

Role = User.Role
ROLES = [
    (Role.BILLING.value, "Billing: customers, catalog, subscriptions, invoices, payments, import"),
    (Role.SUPPORT.value, "Support: sees customers, corrects their details, invites contacts, mails again"),
    (Role.READ_ONLY.value, "Read-only: sees, changes nothing"),
    (Role.OWNER.value, "Owner: everything, with settings, people and Stripe"),
]


class StaffForm(forms.Form):
    """Whom to invite to work here."""

    name = text("Name", 200)
    email = forms.EmailField(label="E-mail address", max_length=254)
    role = forms.ChoiceField(choices=ROLES, initial=Role.BILLING.value, widget=forms.RadioSelect)

    def clean_email(self) -> str:
        email: str = self.cleaned_data["email"]
        if User.objects.filter(email__iexact=email, is_active=True, role__in=WORKING).exists():
            raise ValidationError(f"{email} works here already.")
        return email


class RoleForm(forms.Form):
    """As what somebody works here."""

    role = forms.ChoiceField(choices=[(value, words.partition(":")[0]) for value, words in ROLES])

    def __init__(self, *, person: User) -> None:
        super().__init__(auto_id=f"role_{person.pk.hex}_%s", initial={"role": person.role})
        self.fields["role"].widget.attrs["aria-label"] = f"Role of {person}"


class HandOverForm(forms.Form):
    """Who is to be the owner."""

    person = forms.ChoiceField(label="New owner", widget=forms.RadioSelect)
    sure = forms.BooleanField(label="I know that I cannot take it back myself.")

    def __init__(self, *args: Any, others: Sequence[User], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        person = self.fields["person"]
        assert isinstance(person, forms.ChoiceField)
        person.choices = [
            (str(each.pk), f"{each.name or each.email}, {each.email}, {each.get_role_display().lower()}")
            for each in others
        ]
