"""How to reach the people and customers of the schema entered, and whose an address is."""

from uuid import UUID

from accounts.models import Customer, User
from privacy.subjects import Known, Subject, subject_kind

ERASED_DOMAIN = "@erased.invalid"


def _user(user_id: str) -> Known | None:
    user = User.objects.filter(pk__in=_uuids(user_id)).first()
    return None if user is None else _known(user.name, user.email)


def _customer(customer_id: str) -> Known | None:
    customer = Customer.objects.filter(pk__in=_uuids(customer_id)).first()
    return None if customer is None else _known(str(customer), customer.email, customer.country)


def _known(name: str, email: str, country: str = "") -> Known:
    return Known("", "", country) if email.endswith(ERASED_DOMAIN) else Known(name, email, country)


def _users_at(email: str) -> list[Subject]:
    found = User.objects.filter(email__iexact=email).order_by("pk").values_list("pk", flat=True)
    return [Subject("user", str(pk)) for pk in found]


def _customers_at(email: str) -> list[Subject]:
    found = Customer.objects.filter(email__iexact=email).order_by("pk").values_list("pk", flat=True)
    return [Subject("customer", str(pk)) for pk in found]


def _uuids(text: str) -> list[UUID]:
    """The id that the text is; none for what is no id."""
    try:
        return [UUID(text)]
    except ValueError:
        return []


subject_kind("user", known=_user, find=_users_at)
subject_kind("customer", known=_customer, find=_customers_at)
