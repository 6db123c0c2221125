"""Whose data a person decides about: their own, and customers' for which they may use privacy. Reads."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from accounts.models import Contact, Customer, User
from accounts.permissions import may_use_privacy
from privacy.restricting import acts_for
from privacy.subjects import Subject


def of_user(user: User) -> Subject:
    """The person as a subject."""
    return Subject("user", str(user.pk))


def of_customer(customer: Customer) -> Subject:
    """The customer as a subject."""
    return Subject("customer", str(customer.pk))


@dataclass(frozen=True, slots=True)
class Scope:
    """A subject that the person decides about, as pages name it."""

    subject: Subject
    title: str
    customer: Customer | None = None

    @property
    def key(self) -> str:
        """How forms name it."""
        return f"{self.subject.kind}:{self.subject.id}"

    @property
    def country(self) -> str:
        return self.customer.country if self.customer is not None else ""


def scopes_of(user: User) -> Sequence[Scope]:
    """Return the person first, then the customers, by name."""
    contacts = Contact.objects.filter(user=user).select_related("customer", "user")
    mine = sorted((each for each in contacts if may_use_privacy(each)), key=lambda each: str(each.customer))
    customers = [Scope(of_customer(each.customer), str(each.customer), each.customer) for each in mine]
    return [Scope(of_user(user), "You and your log-in"), *customers]


def scope_of(user: User, key: str) -> Scope | None:
    """Return the one that a form names, if the person decides about it."""
    return next((scope for scope in scopes_of(user) if scope.key == key), None)


def scope_at(user: User, kind: str, subject_id: UUID) -> Scope | None:
    """The same, for the parts of an address."""
    return scope_of(user, f"{kind}:{subject_id}")


def _customers_of(subject: Subject) -> Sequence[Subject]:
    found = Contact.objects.filter(user=UUID(subject.id)).order_by("customer")
    return [Subject("customer", str(pk)) for pk in found.values_list("customer", flat=True)]


acts_for("user", _customers_of)
