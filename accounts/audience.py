"""Whom a word to all present customers reaches: those who log in, and customers whom nobody logs in for."""

from collections.abc import Iterator

from accounts.models import Contact, Customer, User
from privacy.audience import crowd


def _users() -> Iterator[str]:
    people = User.objects.filter(is_active=True).exclude(role=User.Role.PLATFORM)
    return (str(pk) for pk in people.order_by("pk").values_list("pk", flat=True).iterator())


def _customers() -> Iterator[str]:
    looked_after = Contact.objects.filter(user__is_active=True).values("customer")
    alone = Customer.objects.filter(status=Customer.Status.ACTIVE).exclude(pk__in=looked_after)
    return (str(pk) for pk in alone.order_by("pk").values_list("pk", flat=True).iterator())


crowd("user", _users)
crowd("customer", _customers)
