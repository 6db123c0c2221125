"""For which customers a person may decide that everything ends: those that they own."""

from accounts.models import Contact, Customer, User
from privacy.closing import CUSTOMER
from privacy.subjects import Subject


def owned(user: User) -> dict[str, Customer]:
    """Return the customers that the person owns and that are not erased, by their ids."""
    rows = Contact.objects.filter(user=user, is_owner=True).select_related("customer")
    return {str(row.customer_id): row.customer for row in rows.order_by("customer__name", "pk")}


def subject_of(customer: Customer) -> Subject:
    """Return the customer as a subject of privacy."""
    return Subject(CUSTOMER, str(customer.pk))
